"""Real S3 servers on loopback, and what each of them does otherwise than S3 itself."""

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config

from adapters.blobs.options import StorageOptions
from entrypoints.embedded.child import Child
from entrypoints.embedded.component import Component
from entrypoints.embedded.ports import LOOPBACK, free_port

KEY_ID = os.environ.get("TEST_S3_ACCESS_KEY_ID", "tester")
SECRET = os.environ.get("TEST_S3_SECRET_ACCESS_KEY", "tester-secret")
_PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Server:
    """A running server. The claims are what it does as S3 does; tests hold each of them against it."""

    name: str
    url: str
    back_door: Any
    """A plain client that knows nothing of the adapter."""
    checks_signatures: bool
    checks_md5: bool
    keeps_the_first: bool
    says_how_it_encrypts: bool
    cuts_ranges: bool
    takes_percent_for_itself: bool
    lists_many_pages_in_full: bool
    sums_what_it_sends: bool

    def options(self, bucket: str, **changes: Any) -> StorageOptions:
        """What the settings would say for a bucket of it."""
        options = StorageOptions(
            bucket=bucket,
            endpoint_url=self.url,
            use_path_style=True,
            access_key_id=KEY_ID,
            secret_access_key=SECRET,
            timeout_s=10,
        )
        return replace(options, **changes)

    def new_bucket(self) -> str:
        """The name of an empty bucket of one's own."""
        bucket = f"test-{secrets.token_hex(8)}"
        self.back_door.create_bucket(Bucket=bucket)
        return bucket

    def open_uploads(self, bucket: str) -> list[str]:
        """The keys that are being uploaded to in parts."""
        uploads = self.back_door.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        return sorted(upload["Key"] for upload in uploads)


@contextmanager
def nanio() -> Iterator[S3Server]:
    """nanio keeps objects as files. It checks what it is sent, and overwrites what stands."""
    with (
        _started("nanio", ("serve", "--no-access-log", "--log-level", "warning")) as url,
        _plain_client(url) as back_door,
    ):
        yield S3Server(
            name="nanio",
            url=url,
            back_door=back_door,
            checks_signatures=True,
            checks_md5=True,
            keeps_the_first=False,
            says_how_it_encrypts=False,
            cuts_ranges=False,
            takes_percent_for_itself=False,
            lists_many_pages_in_full=False,
            sums_what_it_sends=True,
        )


@contextmanager
def rclone() -> Iterator[S3Server]:
    """rclone serves a folder. It checks what it is sent, and overwrites what stands."""
    with (
        _started("rclone", ("serve", "s3", "--config", "", "--auth-key", f"{KEY_ID},{SECRET}")) as url,
        _plain_client(url) as back_door,
    ):
        yield S3Server(
            name="rclone",
            url=url,
            back_door=back_door,
            checks_signatures=True,
            checks_md5=True,
            keeps_the_first=False,
            says_how_it_encrypts=True,
            cuts_ranges=True,
            takes_percent_for_itself=True,
            lists_many_pages_in_full=True,
            sums_what_it_sends=False,
        )


@contextmanager
def moto() -> Iterator[S3Server]:
    """moto plays AWS in memory. It honours conditions, and believes every signature."""
    with _started("moto_server", ()) as url, _plain_client(url) as back_door:
        yield S3Server(
            name="moto",
            url=url,
            back_door=back_door,
            checks_signatures=False,
            checks_md5=False,
            keeps_the_first=True,
            says_how_it_encrypts=True,
            cuts_ranges=True,
            takes_percent_for_itself=True,
            lists_many_pages_in_full=True,
            sums_what_it_sends=True,
        )


@contextmanager
def minio(url: str) -> Iterator[S3Server]:
    """MinIO where it runs already, or what TEST_S3_ENDPOINT_URL names. The claims are its documentation's."""
    with _plain_client(url) as back_door, _models_read_once():
        yield S3Server(
            name="minio",
            url=url,
            back_door=back_door,
            checks_signatures=True,
            checks_md5=True,
            keeps_the_first=True,
            says_how_it_encrypts=True,
            cuts_ranges=True,
            takes_percent_for_itself=True,
            lists_many_pages_in_full=True,
            sums_what_it_sends=True,
        )


S3_SERVERS = {"nanio": nanio, "rclone": rclone, "moto": moto}


def _addressed(program: str, port: int, folder: Path) -> Sequence[str]:
    if program == "nanio":
        return ("--data-dir", str(folder), "--host", LOOPBACK, "--port", str(port))
    if program == "rclone":
        return ("--addr", f"{LOOPBACK}:{port}", str(folder))
    return ("--host", LOOPBACK, "--port", str(port))


@contextmanager
def _started(program: str, arguments: Sequence[str]) -> Iterator[str]:
    folder, port = Path(tempfile.mkdtemp(prefix="ladderbase-test-")), free_port()
    (folder / "objects").mkdir()
    environment: Mapping[str, str] = {
        "PATH": str(_PROGRAMS),
        "HOME": str(folder),
        "NANIO_ACCESS_KEY": KEY_ID,
        "NANIO_SECRET_KEY": SECRET,
    }
    component = Component(
        name=program,
        command=[str(_PROGRAMS / program), *arguments, *_addressed(program, port, folder / "objects")],
        log=folder / "log",
        environment=environment,
        ready=lambda: _answers(port),
    )
    child = Child(component)
    try:
        _run(child.until_ready())
        with _models_read_once():
            yield f"http://{LOOPBACK}:{port}"
    finally:
        child.kill()
        shutil.rmtree(folder)


async def _answers(port: int) -> str:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError as error:
        return error.strerror or "a connection"
    writer.close()
    await writer.wait_closed()
    return ""


@contextmanager
def _plain_client(url: str) -> Iterator[Any]:
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(
            s3={"addressing_style": "path"},
            proxies={},
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=10,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _models_read_once() -> Iterator[None]:
    """Every session of the client would parse its descriptions of S3 anew, for 0.15 s; each test has one."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


def _run(work: Coroutine[Any, Any, None]) -> None:
    """In a thread, so that it disturbs no event loop of the tests."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
