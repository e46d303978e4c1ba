"""What is being uploaded, indexed, deleted or repaired while an audit looks is no drift."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from inspect import isasyncgenfunction
from pathlib import Path

import pytest

from builders.drift import (
    audited,
    document,
    indexed_service,
    lose_events,
    repair,
)
from builders.service import Service, a_service
from domain.events import DocumentsRegistered


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await indexed_service(tmp_path)


Interference = Callable[[], Awaitable[None]]


def interfere(target: object, method: str, work: Interference) -> None:
    """Do some work right before the next call of a method: the barrier of a race."""
    real = getattr(target, method)

    async def first(*args: object, **kwargs: object) -> object:
        setattr(target, method, real)
        await work()
        return await real(*args, **kwargs)

    async def first_of_many(*args: object, **kwargs: object) -> AsyncIterator[object]:
        setattr(target, method, real)
        await work()
        async for each in real(*args, **kwargs):
            yield each

    setattr(target, method, first_of_many if isasyncgenfunction(real) else first)


async def test_a_program_that_is_purged_between_two_looks_is_no_drift(service: Service) -> None:
    async def purge() -> None:
        await service.container.delete_program()("PGM_1")
        await service.work()

    interfere(service.index, "chunk_ids", purge)
    assert await audited(service) == []
    assert not service.index.entries


async def test_a_document_that_is_indexed_anew_between_two_looks_is_no_drift(service: Service) -> None:
    async def reindex() -> None:
        async with service.container.unit_of_work().begin() as transaction:
            old = document(service).ref
            refs = (*await transaction.documents.restart([old]), old)
            await transaction.outbox.add([DocumentsRegistered(pgm_id="PGM_1", documents=refs)])
        await service.work()

    interfere(service.index, "chunk_ids", reindex)
    assert await audited(service) == []
    assert document(service).generation == 2


async def test_what_somebody_else_repairs_between_two_looks_is_no_drift(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    lose_events(service)
    drifts = await audited(service)
    inventory = service.container.inventory()

    async def repair_after_the_next_page() -> None:
        interfere(inventory, "documents", lambda: repair(service, drifts))

    interfere(inventory, "documents", repair_after_the_next_page)
    assert len(drifts) == 3
    assert await audited(service) == []


async def test_a_program_that_is_purged_during_the_walk_of_the_index_is_no_drift(service: Service) -> None:
    async def purge() -> None:
        await service.container.delete_program()("PGM_1")
        await service.work()

    vectors = service.container.audit_stores().vectors
    interfere(vectors.ownership, "of_vectors", purge)
    assert [drift async for drift in vectors()] == []


@pytest.mark.parametrize("moment", ["documents", "document", "list_below", "owned_prefixes"])
async def test_a_program_that_is_purged_while_its_blobs_are_looked_at_is_no_drift(
    service: Service, moment: str
) -> None:
    async def purge() -> None:
        await service.container.delete_program()("PGM_1")
        await service.work()

    audit = service.container.audit_stores()
    targets = {"list_below": service.blobs, "owned_prefixes": audit.ownership}
    interfere(targets.get(moment, audit.blobs.catalogue), moment, purge)
    assert [drift async for drift in audit.blobs(deep=True)] == []
    assert [orphans async for orphans in audit.find_orphans()] == []
    assert not service.blobs._blobs or moment == "document"  # asked for only where there is a suspicion


async def test_an_upload_that_is_registered_and_indexed_during_an_audit_is_no_drift(service: Service) -> None:
    async def register() -> None:
        await service.register()

    async def index_it() -> None:
        await service.work()

    interfere(service.index, "chunk_ids", register)
    interfere(service.container.ownership(), "of_vectors", index_it)
    assert await audited(service) == []
    assert {entry.pgm_id for entry in service.index.entries.values()} == {"PGM_1", "PGM_2"}


async def test_an_audit_in_the_middle_of_indexing_and_of_a_delete_finds_nothing(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    found: list[object] = []

    async def audit(_: Sequence[str]) -> None:
        service.embedder.before = None
        found.extend(await audited(service, deep=True))
        await service.container.delete_program()("PGM_1")
        found.extend(await audited(service, deep=True))

    service.embedder.before = audit
    await service.register()
    await service.work()
    assert found == []
    assert await audited(service) == []
