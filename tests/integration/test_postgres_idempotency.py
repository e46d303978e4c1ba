"""One program per key on a real Postgres: in a crowd, and when the connection is cut during the COMMIT."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Table, func, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import create_engine
from adapters.postgres.tables import idempotency_keys, outbox, programs, uploads
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.register_program import RegisterCommand, Registered
from builders.service import DETAILS, Service, a_service, connected, some_limits
from contracts.idempotency_log import KEY
from domain.errors import UnavailableError
from domain.idempotency import KeptAnswer
from domain.ports.blob_store import StoredBlob
from fakes.blob_store import InMemoryBlobStore
from fakes.readers import GatheringUploadReader


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_wait_s=30)  # a slow machine is not what is tested
    yield engine
    await engine.dispose()


async def test_of_fifty_uploads_at_once_one_registers_and_all_are_given_its_answer(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    limits = some_limits(time.monotonic, places=(50, 50))
    service = await a_service(tmp_path, unit_of_work=PostgresUnitOfWork(engine), limits=limits)
    service.container.upload_reader.override(GatheringUploadReader(service.inspected, 50))
    files = {
        "pgm_ladder_zip_file": ("a.zip", service.upload.ladder_zip.path.read_bytes()),
        "pgm_template_file": ("t.xlsx", service.upload.template.path.read_bytes()),
    }
    texts = {"pgm_name": "셀 라인", "create_user": "kim"}
    async with connected(service) as client:
        answers = await asyncio.gather(
            *(
                client.post("/v1/programs", data=texts, files=files, headers={"Idempotency-Key": "7f3c"})
                for _ in range(50)
            )
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.headers["location"], answer.content) for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 49
    assert await count(engine, programs, idempotency_keys, outbox, uploads) == [1, 1, 1, 0]
    assert len([entry async for entry in service.blobs.list_below("")]) == 2


async def test_an_upload_whose_commit_lost_its_answer_is_found_and_answered(
    engine: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    async with losing_an_answer_to_commit(database_url) as (url, lose_the_next):
        through = create_engine(url)
        blobs = CallingBack(lose_the_next)
        service = await a_service(tmp_path, unit_of_work=PostgresUnitOfWork(through), blobs=blobs)
        first, repeat = await register(service), await register(service)
        await through.dispose()
    assert isinstance(first, KeptAnswer)
    assert first == repeat
    assert await count(engine, programs, idempotency_keys, outbox, uploads) == [1, 1, 1, 0]
    assert len([entry async for entry in blobs.list_below("")]) == 2


async def test_without_a_key_a_commit_that_lost_its_answer_keeps_its_blobs(
    engine: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    async with losing_an_answer_to_commit(database_url) as (url, lose_the_next):
        through = create_engine(url)
        blobs = CallingBack(lose_the_next)
        service = await a_service(tmp_path, unit_of_work=PostgresUnitOfWork(through), blobs=blobs)
        with pytest.raises(UnavailableError):
            await service.register()
        await through.dispose()
    assert await count(engine, programs, uploads) == [1, 0]
    assert len([entry async for entry in blobs.list_below("")]) == 2


async def test_a_key_that_an_api_of_before_took_is_nobody_s_in_particular(engine: AsyncEngine) -> None:
    taking = text(
        "INSERT INTO idempotency_keys (operation, key, fingerprint, pgm_id, answer)"
        " VALUES (:operation, :key, 'ab', 'PGM_1', '')"
    )
    async with engine.begin() as connection:
        await connection.execute(taking, {"operation": KEY.operation, "key": KEY.name})
    async with PostgresUnitOfWork(engine).begin() as transaction:
        assert await transaction.idempotency.find(KEY) is not None
        assert await transaction.idempotency.find(replace(KEY, client="key:kim")) is None


async def register(service: Service) -> Registered | KeptAnswer:
    command = RegisterCommand(details=DETAILS, upload=service.upload)
    return await service.container.register_once()(command, KEY, render=lambda _: b"registered")


async def count(engine: AsyncEngine, *tables: Table) -> list[int | None]:
    async with engine.connect() as connection:
        return [await connection.scalar(select(func.count()).select_from(table)) for table in tables]


class CallingBack(InMemoryBlobStore):
    """Calls when a blob is put: what is committed from then on is the registration."""

    def __init__(self, on_put: Callable[[], None]) -> None:
        super().__init__()
        self._on_put = on_put

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        self._on_put()
        return await super().put(key, content)


@asynccontextmanager
async def losing_an_answer_to_commit(database_url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """A way to the server that, once told to, cuts the next connection whose COMMIT the server has answered."""
    target = make_url(database_url)
    armed = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(target.host, target.port)
        is_doomed = False

        async def ask() -> None:
            nonlocal is_doomed
            while asked := await reader.read(65_536):
                if armed.is_set() and b"COMMIT" in asked:
                    armed.clear()
                    is_doomed = True
                server_writer.write(asked)
            server_writer.close()

        async def answer() -> None:
            while (answered := await server_reader.read(65_536)) and not is_doomed:
                writer.write(answered)
            writer.close()

        await asyncio.gather(ask(), answer())

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield target.set(host="127.0.0.1", port=port).render_as_string(hide_password=False), armed.set
        assert not armed.is_set(), "no COMMIT came"
    finally:
        server.close()
        await server.wait_closed()
