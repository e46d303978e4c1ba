"""What compose.yaml and the tests ask of `minio server`, `mc ready` and `mc mb`, by rclone."""  # noqa: INP001 - a script

import asyncio
import os
import subprocess
import sys
import urllib.request
from urllib.parse import urlsplit

ALIVE = "/minio/health/live"


def main() -> None:
    """Play the part that the arguments name."""
    match sys.argv[1:]:
        case ["server", *_]:
            asyncio.run(serve())
        case ["ready", *_]:
            urllib.request.urlopen(f"http://127.0.0.1:9000{ALIVE}", timeout=3).close()
        case ["mb", *_, target]:
            alias, _, bucket = target.partition("/")
            store = urlsplit(os.environ[f"MC_HOST_{alias}"])
            keys = ["--s3-access-key-id", str(store.username), "--s3-secret-access-key", str(store.password)]
            where = ["--s3-provider", "Minio", "--s3-endpoint", f"http://{store.hostname}:{store.port}"]
            for verb in ("lsf", "mkdir"):  # what can be listed is there already
                command = ["rclone", verb, f":s3:{bucket}", *where, *keys]
                if not subprocess.run(command, check=False).returncode:  # noqa: S603 - in an image of ours
                    return
            sys.exit(f"{bucket} cannot be made")


async def serve() -> None:
    """The S3 of rclone, with MinIO's sign of life in front of it."""
    keys = f"{os.environ['MINIO_ROOT_USER']},{os.environ['MINIO_ROOT_PASSWORD']}"
    rclone = await asyncio.create_subprocess_exec(
        "rclone", "serve", "s3", "--config", "", "--addr", "127.0.0.1:9001", "--auth-key", keys, "/data"
    )
    async with await asyncio.start_server(relay, "0.0.0.0", 9000):  # noqa: S104 - inside a container
        await rclone.wait()


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, to rclone and back."""
    first = await reader.readline()
    try:
        if ALIVE.encode() in first:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        else:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", 9001)
            far_writer.write(first)
            await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
    except OSError:
        pass  # somebody went away
    finally:
        writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the end of what comes."""
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()
    writer.close()


main()
