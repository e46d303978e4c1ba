"""A retry over the real record: what workers bring meanwhile is refused, and one generation is left in the index."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.catalogue import PostgresCatalogue
from adapters.postgres.engine import create_engine
from adapters.postgres.operations import PostgresOperations
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.retry_documents import Include, RetryCommand
from builders.service import Service, a_service
from domain.document import DocumentState
from domain.errors import NotFoundError, UnavailableError
from domain.failures import Stage

TEMPLATE, FIRST, SECOND = (f"PGM_1-r1-000{number}" for number in (1, 2, 3))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def service(tmp_path: Path, engine: AsyncEngine) -> Service:
    """Everything over fakes but the record."""
    return await a_service(
        tmp_path,
        unit_of_work=PostgresUnitOfWork(engine),
        catalogue=PostgresCatalogue(engine),
        operations=PostgresOperations(engine),
    )


async def retry_all(service: Service) -> int:
    given_back: int = await service.container.retry_documents()(RetryCommand(pgm_id="PGM_1", include=Include.ALL))
    return given_back


async def assert_the_index_holds_what_is_indexed(service: Service, *, generation: int) -> None:
    documents = (await service.container.catalogue().documents("PGM_1", limit=10)).items
    indexed = [each for each in documents if each.state is DocumentState.INDEXED]
    assert [each.document_id for each in indexed] == [TEMPLATE, FIRST, SECOND]
    assert {each.generation for each in indexed} == {generation}
    assert set(service.index.entries) == {
        f"{each.document_id}.g{generation}.{ordinal}" for each in indexed for ordinal in range(each.chunk_count)
    }
    held = await service.container.catalogue().visible_chunks(list(service.index.entries), rendering_version=1)
    assert len(held) == len(service.index.entries)


async def test_a_retry_of_what_is_indexed_leaves_one_generation(service: Service) -> None:
    await service.register()
    await service.work()
    for _ in range(2):
        assert await retry_all(service) == 3
    await service.work()
    await assert_the_index_holds_what_is_indexed(service, generation=3)


async def test_a_retry_in_the_middle_of_the_work_refuses_it(service: Service) -> None:
    await service.register()

    async def retry_meanwhile(_: Sequence[str]) -> None:
        service.embedder.before = None
        assert await retry_all(service) == 3

    service.embedder.before = retry_meanwhile
    await service.work()
    assert not service.index.entries
    await service.work()
    await assert_the_index_holds_what_is_indexed(service, generation=2)


async def test_a_deletion_between_a_retry_and_its_work_leaves_nothing(service: Service, engine: AsyncEngine) -> None:
    await service.register()
    await service.blobs.delete_below("programs/PGM_1/r1/zip")
    await service.work()
    assert len((await service.container.operations().failures("PGM_1", limit=10)).items) == 2
    assert await retry_all(service) == 3
    await service.container.delete_program()("PGM_1")
    with pytest.raises(NotFoundError):
        await retry_all(service)
    await service.work()
    assert not service.index.entries
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM failures"))).scalar_one() == 0


async def test_an_attempt_that_fails_is_in_the_history_and_in_the_overview(service: Service) -> None:
    await service.register()

    async def fail(_: Sequence[str]) -> None:
        raise UnavailableError("embedder", "refused by 10.0.0.9")

    service.embedder.before = fail
    await service.work()
    operations = service.container.operations()
    (recorded,) = (await operations.failures("PGM_1", limit=10, document_id=SECOND)).items
    assert (recorded.attempt.stage, recorded.attempt.attempt) == (Stage.EMBED, 1)
    assert [ref.document_id for ref in recorded.attempt.documents] == [TEMPLATE, FIRST, SECOND]
    oldest = (await operations.overview()).oldest
    assert oldest is not None
    assert oldest.last_failure == recorded
