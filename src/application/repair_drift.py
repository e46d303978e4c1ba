"""Have what drifted apart mended by the workers: decided in the record, done through the outbox."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from domain.document import DocumentRef
from domain.drift import Drift, DriftKind
from domain.events import DocumentsRegistered, Event, ProgramDeleted, batched
from domain.ports.unit_of_work import Transaction, UnitOfWork
from domain.registration import revision_of

_INDEXED_ANEW = {
    DriftKind.CHUNKS_MISCOUNTED,
    DriftKind.INDEX_UNRECORDED,
    DriftKind.VECTORS_MISSING,
    DriftKind.VECTORS_SURPLUS,
    DriftKind.BLOB_MISSING,
    DriftKind.BLOB_WRONG_SIZE,
    DriftKind.BLOB_CORRUPT,
}
_FORGOTTEN = {DriftKind.USES_MISCOUNTED}
_REMOVED = {DriftKind.VECTORS_STALE, DriftKind.VECTORS_UNOWNED}


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairDrift:
    """Every decision is taken against the record as it is now: a document that moved on meanwhile is left alone.

    A new generation makes whatever an index holds for the old one stale, and the event names both: whoever
    handles it indexes what is current and removes the rest.
    """

    unit_of_work: UnitOfWork

    async def __call__(self, drifts: Sequence[Drift]) -> int:
        """Record the events that mend these; how many events. One transaction for each program.

        Uses need none, for workers look for documents without any; and a transaction of their own, so that documents
        are locked in the order of their ids.
        """
        events = 0
        for pgm_id, group in groupby(sorted(drifts, key=lambda drift: drift.pgm_id), key=lambda drift: drift.pgm_id):
            of_one = list(group)
            async with self.unit_of_work.begin() as transaction:
                decided = await _decide(transaction, pgm_id, of_one)
                events += len(await transaction.outbox.add(decided))
            if miscounted := [drift.document for drift in of_one if drift.document and drift.kind in _FORGOTTEN]:
                async with self.unit_of_work.begin() as transaction:
                    await transaction.uses.forget(miscounted)
        return events


async def _decide(transaction: Transaction, pgm_id: str, drifts: Sequence[Drift]) -> list[Event]:
    stale = [drift.document for drift in drifts if drift.document and drift.kind in _REMOVED]
    stuck = [drift.document for drift in drifts if drift.document and drift.kind is DriftKind.DOCUMENT_STUCK]
    anew = {drift.document for drift in drifts if drift.document and _is_to_be_read(drift)}
    failing = {drift.document: drift.failure for drift in drifts if drift.document and drift.failure}
    restarted = {ref.document_id: ref for ref in await transaction.documents.restart([*(anew | failing.keys())])}
    await transaction.documents.mark_failed(
        [(now, failure) for ref, failure in failing.items() if (now := restarted.pop(ref.document_id, None))]
    )
    named = dict.fromkeys((*restarted.values(), *anew, *failing, *stale, *stuck))
    events: list[Event] = list(_naming(named, pgm_id))
    if any(drift.kind is DriftKind.PURGE_MISSING for drift in drifts):
        events.append(ProgramDeleted(pgm_id=pgm_id))
    return events


def _is_to_be_read(drift: Drift) -> bool:
    return drift.kind in _INDEXED_ANEW and drift.failure is None


def _naming(refs: Iterable[DocumentRef], pgm_id: str) -> list[DocumentsRegistered]:
    """Revisions apart, for each has a template and comments of its own. How many rungs they have is not known here."""
    revisions = groupby(sorted(refs, key=revision_of), key=revision_of)
    return [event for _, of_one in revisions for event in batched([(ref, 1) for ref in of_one], pgm_id=pgm_id)]
