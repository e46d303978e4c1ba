"""What is indexed stays indexed, and nothing of a former generation stays beside it, in orders that seldom come."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from application.retry_documents import Include, RetryCommand
from builders.drift import audited, repair
from builders.further import MARKDOWN, a_document_form
from builders.service import Service, a_service, connected
from builders.uploads import CONVEYOR, DOOR
from domain.document import DocumentRef
from domain.drift import DriftKind
from domain.errors import UnavailableError

LADDER = "PGM_1-r1-0002"
NOTES = "PGM_1-r0-0001"
REVISED = {"0000_11": CONVEYOR.replace("X0", "X77"), "0001_11": DOOR}


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    """One program of two ladders, indexed."""
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    return service


async def reindex(service: Service, *document_ids: str) -> None:
    named = document_ids or None
    await service.container.retry_documents()(RetryCommand(pgm_id="PGM_1", include=Include.ALL, document_ids=named))


def held(service: Service, document_id: str) -> set[int]:
    """The generations of a document that the index holds."""
    refs = {entry.document for entry in service.index.entries.values()}
    return {ref.generation for ref in refs if ref.document_id == document_id}


async def test_a_document_that_is_indexed_keeps_its_vectors_when_its_event_is_given_up_on_an_outage(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is recorded, and only the removal of what stood there before fails, until no attempt is left."""
    await reindex(service, LADDER)

    async def no_answer(*_: object, **__: object) -> None:
        raise UnavailableError("milvus", "as scripted")

    with monkeypatch.context() as outage:
        outage.setattr(service.index, "remove_former", no_answer)
        outage.setattr(service.index, "remove_documents", no_answer)
        await service.work_for(timedelta(minutes=40))
    await service.work_for(timedelta(minutes=5))
    assert held(service, LADDER) == {2}
    assert await audited(service) == []


async def test_a_document_that_is_indexed_keeps_its_vectors_when_its_event_is_given_up_on_a_bug(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reindex(service, LADDER)
    remove_former = service.index.remove_former

    async def a_bug(documents: Sequence[DocumentRef]) -> None:
        monkeypatch.setattr(service.index, "remove_former", remove_former)
        raise RuntimeError

    monkeypatch.setattr(service.index, "remove_former", a_bug)
    await service.work_for(timedelta(minutes=5))
    assert held(service, LADDER) == {2}
    assert await audited(service) == []


async def test_a_repair_reads_each_document_among_those_of_its_own_revision(service: Service) -> None:
    """One that waits stands beside the one that answers, and both have drifted."""
    await service.replace({**REVISED, "0002_11": DOOR})
    await service.blobs.delete_below("programs/PGM_1/r2/zip")  # so that it goes on waiting
    await service.work()
    templates = [DocumentRef(document_id=f"PGM_1-r{revision}-0001", generation=1) for revision in (1, 2)]
    await service.index.remove_documents(templates)
    missing = [each for each in await audited(service) if each.kind is DriftKind.VECTORS_MISSING]
    assert [each.document for each in missing] == templates
    await repair(service, missing)
    await service.work()
    ids = [entry.document.document_id for entry in service.index.entries.values()]
    assert [ids.count(template.document_id) for template in templates] == [2, 3]  # a row for each logic of its own


async def test_nothing_stays_of_a_revision_that_was_indexed_anew_and_superseded_before_that_was_done(
    service: Service,
) -> None:
    await reindex(service)
    await service.replace(REVISED)
    await service.relay()
    waiting = list(service.dispatcher.waiting.values())
    service.dispatcher.lose_everything()
    for claimed in reversed(waiting):
        await service.container.handle_event()(claimed)
    await service.work_for(timedelta(minutes=2))
    assert {entry.document.document_id.split("-")[1] for entry in service.index.entries.values()} == {"r2"}
    assert await audited(service) == []


async def test_nothing_stays_of_a_further_document_that_was_indexed_anew_and_removed_before_that_was_done(
    service: Service,
) -> None:
    async with connected(service) as client:
        body, headers = a_document_form("n.md", MARKDOWN)
        assert (await client.post("/v1/programs/PGM_1/documents", content=body, headers=headers)).is_success
        await service.work()
        await reindex(service, NOTES)
        assert (await client.delete(f"/v1/programs/PGM_1/documents/{NOTES}")).is_success
    await service.work_for(timedelta(minutes=2))
    assert held(service, NOTES) == set()
    assert await audited(service) == []


async def test_nothing_stays_of_a_revision_that_was_superseded_while_it_was_indexed_anew_a_second_time(
    service: Service,
) -> None:
    """Each new generation is another name of the same chunks: the purge knows the last one alone."""
    await service.replace({**REVISED, "0002_11": DOOR})
    await service.blobs.delete_below("programs/PGM_1/r2/zip")
    await service.work()  # it waits, its template indexed
    await reindex(service, "PGM_1-r2-0001")
    await service.replace(REVISED)
    await service.work_for(timedelta(minutes=2))
    assert {entry.document.document_id.split("-")[1] for entry in service.index.entries.values()} == {"r3"}
    assert await audited(service) == []
