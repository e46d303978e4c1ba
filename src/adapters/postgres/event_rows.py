"""Events as the outbox keeps them: a kind, and a payload of ids under a schema version.

A worker of the version before must read what this version writes: add kinds or a schema, never change one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from adapters.postgres.many_rows import Row as NewRow
from domain.document import DocumentRef
from domain.errors import NewerEventError, UnindexableError
from domain.events import DocumentsRegistered, DocumentsRemoved, Event, EventKind, ProgramDeleted, RevisionSuperseded

_SCHEMA = 1


class _DocumentsRegistered(msgspec.Struct):
    schema: Literal[1]
    pgm_id: str
    documents: list[tuple[str, int]]


class _DocumentsRemoved(msgspec.Struct):
    schema: Literal[1]
    pgm_id: str
    documents: list[tuple[str, int]]
    prefix: str


class _ProgramDeleted(msgspec.Struct):
    schema: Literal[1]
    pgm_id: str


class _RevisionSuperseded(msgspec.Struct):
    schema: Literal[1]
    pgm_id: str
    revision: int


def row_of_event(event: Event) -> NewRow:
    """A row of `outbox`."""
    match event:
        case DocumentsRegistered():
            payload = {"schema": 1, "pgm_id": event.pgm_id, "documents": _named(event.documents)}
            return {"kind": EventKind.DOCUMENTS_REGISTERED.value, "payload": payload}
        case DocumentsRemoved():
            named = {"documents": _named(event.documents), "prefix": event.prefix}
            return {"kind": EventKind.DOCUMENTS_REMOVED.value, "payload": {"schema": 1, "pgm_id": event.pgm_id} | named}
        case ProgramDeleted():
            return {"kind": EventKind.PROGRAM_DELETED.value, "payload": {"schema": 1, "pgm_id": event.pgm_id}}
        case RevisionSuperseded():
            payload = {"schema": 1, "pgm_id": event.pgm_id, "revision": event.revision}
            return {"kind": EventKind.REVISION_SUPERSEDED.value, "payload": payload}


def event_of(kind: str, payload: object) -> Event:
    """The event of a row. Raises NewerEventError for a kind or a schema that only a later version can have written.

    Raises UnindexableError `event_unreadable` for what no version wrote.
    """
    read = _READERS.get(kind)
    if read is None:
        raise NewerEventError(f"there is no event kind {kind!r} here")
    schema = payload.get("schema") if isinstance(payload, dict) else None
    if isinstance(schema, int) and schema > _SCHEMA:
        raise NewerEventError(f"{kind}: there is no schema {schema} here")
    try:
        return read(payload)
    except msgspec.ValidationError as error:
        raise UnindexableError("event_unreadable", f"{kind}: {error}") from error


def _named(refs: Sequence[DocumentRef]) -> list[list[object]]:
    return [[ref.document_id, ref.generation] for ref in refs]


def _refs(named: Sequence[tuple[str, int]]) -> tuple[DocumentRef, ...]:
    return tuple(DocumentRef(document_id=document_id, generation=generation) for document_id, generation in named)


def _documents_registered(payload: object) -> DocumentsRegistered:
    read = msgspec.convert(payload, _DocumentsRegistered)
    return DocumentsRegistered(pgm_id=read.pgm_id, documents=_refs(read.documents))


def _documents_removed(payload: object) -> DocumentsRemoved:
    read = msgspec.convert(payload, _DocumentsRemoved)
    return DocumentsRemoved(pgm_id=read.pgm_id, documents=_refs(read.documents), prefix=read.prefix)


def _program_deleted(payload: object) -> ProgramDeleted:
    return ProgramDeleted(pgm_id=msgspec.convert(payload, _ProgramDeleted).pgm_id)


def _revision_superseded(payload: object) -> RevisionSuperseded:
    read = msgspec.convert(payload, _RevisionSuperseded)
    return RevisionSuperseded(pgm_id=read.pgm_id, revision=read.revision)


_READERS: Mapping[str, Callable[[Any], Event]] = {
    EventKind.DOCUMENTS_REGISTERED: _documents_registered,
    EventKind.DOCUMENTS_REMOVED: _documents_removed,
    EventKind.PROGRAM_DELETED: _program_deleted,
    EventKind.REVISION_SUPERSEDED: _revision_superseded,
}
