"""What happens when several connections want the same rows at the same time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.catalogue import PostgresCatalogue
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.engine import create_engine
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.retry_documents import Include, RetryCommand, RetryDocuments
from application.retry_everywhere import ReviveDead
from contracts.failure_log import a_failed_attempt
from contracts.idempotency_log import A_DAY, an_answer, forget, keep, named
from contracts.outbox import claim, commit, start
from contracts.records import (
    a_chunk,
    a_document,
    a_registration,
    delete,
    documents_registered,
    indexed,
    mark_indexed,
    program_deleted,
    register,
)
from contracts.revisions import add_revision, draw, of_revision
from domain.document import Document, DocumentRef, DocumentState, DocumentType, Failure
from domain.errors import ConflictError, NotFoundError, UnavailableError
from domain.events import ClaimedEvent, DocumentsRegistered
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def test_a_worker_and_a_delete_wait_for_each_other(engine: AsyncEngine) -> None:
    """In whatever order they come: no deadlock, and afterwards nothing of the program is visible."""
    unit_of_work, catalogue = PostgresUnitOfWork(engine), PostgresCatalogue(engine)
    for number in range(1, 11):
        pgm_id = f"PGM_{number}"
        documents = [a_document(ordinal, pgm_id=pgm_id) for ordinal in range(40)]
        await register(unit_of_work, *documents, pgm_id=pgm_id)
        work = [indexed(document, a_chunk()) for document in documents]
        await asyncio.gather(
            mark_indexed(unit_of_work, *work),
            delete(unit_of_work, pgm_id),
            mark_indexed(unit_of_work, *reversed(work)),
        )
        assert await catalogue.visible_chunks([f"{document.document_id}.g1.0" for document in documents]) == {}


async def test_a_worker_that_waited_for_a_delete_is_refused(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    await register(unit_of_work, a_document())

    async def work() -> frozenset[DocumentRef]:
        async with unit_of_work.begin() as transaction:
            return await transaction.documents.mark_indexed([indexed(a_document())])

    async with unit_of_work.begin() as transaction:
        await transaction.programs.delete("PGM_1")
        worker = asyncio.create_task(work())
        await until_somebody_waits_for_a_lock(engine)
    assert await worker == frozenset()


async def test_of_two_that_begin_one_claim_one_wins(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    await commit(unit_of_work, program_deleted())
    [claimed] = await claim(unit_of_work, 1)

    async def start() -> str:
        try:
            async with unit_of_work.begin() as transaction:
                await transaction.outbox.start(claimed, lease=timedelta(seconds=30))
                await asyncio.sleep(0.05)
        except ConflictError:
            return "conflict"
        return "started"

    assert sorted(await asyncio.gather(*(start() for _ in range(5)))) == ["conflict"] * 4 + ["started"]


async def until_somebody_waits_for_a_lock(engine: AsyncEngine) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with asyncio.timeout(10), engine.connect() as connection:
        while not (await connection.execute(waiting)).scalar_one():
            await connection.rollback()  # The view is read once a transaction.
            await asyncio.sleep(0.02)


async def test_a_switch_of_the_index_waits_for_who_indexes_into_the_old_one(engine: AsyncEngine) -> None:
    """A document is either found lacking by the switch, or refused: none slips between."""
    unit_of_work = PostgresUnitOfWork(engine)
    old, new = an_index_key("old"), an_index_key("new")
    await register(unit_of_work, a_document())
    async with unit_of_work.begin() as transaction:
        await transaction.indexes.adopt(old)
        await transaction.indexes.begin(new)

    async def switch() -> bool:
        async with unit_of_work.begin() as transaction:
            return await transaction.indexes.complete(new)

    async with unit_of_work.begin() as transaction:
        await transaction.indexes.hold_current(old)
        switching = asyncio.create_task(switch())
        await until_somebody_waits_for_a_lock(engine)
        await transaction.documents.mark_indexed([indexed(a_document())])
        await transaction.indexes.record(old, [a_document().ref])
    assert not await switching


async def test_who_waited_for_a_switch_is_refused(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    old, new = an_index_key("old"), an_index_key("new")
    async with unit_of_work.begin() as transaction:
        await transaction.indexes.adopt(old)
        await transaction.indexes.begin(new)

    async def index() -> None:
        async with unit_of_work.begin() as transaction:
            await transaction.indexes.hold_current(old)

    async with unit_of_work.begin() as transaction:
        assert await transaction.indexes.complete(new)
        indexing = asyncio.create_task(index())
        await until_somebody_waits_for_a_lock(engine)
    with pytest.raises(UnavailableError):
        await indexing


async def test_of_two_models_that_adopt_at_once_one_is_current(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)

    async def adopt(name: str) -> IndexKey:
        async with unit_of_work.begin() as transaction:
            return (await transaction.indexes.adopt(an_index_key(name))).key

    adopted = await asyncio.gather(*(adopt(name) for name in "abcd"))
    assert len(set(adopted)) == 1


def an_index_key(name: str) -> IndexKey:
    return IndexKey(model=EmbeddingModel(name=name, dimension=8), rendering_version=1)


async def test_of_two_workers_that_index_the_last_documents_one_lets_the_revision_answer(engine: AsyncEngine) -> None:
    """Neither sees what the other has not committed yet: they wait for each other before they look."""
    unit_of_work, catalogue = PostgresUnitOfWork(engine), PostgresCatalogue(engine)
    await register(unit_of_work, a_document())
    for number in range(2, 12):
        documents = [of_revision(number, ordinal) for ordinal in range(6)]
        await draw(unit_of_work)
        await add_revision(unit_of_work, number, *documents)

        async def work(document: Document) -> int | None:
            async with unit_of_work.begin() as transaction:
                await transaction.programs.hold_pending("PGM_1")
                await transaction.documents.mark_indexed([indexed(document)])
                return await transaction.programs.promote("PGM_1")

        outcomes = await asyncio.gather(*map(work, documents))
        assert sorted(outcomes, key=str) == [number - 1, None, None, None, None, None]
        assert (await catalogue.program("PGM_1")).program.revision == number


async def test_uploads_of_one_program_at_once_leave_the_last_one_waiting_alone(engine: AsyncEngine) -> None:
    unit_of_work, catalogue = PostgresUnitOfWork(engine), PostgresCatalogue(engine)
    await register(unit_of_work, a_document())

    async def upload() -> list[int]:
        return await add_revision(unit_of_work, await draw(unit_of_work))

    superseded = [number for numbers in await asyncio.gather(*(upload() for _ in range(12))) for number in numbers]
    assert sorted(superseded) == list(range(2, 13))
    assert (await catalogue.program("PGM_1")).latest.revision == 13


async def test_a_worker_a_delete_and_a_purge_of_a_revision_never_block_each_other(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)

    async def index(*documents: Document) -> None:
        async with unit_of_work.begin() as transaction:
            await transaction.programs.hold_pending(documents[0].pgm_id)
            await transaction.documents.mark_indexed([indexed(document) for document in documents])
            await transaction.programs.promote(documents[0].pgm_id)

    async def purge(pgm_id: str, revision: int) -> None:
        async with unit_of_work.begin() as transaction:
            await transaction.programs.purge_revision(pgm_id, revision)

    for number in range(1, 9):
        pgm_id = f"PGM_{number}"
        old = [a_document(ordinal, pgm_id=pgm_id) for ordinal in range(20)]
        new = [replace(each, document_id=f"{pgm_id}.r2.{each.ordinal}", revision=2) for each in old]
        await register(unit_of_work, *old, pgm_id=pgm_id)
        async with unit_of_work.begin() as transaction:
            revision = await transaction.programs.draw_revision(pgm_id)
            added = a_registration(pgm_id)
            await transaction.programs.add_revision(replace(added, program=replace(added.program, revision=revision)))
            await transaction.documents.add(new)
        await asyncio.gather(
            index(*new), index(*reversed(old)), purge(pgm_id, 1), delete(unit_of_work, pgm_id), purge(pgm_id, 1)
        )


async def test_whoever_takes_a_key_waits_for_who_takes_it_too(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    async with unit_of_work.begin() as transaction:
        await transaction.idempotency.keep(an_answer())
        second = asyncio.create_task(keep(unit_of_work, an_answer(pgm_id="PGM_2")))
        await until_somebody_waits_for_a_lock(engine)
    with pytest.raises(ConflictError):
        await second


async def test_whoever_waited_for_a_transaction_that_fails_gets_the_key(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)

    async def fail_while(wanted: asyncio.Event) -> None:
        async with unit_of_work.begin() as transaction:
            await transaction.idempotency.keep(an_answer())
            wanted.set()
            await until_somebody_waits_for_a_lock(engine)
            raise UnavailableError("blob store", "as scripted")

    wanted = asyncio.Event()
    first = asyncio.create_task(fail_while(wanted))
    await wanted.wait()
    await keep(unit_of_work, an_answer(pgm_id="PGM_2"))
    with pytest.raises(UnavailableError):
        await first


async def test_the_wait_for_a_key_is_bounded(engine: AsyncEngine, database_url: str) -> None:
    impatient = create_engine(database_url, lock_timeout_s=0.2)
    async with PostgresUnitOfWork(engine).begin() as transaction:
        await transaction.idempotency.keep(an_answer())
        with pytest.raises(UnavailableError, match="lock"):
            await keep(PostgresUnitOfWork(impatient), an_answer())
    await impatient.dispose()


async def test_two_that_forget_at_once_do_not_wait_for_each_other(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    for name in "abcd":
        await keep(unit_of_work, an_answer(named(name)))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE idempotency_keys SET created_at = created_at - interval '2 days'"))
    async with unit_of_work.begin() as transaction:
        await forget(unit_of_work, at_most=1)
        assert await transaction.idempotency.forget(older_than=A_DAY, at_most=2) == 2
        assert await forget(unit_of_work, at_most=2) == 1


async def test_a_retry_while_a_worker_records_comes_after_it_and_takes_the_document(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    await register(unit_of_work, a_document())
    async with unit_of_work.begin() as transaction:
        assert await transaction.documents.mark_indexed([indexed(a_document())]) == {a_document().ref}
        retrying = asyncio.create_task(retry(unit_of_work))
        await until_somebody_waits_for_a_lock(engine)
    assert await retrying == 1
    assert await restarted_generation(unit_of_work) == 2


async def test_a_worker_that_waited_for_a_retry_is_refused(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    await register(unit_of_work, a_document())

    async def work() -> frozenset[DocumentRef]:
        async with unit_of_work.begin() as transaction:
            return await transaction.documents.mark_indexed([indexed(a_document())])

    async with unit_of_work.begin() as transaction:
        await transaction.documents.of_program("PGM_1")
        await transaction.documents.restart([a_document().ref])
        worker = asyncio.create_task(work())
        await until_somebody_waits_for_a_lock(engine)
    assert await worker == frozenset()


async def test_of_two_retries_at_once_each_document_is_given_back_by_one(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    documents = [a_document(ordinal) for ordinal in range(40)]
    await register(unit_of_work, *documents)
    given_back = await asyncio.gather(*(retry(unit_of_work) for _ in range(2)))
    claimed = await claim(unit_of_work, 100)
    named = [ref for each in claimed for ref in (await started_event(unit_of_work, each)).documents]
    assert sum(given_back) == len(named) == len(set(named))
    async with unit_of_work.begin() as transaction:
        # Every document's present generation is in an event: none is stranded by the other retry.
        assert {each.ref for each in await transaction.documents.of_program("PGM_1")} <= set(named)


async def test_a_retry_that_waited_for_a_delete_finds_no_program(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    await register(unit_of_work, a_document())
    async with unit_of_work.begin() as transaction:
        await transaction.programs.delete("PGM_1")
        retrying = asyncio.create_task(retry(unit_of_work))
        await until_somebody_waits_for_a_lock(engine)
    with pytest.raises(NotFoundError):
        await retrying
    assert await claim(unit_of_work, 10) == []


async def test_retries_workers_and_a_delete_wait_for_each_other(engine: AsyncEngine) -> None:
    """In whatever order they come: no deadlock, and the deletion wins."""
    unit_of_work, catalogue = PostgresUnitOfWork(engine), PostgresCatalogue(engine)
    for number in range(1, 11):
        pgm_id = f"PGM_{number}"
        documents = [a_document(ordinal, pgm_id=pgm_id) for ordinal in range(40)]
        await register(unit_of_work, *documents, pgm_id=pgm_id)
        work = [indexed(document, a_chunk()) for document in documents]
        outcomes = await asyncio.gather(
            mark_indexed(unit_of_work, *work),
            retry(unit_of_work, pgm_id),
            delete(unit_of_work, pgm_id),
            retry(unit_of_work, pgm_id),
            return_exceptions=True,
        )
        assert {type(each) for each in outcomes if isinstance(each, BaseException)} <= {NotFoundError}
        chunk_ids = [f"{each.document_id}.g{generation}.0" for each in documents for generation in (1, 2, 3)]
        assert await catalogue.visible_chunks(chunk_ids) == {}


async def test_two_that_revive_the_dead_at_once_give_each_document_back_once(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    documents = [a_document(ordinal) for ordinal in range(40)]
    await register(unit_of_work, *documents)
    async with unit_of_work.begin() as transaction:
        failure = Failure(code="internal_error", message="RuntimeError")
        await transaction.documents.mark_failed([(document.ref, failure) for document in documents])
        for event_id in await transaction.outbox.add([documents_registered(each) for each in reversed(documents)]):
            await transaction.outbox.bury(event_id, reason="poison")
    revive = ReviveDead(unit_of_work=unit_of_work, deliveries=PostgresDeliveries(engine))
    given_back = await asyncio.gather(revive(), revive(), retry(unit_of_work, include=Include.FAILED))
    assert sum(each if isinstance(each, int) else each.documents for each in given_back) == 40


async def test_a_purge_waits_for_whoever_records_a_failure_and_takes_it_along(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    await register(unit_of_work, a_document())

    async def purge() -> None:
        await delete(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.programs.purge("PGM_1")

    async with unit_of_work.begin() as transaction:
        await transaction.failures.record([a_failed_attempt()])
        purging = asyncio.create_task(purge())
        await until_somebody_waits_for_a_lock(engine)
    await purging
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM failures"))).scalar_one() == 0


async def retry(unit_of_work: PostgresUnitOfWork, pgm_id: str = "PGM_1", *, include: Include = Include.ALL) -> int:
    retry_documents = RetryDocuments(unit_of_work=unit_of_work, indexed_types=frozenset(DocumentType))
    return await retry_documents(RetryCommand(pgm_id=pgm_id, include=include))


async def restarted_generation(unit_of_work: PostgresUnitOfWork) -> int:
    async with unit_of_work.begin() as transaction:
        (document,) = await transaction.documents.of_program("PGM_1")
    assert document.state is DocumentState.PENDING
    return document.generation


async def started_event(unit_of_work: PostgresUnitOfWork, claimed: ClaimedEvent) -> DocumentsRegistered:
    event = (await start(unit_of_work, claimed)).event
    assert isinstance(event, DocumentsRegistered)
    return event
