"""Drift: where the system of record and the stores beside it do not agree, and what each kind of it means."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest

from domain.document import Document, DocumentRef, Failure

IDS_SHOWN = 10


class DriftKind(StrEnum):
    """What does not agree; the values are stable, for scripts."""

    DOCUMENT_STUCK = "document_stuck"
    CHUNKS_MISCOUNTED = "chunks_miscounted"
    USES_MISCOUNTED = "uses_miscounted"
    INDEX_UNRECORDED = "index_unrecorded"
    VECTORS_MISSING = "vectors_missing"
    VECTORS_SURPLUS = "vectors_surplus"
    VECTORS_OF_FAILED = "vectors_of_failed"
    VECTORS_STALE = "vectors_stale"
    VECTORS_UNOWNED = "vectors_unowned"
    BLOB_MISSING = "blob_missing"
    BLOB_WRONG_SIZE = "blob_wrong_size"
    BLOB_CORRUPT = "blob_corrupt"
    BLOB_ORPHAN = "blob_orphan"
    UPLOAD_ABANDONED = "upload_abandoned"
    PURGE_MISSING = "purge_missing"

    @property
    def meaning(self) -> str:
        """What is wrong, for people."""
        return _MEANINGS[self]

    @property
    def remedy(self) -> str:
        """What a repair does about it, for people."""
        return _REMEDIES[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One disagreement.

    `document` is at the generation it was found at: who mends it must find it there still. `ids` are chunk ids,
    blob keys or a blob prefix, at most IDS_SHOWN of `count`. With `failure` nothing can be read anew: a repair
    records that.
    """

    kind: DriftKind
    pgm_id: str
    document: DocumentRef | None = None
    ids: tuple[str, ...] = ()
    count: int = 1
    failure: Failure | None = None

    @property
    def about(self) -> "tuple[DriftKind, DocumentRef | None]":
        """What it is about, however much of it there is."""
        return self.kind, self.document


def about(kind: DriftKind, document: Document, ids: Collection[str] = (), *, failure: Failure | None = None) -> Drift:
    """Drift of a document at its present generation."""
    return Drift(
        kind=kind,
        pgm_id=document.pgm_id,
        document=document.ref,
        ids=sample(ids),
        count=max(1, len(ids)),
        failure=failure,
    )


def sample(ids: Collection[str]) -> tuple[str, ...]:
    """The first of them that are shown."""
    return tuple(nsmallest(IDS_SHOWN, ids))


_INDEXED_ANEW = "indexes the document anew"
_VECTORS_REMOVED = "has a worker remove them, unless they are current by then"
_BLOB_READ_ANEW = (
    "indexes a ladder anew, which fails visibly while its bytes are lost; any other document fails at once"
)
_COLLECTED = "nothing: `ladderbase gc` removes it, unless it stands among the blobs of a live program"

_MEANINGS: Mapping[DriftKind, str] = {
    DriftKind.DOCUMENT_STUCK: "the document is unfinished, and no event would ever move it",
    DriftKind.CHUNKS_MISCOUNTED: "the document has another number of chunks than was recorded",
    DriftKind.USES_MISCOUNTED: "the document does another number of things to devices than was recorded",
    DriftKind.INDEX_UNRECORDED: "the document is indexed, and not recorded in the index that is complete",
    DriftKind.VECTORS_MISSING: "the document is indexed, and the index lacks chunks of it",
    DriftKind.VECTORS_SURPLUS: "the index holds chunks that the document does not have",
    DriftKind.VECTORS_OF_FAILED: "the index holds chunks of a document that is not indexed",
    DriftKind.VECTORS_STALE: "the index holds chunks of a generation that was superseded",
    DriftKind.VECTORS_UNOWNED: "the index holds chunks of a document that is deleted or unknown",
    DriftKind.BLOB_MISSING: "the document's bytes are not in the blob store",
    DriftKind.BLOB_WRONG_SIZE: "the blob is longer or shorter than the document",
    DriftKind.BLOB_CORRUPT: "the blob holds other bytes than were uploaded",
    DriftKind.BLOB_ORPHAN: "no document, program or upload owns the blobs, and they are older than a day",
    DriftKind.UPLOAD_ABANDONED: "an upload was begun, and neither finished nor cleaned up after",
    DriftKind.PURGE_MISSING: "the program is deleted, and no event would ever purge it",
}

_REMEDIES: Mapping[DriftKind, str] = {
    DriftKind.DOCUMENT_STUCK: "adds an event for its present generation",
    DriftKind.CHUNKS_MISCOUNTED: _INDEXED_ANEW,
    DriftKind.USES_MISCOUNTED: "forgets what it does to devices: a worker reads it again for that, embedding nothing",
    DriftKind.INDEX_UNRECORDED: _INDEXED_ANEW,
    DriftKind.VECTORS_MISSING: _INDEXED_ANEW,
    DriftKind.VECTORS_SURPLUS: _INDEXED_ANEW,
    DriftKind.VECTORS_OF_FAILED: "raises the document's generation, failed as it is, and " + _VECTORS_REMOVED,
    DriftKind.VECTORS_STALE: _VECTORS_REMOVED,
    DriftKind.VECTORS_UNOWNED: _VECTORS_REMOVED,
    DriftKind.BLOB_MISSING: _BLOB_READ_ANEW,
    DriftKind.BLOB_WRONG_SIZE: _BLOB_READ_ANEW,
    DriftKind.BLOB_CORRUPT: _BLOB_READ_ANEW,
    DriftKind.BLOB_ORPHAN: _COLLECTED,
    DriftKind.UPLOAD_ABANDONED: _COLLECTED,
    DriftKind.PURGE_MISSING: "adds the event that purges it",
}
