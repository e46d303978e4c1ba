"""A Postgres whose volume is full: row E4 of the fault matrix."""

import asyncio
import random
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from builders.real_servers import RealServer, RealServers
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.postgres import PostgresServer
from faults.checker import check
from faults.conftest import TEMPLATE, migrated
from faults.history import Client, Outcome, some_files, until
from faults.nursery import Nursery
from faults.site import Site, a_site

SEED = 20267
_VOLUME_MIB = 160


@pytest.fixture
def volume() -> Iterator[Path]:
    """A small volume of its own, where this machine lets us mount one."""
    folder = Path(tempfile.mkdtemp(prefix="ladderbase-faults-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        options = f"size={_VOLUME_MIB}m,mode=0711"  # enough for the account that Postgres runs as
        mounted = _mount("mount", "-t", "tmpfs", "-o", options, "ladderbase", str(folder))
        if mounted.returncode:
            pytest.skip(f"no volume can be mounted here: {mounted.stderr.strip()}")
        stack.callback(_mount, "umount", "--lazy", str(folder))
        yield folder


def _mount(*command: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(command[0]) or "false"
    return subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=10, check=False)


@pytest.fixture
async def site(servers: RealServers, nursery: Nursery, tmp_path: Path, volume: Path) -> AsyncIterator[Site]:
    postgres = RealServer(
        PostgresServer(
            folder=volume / "postgres",
            port=free_port(),
            password=secrets.token_hex(8),
            log=tmp_path / "postgres.log",
            durable=False,
        )
    )
    await postgres.start()
    try:
        await migrated(postgres.url)
        async with a_site(replace(servers, postgres=postgres), nursery, tmp_path, TEMPLATE) as site:
            yield site
    finally:
        postgres.kill()


@contextmanager
def _filled(volume: Path) -> Iterator[None]:
    """Not one block is left, until the end of the block."""
    junk = volume / "junk"
    with junk.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    assert shutil.disk_usage(volume).free == 0
    try:
        yield
    finally:
        junk.unlink()


async def test_a_full_disk_under_postgres_refuses_uploads_and_leaves_nothing_half(site: Site, volume: Path) -> None:
    """E4: what was accepted until then is indexed once there is space, restarting Postgres being all that is done."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client, site.supervised("worker"):
        await client.upload(some_files(chance))
        await check(site.places, site.history)
        with _filled(volume):
            await until(lambda: _is_refused(client, chance), within_s=60)
            await asyncio.sleep(1)
        assert "No space left on device" in await asyncio.to_thread((site.folder / "postgres.log").read_text)
        if not site.servers.postgres.is_up:
            await site.servers.postgres.restart()
        await until(lambda: _is_accepted(client, chance), within_s=30)
        await check(site.places, site.history)


async def _is_refused(client: Client, chance: random.Random) -> bool:
    """As long as what Postgres has reserved lasts, uploads are still accepted; nothing else is answered."""
    uploaded = await client.upload(some_files(chance, logics=4, rungs=60))
    assert uploaded.status in {201, 503}
    return uploaded.status == 503


async def _is_accepted(client: Client, chance: random.Random) -> bool:
    return (await client.upload(some_files(chance))).outcome is Outcome.OK
