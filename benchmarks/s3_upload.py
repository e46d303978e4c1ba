"""How long a caller waits for an upload of ten ladder CSVs while every put to S3 takes 200 ms more.

Starts the embedded service with its storage on an S3 of its own (nanio), behind a proxy that delays the puts, and
uploads over HTTP. One line for what was measured, one for the same without the delay.
"""

import argparse
import asyncio
import io
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import openpyxl

from entrypoints.embedded.ports import free_port
from entrypoints.embedded.stack import EmbeddedStack, running
from service import register, until_indexed

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from builders.s3_proxy import S3Proxy, s3_proxy
from builders.s3_servers import KEY_ID, SECRET, nanio

EXAMPLE = Path(__file__).parents[1] / "examples" / "cell-line"
CSVS = 10
MOST_S = 0.6


@dataclass(frozen=True, kw_only=True)
class StackOnS3(EmbeddedStack):
    """The embedded service, but for its files."""

    storage: dict[str, str] = field(default_factory=dict)

    def _settings(self, folder: Path) -> dict[str, str]:
        return super()._settings(folder) | self.storage


async def main() -> None:
    """Upload with and without the delay, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--delay-ms", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        upload = ten_csvs(Path(folder))
        async with service_on_s3(Path(folder) / "data") as (client, proxy):
            print(f"{'delay of a put':>14} {'rounds':>6} {'median':>8} {'fastest':>8} {'slowest':>8}")
            for delay_s in (0.0, arguments.delay_ms / 1000):
                proxy.delay_s = {"PUT": delay_s}
                waits_s = [await wait_s(client, upload) for _ in range(arguments.rounds)]
                print(
                    f"{delay_s * 1000:>11.0f} ms {len(waits_s):>6} {statistics.median(waits_s):>6.3f} s"
                    f" {min(waits_s):>6.3f} s {max(waits_s):>6.3f} s"
                )
    if statistics.median(waits_s) > MOST_S:
        sys.exit(f"more than {MOST_S} s")


def ten_csvs(folder: Path) -> Path:
    """An upload of ten ladder CSVs, made from those of the example under other names."""
    upload = folder / "ten-csvs"
    upload.mkdir()
    with zipfile.ZipFile(EXAMPLE / "ladder.zip") as example:
        ladders = [example.read(name) for name in sorted(example.namelist()) if name.endswith(".csv")]
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["Folder ID", "Folder Name", "Sub Folder Name", "Logic ID", "Logic Name"])
    with zipfile.ZipFile(upload / "ladder.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(CSVS):
            archive.writestr(f"{number:04}_11.csv", ladders[number % len(ladders)])
            sheet.append(["F1", "Line", "Cell", f"{number:04}_11", f"Logic {number}"])
    content = io.BytesIO()
    book.save(content)
    (upload / "template.xlsx").write_bytes(content.getvalue())
    (upload / "comment.csv").write_bytes((EXAMPLE / "comment.csv").read_bytes())
    return upload


@asynccontextmanager
async def service_on_s3(folder: Path) -> AsyncIterator[tuple[httpx.AsyncClient, S3Proxy]]:
    """The running service on a bucket behind a proxy."""
    with nanio() as server:
        async with s3_proxy(server) as proxy:
            storage = {
                "STORAGE_TYPE": "s3",
                "S3_BUCKET_NAME": server.new_bucket(),
                "S3_ENDPOINT_URL": proxy.url,
                "S3_USE_PATH_STYLE": "true",
                "AWS_ACCESS_KEY_ID": KEY_ID,
                "AWS_SECRET_ACCESS_KEY": SECRET,
            }
            stack = StackOnS3(data_dir=folder, port=free_port(), storage=storage)
            async with (
                running(stack) as url,
                httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as client,
            ):
                yield client, proxy


async def wait_s(client: httpx.AsyncClient, upload: Path) -> float:
    """How long one caller waits, once nothing else is under way."""
    started = time.perf_counter()
    pgm_id = await register(client, upload)
    waited_s = time.perf_counter() - started
    await until_indexed(client, pgm_id)
    return waited_s


if __name__ == "__main__":
    asyncio.run(main())
