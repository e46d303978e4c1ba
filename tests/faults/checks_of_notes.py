"""Are the further documents that stand the ones that were sent last, and nothing else of any?"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache

from adapters.plc_files.further_passages import read_passages
from domain.upload import UploadLimits
from faults.evidence import Evidence, Row
from faults.history import History, Note, Operation, Outcome

NOTE = "PGM_FURTHER_DOCUMENT"


def lost_notes(evidence: Evidence, history: History, allowed_failures: AbstractSet[str]) -> Iterator[str]:
    """I1: what was accepted stands, unless somebody removed it, and is indexed."""
    standing = {(row["pgm_id"], row["document_name"]): row for row in evidence.notes}
    may_be_gone = {each.document_id for each in history.of("remove", Outcome.OK, Outcome.UNKNOWN)}
    for added in history.of("add", Outcome.OK):
        assert added.note
        row = standing.get((added.pgm_id, added.note.name))
        if row is None and added.pgm_id in evidence.live and added.document_id not in may_be_gone:
            yield f"{added.document_id} was accepted and is gone"
        if row is not None and row["sha256"] == added.note.sha256 and (later := _later(added, history)):
            yield f"{row['document_id']} is as it was before {later.key}"
    for row in evidence.notes:
        if row["state"] != "indexed" and not (row["state"] == "failed" and row["failure_code"] in allowed_failures):
            yield f"{row['document_id']} is {row['state']} ({row['failure_code']})"


def unsent_notes(evidence: Evidence, history: History) -> Iterator[str]:
    """I2: nobody was told that it was taken, or may believe it."""
    for row in evidence.notes:
        if _note_of(row, history) is None:
            yield f"{row['document_id']} was sent by nobody"


def unremoved_notes(evidence: Evidence, history: History) -> Iterator[str]:
    """I4: what was removed is gone from everywhere, and from every answer since."""
    known = {row["document_id"] for row in evidence.tables["documents"]}
    for removed in history.of("remove", Outcome.OK):
        if removed.document_id in known:
            yield f"{removed.document_id} was removed and is there"
        for search in history.of("search", Outcome.OK):
            if search.began_s > removed.ended_s and removed.document_id in search.found:
                yield f"{removed.document_id} was found after it was removed"
    for name, rows in evidence.rows_in_milvus.items():
        strays = {row["document_id"] for row in rows if row["pgm_id"] in evidence.live} - known
        yield from (f"{name} holds chunks of {document_id}, which is gone" for document_id in sorted(strays))


def passages_of(row: Row, history: History) -> int:
    """How many chunks it must have."""
    note = _note_of(row, history)
    return _passages(note.content, note.name) if note else int(row["chunk_count"])


def _note_of(row: Row, history: History) -> Note | None:
    sent: Sequence[Operation] = history.of("add", Outcome.OK, Outcome.UNKNOWN)
    notes = (each.note for each in sent if each.note and each.pgm_id == row["pgm_id"])
    wanted = row["document_name"], row["sha256"]
    return next((note for note in notes if (note.name, note.sha256) == wanted), None)


def _later(added: Operation, history: History) -> Operation | None:
    """One of the same name that was begun after it and taken, of other bytes."""
    assert added.note
    for each in history.of("add", Outcome.OK):
        is_of_its_name = each.note and (each.pgm_id, each.note.name) == (added.pgm_id, added.note.name)
        if is_of_its_name and each.began_s > added.ended_s and each.note != added.note:
            return each
    return None


@lru_cache(maxsize=1_000)
def _passages(content: bytes, name: str) -> int:
    return len(read_passages(content, name, UploadLimits()))
