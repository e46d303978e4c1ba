"""Real servers for tests, started when a test first asks: an explicit URL, else Docker, else the embedded ones."""

import asyncio
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import redis

from builders.closing_lines import closing_lines
from builders.milvus_235 import Milvus235, why_it_cannot_start
from builders.s3_servers import KEY_ID, SECRET
from entrypoints.embedded.child import Child
from entrypoints.embedded.component import Component
from entrypoints.embedded.milvus import MilvusServer
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.postgres import PostgresServer
from entrypoints.embedded.valkey import ValkeyServer

_DOCKER_PING_S = 2
_MINIO_PORT = 9000

_ALONE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_EMPTIED = """
DO $$
DECLARE
  place regclass;
  holds_rows boolean;
  filled text[] = '{}';
BEGIN
  FOR place IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', place) INTO holds_rows;
    IF holds_rows THEN filled = filled || place::text; END IF;
  END LOOP;
  IF filled <> '{}' THEN EXECUTE 'TRUNCATE ' || array_to_string(filled, ', ') || ' CASCADE'; END IF;
  PERFORM setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
END $$
"""

Server = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """A Postgres server: the URL of its maintenance database, for a role that may create others."""
    with _chosen(pytestconfig, "TEST_DATABASE_URL", docker=_docker_postgres, embedded=_embedded_postgres) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> Iterator[str]:
    """The name of a database that was migrated once, from which others are copied."""
    from adapters.postgres.migrations_runner import upgrade  # noqa: PLC0415 - tests of other adapters need no alembic

    with _fresh_database(postgres_url) as url:
        _run(upgrade(url))
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database of the test's own, with nothing in it."""
    with _fresh_database(postgres_url) as url:
        yield url


@pytest.fixture
def migrated_database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """A database of the test's own, migrated: for one that changes the schema or what the planner knows."""
    with _fresh_database(postgres_url, template=migrated_template) as url:
        yield url


@pytest.fixture(scope="session")
def kept_database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """What `database_url` empties: to make a database and to drop it takes ten times as long."""
    with _fresh_database(postgres_url, template=migrated_template) as url:
        yield url


@pytest.fixture
def database_url(kept_database_url: str) -> str:
    """A migrated database with nothing in it, as one of the test's own would be: nobody else is connected."""
    _run(_execute(kept_database_url, _ALONE))
    _run(_execute(kept_database_url, _EMPTIED))
    return kept_database_url


@pytest.fixture(scope="session")
def redis_server_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """A Redis or Valkey server."""
    with _chosen(pytestconfig, "TEST_REDIS_URL", docker=_docker_redis, embedded=_embedded_valkey) as url:
        yield url


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """The Redis server, emptied: of a server that somebody else named, that one database alone."""
    with redis.Redis.from_url(redis_server_url, socket_timeout=5) as client:
        client.flushdb()
    return redis_server_url


@pytest.fixture(scope="session")
def milvus_uri(pytestconfig: pytest.Config) -> Iterator[str]:
    """A Milvus server, shared: every test uses collections of its own."""
    with _chosen(pytestconfig, "TEST_MILVUS_URI", docker=_docker_milvus, embedded=_embedded_milvus) as uri:
        yield uri


@pytest.fixture(scope="session")
def milvus_235_uri(pytestconfig: pytest.Config) -> Iterator[str]:
    """A real Milvus of the kind that has no BM25."""
    if problem := why_it_cannot_start():
        pytest.skip(problem)
    closing_lines(pytestconfig).append("server: milvus 2.3.5 from its wheel")
    with _folder() as folder:
        server = Milvus235(folder=folder)
        with _running(server.component()):
            yield server.uri


@pytest.fixture(scope="session")
def s3_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """MinIO, or the S3 server that TEST_S3_ENDPOINT_URL names.

    Its keys are those of builders.s3_servers. Where there is none, its tests are skipped: MinIO comes in no package,
    and three other servers are always there.
    """
    with _chosen(pytestconfig, "TEST_S3_ENDPOINT_URL", docker=_docker_minio, embedded=None) as url:
        yield url


@contextmanager
def _chosen(config: pytest.Config, variable: str, *, docker: Server, embedded: Server | None) -> Iterator[str]:
    name = docker.__name__.removeprefix("_docker_")
    told = closing_lines(config)
    if url := os.environ.get(variable):
        if "PYTEST_XDIST_WORKER" in os.environ:  # they would empty it under each other
            pytest.fail(f"{variable} names one server for several processes: make test PROCESSES=0", pytrace=False)
        told.append(f"server: {name} by {variable}")
        yield url
        return
    problem = _docker_problem()
    if problem and os.environ.get("REQUIRE_DOCKER") == "1":
        pytest.fail(f"REQUIRE_DOCKER=1, but {problem}", pytrace=False)
    choice = f"{'embedded' if embedded else 'left out'} ({problem})" if problem else "in Docker"
    told.append(f"server: {name} {choice}")
    if problem and embedded is None:
        pytest.skip(problem)
    with embedded() if problem and embedded else docker() as url:
        yield url


