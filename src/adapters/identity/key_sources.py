"""Where the public keys of an issuer come from: an address, or a file that somebody keeps up to date."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from adapters.loopback import is_loopback
from domain.errors import MisconfiguredError, UnavailableError

KeySource = Callable[[], Awaitable[bytes]]
"""Gives the issuer's JWKS. Raises UnavailableError."""

ISSUER = "identity provider"
MAX_JWKS_BYTES = 262_144
_ANSWER_S = 5.0


@asynccontextmanager
async def keys_at(
    url: str, transport: httpx.AsyncBaseTransport | None = None, *, answer_s: float = _ANSWER_S
) -> AsyncIterator[KeySource]:
    """From an address, for the length of the block. A redirect is no answer: the address is that of the keys.

    Raises MisconfiguredError for what is no address.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise MisconfiguredError("the address of the issuer's keys cannot be taken apart") from error
    # Uncompressed: a few bytes of gzip can be a lot of memory before anybody has counted them.
    headers = {"Accept-Encoding": "identity"}
    async with httpx.AsyncClient(
        timeout=answer_s,
        follow_redirects=False,
        headers=headers,
        transport=transport,
        trust_env=not is_loopback(address.host),
    ) as client:

        async def fetch() -> bytes:
            try:
                # A limit of our own: httpx' begins anew with every byte.
                async with asyncio.timeout(answer_s), client.stream("GET", address) as answer:
                    if answer.status_code != httpx.codes.OK:
                        raise UnavailableError(ISSUER, f"it answers {answer.status_code}")
                    return await _whole(answer)
            except TimeoutError as error:
                raise UnavailableError(ISSUER, f"no answer within {answer_s:g} s") from error
            except httpx.HTTPError as error:
                raise UnavailableError(ISSUER, f"no connection: {type(error).__name__}") from error

        yield fetch


def keys_in(path: Path) -> KeySource:
    """From a file, read anew each time."""

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(MAX_JWKS_BYTES + 1)

    async def fetch() -> bytes:
        try:
            content = await asyncio.to_thread(read)
        except OSError as error:
            raise UnavailableError(ISSUER, f"the file of its keys: {error.strerror or type(error).__name__}") from error
        return _bounded(content)

    return fetch


async def _whole(answer: httpx.Response) -> bytes:
    content = b""
    async for piece in answer.aiter_raw():
        content = _bounded(content + piece)
    return content


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_JWKS_BYTES:
        raise UnavailableError(ISSUER, f"its keys are more than {MAX_JWKS_BYTES:,} bytes")
    return content
