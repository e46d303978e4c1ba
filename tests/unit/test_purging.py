"""What is taken out of the index, and what must stay: re-indexed, replaced, given up and repaired documents."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from application.retry_documents import Include, RetryCommand
from builders.drift import audited, repair
from builders.further import MARKDOWN, a_document_form
from builders.service import Service, a_service, connected
from builders.uploads import CONVEYOR, DOOR
from domain.document import DocumentRef, DocumentState
from domain.drift import DriftKind
from domain.errors import UnavailableError
from domain.events import DocumentsRegistered
from domain.registration import revision_of

CHANGED = CONVEYOR.replace("X0", "X77")
FURTHER = "PGM_1-r0-0001"
LADDER = "PGM_1-r1-0002"


async def indexed(folder: Path, *csvs: str) -> Service:
    service = await a_service(folder, {f"{number:04d}_11": csv for number, csv in enumerate(csvs or (CONVEYOR,))})
    await service.register()
    await service.work()
    return service


async def reindexed(service: Service, *document_ids: str) -> None:
    command = RetryCommand(pgm_id="PGM_1", include=Include.ALL, document_ids=document_ids)
    await service.container.retry_documents()(command)


def held(service: Service) -> set[DocumentRef]:
    return {entry.document for entry in service.index.entries.values()}


async def test_a_removed_document_leaves_nothing_of_a_former_generation(tmp_path: Path) -> None:
    service = await indexed(tmp_path)
    async with connected(service) as client:
        content, headers = a_document_form("n.md", MARKDOWN)
        assert (await client.post("/v1/programs/PGM_1/documents", content=content, headers=headers)).status_code == 201
        await service.work()
        assert DocumentRef(document_id=FURTHER, generation=1) in held(service)
        await reindexed(service, FURTHER)
        assert (await client.delete(f"/v1/programs/PGM_1/documents/{FURTHER}")).status_code == 204
    await service.work()
    assert FURTHER not in {ref.document_id for ref in held(service)}


async def test_a_replaced_revision_leaves_nothing_of_a_former_generation(tmp_path: Path) -> None:
    service = await indexed(tmp_path, CONVEYOR, DOOR)
    await reindexed(service)
    await service.replace({"0000_11": CHANGED, "0001_11": DOOR})
    await service.relay()
    claimed = list(service.dispatcher.waiting.values())
    service.dispatcher.lose_everything()
    for event in reversed(claimed):  # the new revision overtakes
        await service.container.handle_event()(event)
    await service.work_for(timedelta(minutes=2))
    assert {revision_of(ref) for ref in held(service)} == {2}


async def test_what_is_indexed_keeps_its_vectors_when_its_event_is_given_up(tmp_path: Path) -> None:
    service = await indexed(tmp_path)
    await reindexed(service, LADDER)
    remove_former = service.index.remove_former

    async def give_no_answer(_: Sequence[DocumentRef]) -> None:
        raise UnavailableError("milvus", "no answer")

    service.index.remove_former = give_no_answer  # type: ignore[assignment]
    await service.work_for(timedelta(minutes=40))
    service.index.remove_former = remove_former  # type: ignore[method-assign]
    await service.work_for(timedelta(minutes=2))
    assert service.states["0000_11.csv"] is DocumentState.INDEXED
    assert [ref for ref in held(service) if ref.document_id == LADDER] == [
        DocumentRef(document_id=LADDER, generation=2)
    ]
    assert await audited(service) == []


async def test_a_repair_names_the_documents_of_one_revision_in_an_event(tmp_path: Path) -> None:
    service = await indexed(tmp_path, CONVEYOR, DOOR)
    await service.replace({"0000_11": CHANGED, "0001_11": DOOR, "0002_11": DOOR})
    await service.blobs.delete_below("programs/PGM_1/r2/zip")
    await service.work()  # of the new revision the template alone can be indexed, so the old one answers
    templates = [DocumentRef(document_id=f"PGM_1-r{revision}-0001", generation=1) for revision in (1, 2)]
    before = {entry.chunk_id: entry.lexical_text for entry in service.index.entries.values()}
    await service.index.remove_documents(templates)
    await repair(service, [drift for drift in await audited(service) if drift.kind is DriftKind.VECTORS_MISSING])
    events = [one.event for one in service.registry.committed.events.values() if one.is_pending]
    named = [set(map(revision_of, event.documents)) for event in events if isinstance(event, DocumentsRegistered)]
    assert sorted(map(sorted, named)) == [[1], [2]]
    await service.work()
    after = {entry.chunk_id.replace(".g2.", ".g1."): entry.lexical_text for entry in service.index.entries.values()}
    assert after == before
