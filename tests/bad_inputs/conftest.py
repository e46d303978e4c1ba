"""One running service for all bad inputs; after each case a good upload must still work."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from adapters.postgres.migrations_runner import upgrade
from bad_inputs.matrix import MATRIX
from bad_inputs.target import Target
from builders.closing_lines import closing_lines
from builders.product import Program, a_product, until
from builders.real_servers import real_servers

_LIMITS = {
    "PGM_LADDER_ZIP_MAX_SIZE": str(32 * 1024 * 1024),  # a hundred would make the largest bodies slow to send
    "UPLOADS_PER_MINUTE": "0",  # one caller sends them all, as fast as they are answered
    "SEARCHES_PER_MINUTE": "0",
}


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """An API on real servers. The worker that made the index has ended: nothing changes but by what is sent."""
    with real_servers() as servers, ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, upgrade(servers.postgres.url)).result()
        settings = {
            "DATABASE_URL": servers.postgres.url,
            "REDIS_URL": servers.valkey.url,
            "MILVUS_URI": servers.milvus.url,
            "AUTH": "required",
        }
        with a_product(tmp_path_factory.mktemp("bad_inputs"), **settings, **_LIMITS) as product:
            api, worker = product.api(), product.worker()
            thread.submit(asyncio.run, until(lambda: _is_ready(api), within_s=60)).result()
            assert worker.end() == 0
            made = product.command("keys", "create", "kim", "--scope", "admin")
            assert made.process.wait(60) == 0
            (key,) = re.findall(r"^lb_\S+$", made.said, re.MULTILINE)
            target = Target(product, api, key)
            target.works()  # and is the program to which further documents are added
            yield target
            target.works()
            closing_lines(request.config).append(target.figures())
            target.close()
    if _whole_corpus_ran(request.session):
        never_given = {
            number: missing
            for number, case in MATRIX.items()
            if not case.is_shown_elsewhere and (missing := case.refusals - target.given[number])
        }
        assert never_given == {}, "answers that the table lists and nothing was given"


@pytest.fixture
def target(running: Target, request: pytest.FixtureRequest) -> Iterator[Target]:
    """The service, which takes a good upload after what each test sent; of a test with many parameters, the first."""
    yield running
    if request.function not in running.followed_up:
        running.followed_up.add(request.function)
        running.works()


def _whole_corpus_ran(session: pytest.Session) -> bool:
    """Whether every test of this folder was asked for, and none failed."""
    named = {test for case in MATRIX.values() for test in case.tests_here}
    asked_for = {item.originalname for item in session.items if isinstance(item, pytest.Function)}
    return named <= asked_for and not session.testsfailed


async def _is_ready(api: Program) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(f"{api.url}/readyz")).is_success
        except httpx.TransportError:
            return False