@cache
def _docker_problem() -> str:
    """Why Docker cannot be used; empty where a daemon answers.

    Asked in a process of its own: the client leaves its socket open where nobody answers.
    """
    ping = f"import docker; docker.from_env(timeout={_DOCKER_PING_S}).ping()"
    asked = subprocess.run([sys.executable, "-P", "-c", ping], capture_output=True, timeout=30, check=False)
    return "no Docker daemon answers" if asked.returncode else ""


@contextmanager
def _fresh_database(server_url: str, *, template: str = "template1") -> Iterator[str]:
    name = f"test_{secrets.token_hex(8)}"
    _run(_execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        _run(_execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(re.sub(r"^postgres(ql)?(\+asyncpg)?:", "postgresql:", url), timeout=10)
    try:
        await connection.execute(statement, timeout=30)
    finally:
        await connection.close(timeout=5)


def _run(work: Coroutine[object, object, object]) -> None:
    """In a thread, so that it disturbs no event loop of the tests."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@contextmanager
def _embedded_postgres() -> Iterator[str]:
    with _folder() as folder:
        server = PostgresServer(
            folder=folder / "postgres",
            port=free_port(),
            password=secrets.token_hex(8),
            log=folder / "postgres.log",
            durable=False,
        )
        with _running(server.component()):
            yield server.url


@contextmanager
def _embedded_valkey() -> Iterator[str]:
    with _folder() as folder:
        server = ValkeyServer(
            folder=folder / "valkey",
            port=free_port(),
            password=secrets.token_hex(8),
            log=folder / "valkey.log",
        )
        with _running(server.component()):
            yield server.url


@contextmanager
def _embedded_milvus() -> Iterator[str]:
    with _folder() as folder:
        server = MilvusServer(folder=folder / "milvus", port=free_port(), log=folder / "milvus.log")
        with _running(server.component()):
            yield server.uri


@contextmanager
def _running(component: Component) -> Iterator[None]:
    component.prepare()
    child = Child(component)
    try:
        _run(child.until_ready())
        yield
    finally:
        _run(child.end())


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ladderbase-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _docker_postgres() -> Iterator[str]:
    with _ignoring_their_deprecations():
        from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 - only where Docker is

        container = PostgresContainer(os.environ.get("TEST_POSTGRES_IMAGE", "postgres:18"), driver=None)
        with container:
            yield container.get_connection_url()


@contextmanager
def _docker_redis() -> Iterator[str]:
    with _ignoring_their_deprecations():
        from testcontainers.community.redis import RedisContainer  # noqa: PLC0415 - only where Docker is

        with RedisContainer(os.environ.get("TEST_REDIS_IMAGE", "redis:7")) as container:
            yield f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"


@contextmanager
def _docker_milvus() -> Iterator[str]:
    with _ignoring_their_deprecations():
        from testcontainers.community.milvus import MilvusContainer  # noqa: PLC0415 - only where Docker is

        with MilvusContainer(os.environ.get("TEST_MILVUS_IMAGE", "milvusdb/milvus:v2.6.0")) as container:
            yield container.get_connection_url()


@contextmanager
def _docker_minio() -> Iterator[str]:
    with _ignoring_their_deprecations():
        # Not their MinioContainer: it wants MinIO's own client, of which we use nothing.
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - only where Docker is
        from testcontainers.core.wait_strategies import HttpWaitStrategy  # noqa: PLC0415 - as above

        image = os.environ.get("TEST_MINIO_IMAGE", "minio/minio:RELEASE.2025-09-07T16-13-09Z")
        container = (
            DockerContainer(image)
            .with_command("server /data")
            .with_exposed_ports(_MINIO_PORT)
            .with_env("MINIO_ROOT_USER", KEY_ID)
            .with_env("MINIO_ROOT_PASSWORD", SECRET)
            .waiting_for(HttpWaitStrategy(_MINIO_PORT, "/minio/health/live"))
        )
        with container:
            yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(_MINIO_PORT)}"


@contextmanager
def _ignoring_their_deprecations() -> Iterator[None]:
    # testcontainers warns about its own parts, and warnings are errors here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
