"""Ways to make the stores of a service drift apart, and to look at what an audit says of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from builders.service import Service, a_service
from domain.chunk import chunk_id
from domain.document import Document, DocumentRef
from domain.drift import Drift, DriftKind
from domain.ports.vector_index import IndexEntry

LADDER, OTHER_LADDER, TEMPLATE = "0000_11.csv", "0001_11.csv", "template.xlsx"


async def indexed_service(folder: Path) -> Service:
    """A program that is registered and indexed, and nothing that drifted."""
    service = await a_service(folder)
    await service.register()
    await service.work()
    assert await audited(service, deep=True) == []
    return service


async def audited(service: Service, *, deep: bool = False) -> list[Drift]:
    return [drift async for drift in service.container.audit_stores()(deep=deep)]


async def kinds(service: Service, *, deep: bool = False) -> list[DriftKind]:
    return sorted(drift.kind for drift in await audited(service, deep=deep))


async def repair(service: Service, drifts: Sequence[Drift]) -> None:
    await service.container.repair_drift()(drifts)


def document(service: Service, name: str = LADDER) -> Document:
    """The first document of that name, as it is recorded now."""
    documents = service.registry.committed.documents.values()
    return next(each for each in documents if each.document_name == name)


def change(service: Service, name: str = LADDER, **fields: object) -> None:
    """A back door to the record."""
    changed = replace(document(service, name), **fields)  # type: ignore[arg-type]  # any field of it
    service.registry.committed.documents[changed.document_id] = changed


async def hold(
    service: Service, ref: DocumentRef, ordinal: int = 0, *, pgm_id: str = "PGM_1", foreign_id: str = ""
) -> str:
    """A back door to the index: a chunk that nobody recorded."""
    entry = IndexEntry(
        chunk_id=foreign_id or chunk_id(ref, ordinal),
        pgm_id=pgm_id,
        document=ref,
        document_type=document(service).document_type,
        folder_id="0",
        logic_id="0000_11",
        lexical_text="left over",
    )
    await service.index.upsert([entry], await service.embedder.embed(["left over"]))
    return entry.chunk_id


def lose_vectors(service: Service, name: str = LADDER, *, all_but: int = 0) -> list[str]:
    """A back door to the index: chunks of a document are gone."""
    ref = document(service, name).ref
    lost = sorted(each for each, entry in service.index.entries.items() if entry.document == ref)[all_but:]
    for each in lost:
        del service.index.entries[each]
    return lost


def lose_uses(service: Service, name: str = LADDER, *, by: int = 1) -> None:
    """A back door to the record: so many uses of a document are gone; of a negative number, are too many."""
    uses = service.registry.committed.uses
    document_id = document(service, name).document_id
    stored = uses[document_id]
    kept = dict(list(stored.uses.items())[max(0, by) :])
    more = {-number: next(iter(stored.uses.values())) for number in range(1, 1 - by)}
    uses[document_id] = replace(stored, uses={**kept, **more})


def lose_events(service: Service) -> None:
    """A back door to the outbox: whatever is not done is dead."""
    events = service.registry.committed.events
    for event_id, event in events.items():
        if event.is_pending:
            events[event_id] = replace(event, is_dead=True)
