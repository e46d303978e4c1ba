"""What tests that speak HTTP by hand share."""

import asyncio
from contextlib import suppress


async def received(reader: asyncio.StreamReader) -> bytes:
    """Whatever came: a server that closes with bytes of ours unread resets the connection after its answer."""
    pieces = []
    with suppress(ConnectionError):
        while piece := await reader.read(65_536):
            pieces.append(piece)
    return b"".join(pieces)
