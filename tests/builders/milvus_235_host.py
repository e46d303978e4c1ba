"""Runs in the network namespace: Milvus 2.3.5, and the Unix socket through which it is reached from outside."""

import asyncio
import contextlib
import fcntl
import signal
import socket
import struct
import sys
from pathlib import Path

import milvus

_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1


def main(folder: str, path: str) -> None:
    """Serve until SIGTERM. The socket appears once the server answers."""
    _raise_loopback()
    server = milvus.MilvusServer(wait_for_started=True)
    server.set_base_dir(folder)
    try:
        server.start()
        asyncio.run(_forward(path, server.listen_port))
    finally:
        server.stop()


def _raise_loopback() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


async def _forward(path: str, port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, server_writer), _pump(server_reader, writer))

    # Under another name first: who finds the socket may use it.
    async with await asyncio.start_unix_server(connect, path + ".new"):
        await asyncio.to_thread(Path(path + ".new").rename, path)
        await stop.wait()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
