"""Answers that are files to keep: what they are called, and their bytes piece by piece."""

from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import quote


async def opened(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The pieces, the first of which is read already: before the status line an outage is a 503, no short body."""
    return _resumed(await anext(pieces, b""), pieces)


async def _resumed(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        if isinstance(rest, AsyncGenerator):
            await rest.aclose()


def disposition(name: str) -> dict[str, str]:
    """RFC 6266: a name for old clients, the right one (RFC 5987) for the others."""
    plain = "".join(character if character.isascii() and character not in '"\\%' else "_" for character in name)
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}
