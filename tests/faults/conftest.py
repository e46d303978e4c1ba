"""Servers that fault tests may kill, one set for all of them, and a site on them for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from builders.closing_lines import closing_lines
from builders.real_servers import RealServers, real_servers
from faults.nursery import Nursery, a_nursery
from faults.site import Site, a_site, execute

TEMPLATE = "faults_template"


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> list[str]:
    """The lines at the end of the run: the seeds and the figures of long runs, whether they went well or not."""
    return closing_lines(pytestconfig)


@pytest.fixture(scope="session")
def servers() -> Iterator[RealServers]:
    """Up at the beginning of each test, whatever the one before did to them."""
    with real_servers() as servers:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, migrated(servers.postgres.url)).result()
        yield servers


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with a_nursery() as nursery:
        yield nursery


@pytest.fixture
async def site(servers: RealServers, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(servers, nursery, tmp_path, TEMPLATE) as site:
        yield site


async def migrated(url: str) -> None:
    """A database of a server, from which those of sites are copied."""
    from adapters.postgres.migrations_runner import upgrade  # noqa: PLC0415 - after the servers are up

    await execute(url, f"CREATE DATABASE {TEMPLATE}")
    await upgrade(url.replace("/postgres", f"/{TEMPLATE}"))
