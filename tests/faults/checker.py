"""The one checker: once things are quiet, is everything that was promised true of everything that is there?

The invariants are I1 to I6 and I9 of the fault matrix. I7 (bounded) and I8 (isolated) are about time and load on
the way: of them only the attempts of events show afterwards, the rest is for the tests that make the load.
What it asks of further documents, of uses of devices and of webhooks stands in modules of their own.
"""

import re
import time
from asyncio import sleep
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import asyncpg

from faults.checks_of_notes import NOTE, lost_notes, passages_of, unremoved_notes, unsent_notes
from faults.checks_of_uses import uses_of_the_gone, wrong_uses
from faults.checks_of_webhooks import silent_deaths, untold, untrue_events
from faults.evidence import Evidence, Places, Row, gathered, twice, unfinished
from faults.history import Files, History, Outcome

LADDER, TEMPLATE, ARCHIVE = "PGM_LADDER_CSV", "PGM_TEMPLATE_FILE", "PGM_LADDER_ZIP"
_UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise that does not hold, by its number in the fault matrix."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What a test provokes: codes that documents may fail with, events that may be dead, programs with one key."""

    failures: AbstractSet[str] = frozenset()
    dead_events: int = 0
    dead_deliveries: int = 0
    most_attempts: int = 31
    retried_uploads: bool = False


async def check(places: Places, history: History, *, within_s: float = 45.0, allowed: Allowed = Allowed()) -> Evidence:
    """Wait until things are quiet, at most so long, and read and judge everything. Fails with every violation."""
    late = await _quiet(places, within_s=within_s)
    evidence = await gathered(places)
    violations = [*late, *judged(evidence, history, allowed=allowed)]
    assert not violations, "\n".join(map(str, violations[:40]))
    return evidence


async def violations_of(places: Places, history: History, *, allowed: Allowed = Allowed()) -> set[str]:
    """The numbers of the invariants that do not hold now, without waiting."""
    late = [Violation(invariant="I1", what=what) for what in await unfinished(places)]
    return {each.invariant for each in (*late, *judged(await gathered(places), history, allowed=allowed))}


async def _quiet(places: Places, *, within_s: float) -> list[Violation]:
    give_up_at = time.monotonic() + within_s
    while True:
        try:
            waiting = await unfinished(places)
        except _UNREACHABLE as error:
            waiting = [f"postgres does not answer: {error}"]
        if not waiting or time.monotonic() > give_up_at:
            return [Violation(invariant="I1", what=f"after {within_s} s: {what}") for what in waiting]
        await sleep(0.1)


def judged(evidence: Evidence, history: History, *, allowed: Allowed) -> Iterator[Violation]:
    """Every violation that the evidence shows."""
    for invariant, found in (
        ("I1", _lost(evidence, history, allowed)),
        ("I1", lost_notes(evidence, history, allowed.failures)),
        ("I1", untold(evidence, history)),
        ("I2", _unaccepted(evidence, history, allowed)),
        ("I2", unsent_notes(evidence, history)),
        ("I2", untrue_events(evidence, history)),
        ("I3", _not_one_truth(evidence, history)),
        ("I4", _undeleted(evidence, history)),
        ("I4", unremoved_notes(evidence, history)),
        ("I4", (f"of what is gone there are still {what}" for what in uses_of_the_gone(evidence))),
        ("I5", _other_bytes(evidence, history)),
        ("I6", _untrue(history)),
        ("I7", _unbounded(evidence, allowed)),
        ("I9", _illegible(evidence, allowed)),
        ("I9", silent_deaths(evidence, allowed.dead_deliveries)),
    ):
        yield from (Violation(invariant=invariant, what=what) for what in found)


def _lost(evidence: Evidence, history: History, allowed: Allowed) -> Iterator[str]:
    known = {row["pgm_id"] for row in evidence.tables["programs"]}
    deleted = {operation.pgm_id for operation in history.of("delete", Outcome.OK, Outcome.UNKNOWN)}
    for pgm_id in history.accepted:
        if pgm_id not in known:
            yield f"{pgm_id} was accepted and is unknown"
        elif pgm_id not in evidence.live:
            if pgm_id not in deleted:
                yield f"{pgm_id} was accepted and is deleted, which nobody asked for"
        else:
            yield from _lost_documents(evidence, history, pgm_id, allowed)
    for replaced in history.of("replace", Outcome.OK):
        program = evidence.live.get(replaced.pgm_id)
        if program and program["revision"] < replaced.revision and not allowed.failures:
            yield f"revision {replaced.revision} of {replaced.pgm_id} was accepted and never took its place"


def _lost_documents(evidence: Evidence, history: History, pgm_id: str, allowed: Allowed) -> Iterator[str]:
    files = _standing(evidence, history, pgm_id)
    documents = evidence.documents_of(pgm_id)
    have = sorted((row["document_type"], row["logic_id"]) for row in documents)
    want = sorted([(ARCHIVE, ""), (TEMPLATE, ""), *((LADDER, logic_id) for logic_id in files.logics)])
    if have != want:
        yield f"{pgm_id} has {len(have)} documents, not {len(want)}"
    for row in documents:
        good = "skipped" if row["document_type"] == ARCHIVE else "indexed"
        if row["state"] != good and not (row["state"] == "failed" and row["failure_code"] in allowed.failures):
            yield f"{row['document_id']} is {row['state']} ({row['failure_code']})"


def _standing(evidence: Evidence, history: History, pgm_id: str) -> Files:
    """The files that a program must have now: those that were accepted as its revision, or one of unknown outcome."""
    sent = history.sent(pgm_id)
    revision = evidence.live[pgm_id]["revision"]
    recorded = {row["sha256"] for row in evidence.documents_of(pgm_id) if row["document_type"] == ARCHIVE}
    possible = [each.files for each in sent if each.revision == revision] or [
        each.files for each in sent if each.outcome is Outcome.UNKNOWN
    ]
    files = [each for each in possible or [sent[0].files] if each]
    return next((each for each in files if each.sha256s[ARCHIVE] in recorded), files[0])


def _unaccepted(evidence: Evidence, history: History, allowed: Allowed) -> Iterator[str]:
    asked = {operation.key: operation for operation in history.of("upload")}
    for row in evidence.tables["programs"]:
        operation = asked.get(row["pgm_name"])
        if operation is None or operation.outcome is Outcome.FAILED:
            yield f"{row['pgm_id']} is registered, and nobody was told so or may believe it"
    if not allowed.retried_uploads:
        yield from (
            f"two programs of one upload: {key}" for key in twice([r["pgm_name"] for r in evidence.tables["programs"]])
        )
    yield from _unowned_blobs(evidence)
    programs = {row["pgm_id"] for row in evidence.tables["programs"]}
    for name, rows in evidence.rows_in_milvus.items():
        yield from (f"{row['chunk_id']} in {name} is of no program" for row in rows if row["pgm_id"] not in programs)
    events = {str(row["event_id"]) for row in evidence.tables["outbox"]}
    yield from (
        f"job {job} is of no event" for job in evidence.queue if job.split(":")[1:2] and job.split(":")[1] not in events
    )


def _unowned_blobs(evidence: Evidence) -> Iterator[str]:
    owned = set()
    for row in evidence.tables["documents"]:
        own = f"programs/{row['pgm_id']}/r{row['revision']}/ladder_files/{row['logic_id']}.csv"
        owned |= {row["blob_key"], own} if row["document_type"] == LADDER else {row["blob_key"]}
    under_way = tuple(f"{row['prefix']}/" for row in evidence.tables["uploads"])  # the sweeper knows of these
    deleted = {row["pgm_id"] for row in evidence.tables["programs"] if row["deleted_dt"] is not None}
    for key in evidence.blobs:
        if not key.startswith("programs/") or key in owned or key.startswith(under_way or ("\0",)):
            continue
        if key.split("/")[1] not in deleted:  # those are for I4
            yield f"nobody owns the blob {key}"


def _not_one_truth(evidence: Evidence, history: History) -> Iterator[str]:
    indexed = {
        row["document_id"]: row
        for row in evidence.tables["documents"]
        if row["pgm_id"] in evidence.live and row["state"] == "indexed"
    }
    yield from _miscounted(evidence, history, indexed)
    yield from wrong_uses(evidence, indexed)
    if not evidence.rows_in_milvus and any(row["chunk_count"] for row in indexed.values()):
        yield "there is no collection"
    for name, rows in evidence.rows_in_milvus.items():
        (rendering,) = re.findall(r"_r(\d+)", name)
        wanted = _chunk_ids(evidence, indexed, rendering=int(rendering))
        held = defaultdict(list)
        for row in rows:
            held[row["document_id"]].append(row["chunk_id"])
        for document_id in wanted.keys() | (held.keys() & _live_documents(evidence)):
            yield from _differing(document_id, wanted.get(document_id, frozenset()), held.get(document_id, []))


def _differing(document_id: str, wanted: AbstractSet[str], held: Sequence[str]) -> Iterator[str]:
    if missing := wanted - set(held):
        yield f"{document_id} lacks {len(missing)} of {len(wanted)} chunks, as {min(missing)}"
    if surplus := set(held) - wanted:
        yield f"{document_id} has {len(surplus)} chunks too many, as {min(surplus)}"
    if doubles := twice(held):
        yield f"{document_id} holds {len(doubles)} chunks twice, as {doubles[0]}"


def _miscounted(evidence: Evidence, history: History, indexed: Mapping[str, Row]) -> Iterator[str]:
    in_postgres = _chunk_ids(evidence, indexed, rendering=None)
    recorded = {(row["document_id"], row["generation"]) for row in evidence.tables["indexed_documents"]}
    for document_id, row in indexed.items():
        have = len(in_postgres.get(document_id, frozenset()))
        want = _chunks_of(evidence, history, row)
        if not have == row["chunk_count"] == want:
            yield f"{document_id} has {have} chunks, is said to have {row['chunk_count']}, and must have {want}"
        if (document_id, row["generation"]) not in recorded:
            yield f"{document_id} is indexed and no index is recorded to hold it"


def _chunks_of(evidence: Evidence, history: History, row: Row) -> int:
    """How many it must have; of what nobody was told, as many as it says."""
    if row["document_type"] == NOTE:
        return passages_of(row, history)
    if row["pgm_id"] not in history.accepted:
        return int(row["chunk_count"])
    return _rungs(_standing(evidence, history, row["pgm_id"]), row)


def _rungs(files: Files, row: Row) -> int:
    if row["document_type"] == TEMPLATE:
        return len(files.logics)
    logic = files.logics.get(row["logic_id"])
    return logic.rungs if logic else 0


def _chunk_ids(
    evidence: Evidence, indexed: Mapping[str, Row], *, rendering: int | None
) -> Mapping[str, AbstractSet[str]]:
    found: dict[str, set[str]] = {}
    for chunk in evidence.tables["chunks"]:
        document = indexed.get(chunk["document_id"])
        is_current = document is not None and chunk["generation"] == document["generation"]
        if is_current and rendering in {None, chunk["rendering_version"]}:
            found.setdefault(chunk["document_id"], set()).add(chunk["chunk_id"])
    return found


def _live_documents(evidence: Evidence) -> set[str]:
    return {row["document_id"] for row in evidence.tables["documents"] if row["pgm_id"] in evidence.live}


def _undeleted(evidence: Evidence, history: History) -> Iterator[str]:
    for operation in history.of("delete", Outcome.OK):
        if operation.pgm_id in evidence.live:
            yield f"{operation.pgm_id} was deleted and is alive"
    deleted = {row["pgm_id"]: row for row in evidence.tables["programs"] if row["deleted_dt"] is not None}
    for pgm_id, row in deleted.items():
        if row["purged_dt"] is None:
            yield f"{pgm_id} is deleted and not purged"
    left = [f"document {row['document_id']}" for row in evidence.tables["documents"] if row["pgm_id"] in deleted]
    left += [f"blob {key}" for key in evidence.blobs if key.startswith("programs/") and key.split("/")[1] in deleted]
    for name, rows in evidence.rows_in_milvus.items():
        left += [f"{row['chunk_id']} in {name}" for row in rows if row["pgm_id"] in deleted]
    yield from (f"of a deleted program there is still {what}" for what in left)
    ended_at = {each.pgm_id: each.ended_s for each in history.of("delete", Outcome.OK)}
    for search in history.of("search", Outcome.OK):
        for pgm_id in set(search.hits):
            if ended_at.get(pgm_id, float("inf")) < search.began_s:
                yield f"{pgm_id} was found after it was deleted"


def _other_bytes(evidence: Evidence, history: History) -> Iterator[str]:
    for row in evidence.tables["documents"]:
        if row["pgm_id"] not in evidence.live or row["state"] == "failed":
            continue
        stored = evidence.blobs.get(row["blob_key"])
        if stored is None:
            yield f"the bytes of {row['document_id']} are gone"
        elif row["member"] is None and (stored.sha256, stored.size_bytes) != (row["sha256"], row["size_bytes"]):
            yield f"the bytes of {row['document_id']} are not those that are recorded"
        is_known = row["pgm_id"] in history.accepted and row["document_type"] != NOTE
        if is_known and row["sha256"] != _sent(_standing(evidence, history, row["pgm_id"]), row):
            yield f"what is recorded of {row['document_id']} is not what was sent"


def _sent(files: Files, row: Row) -> str:
    if row["document_type"] == LADDER:
        logic = files.logics.get(row["logic_id"])
        return logic.sha256 if logic else "never sent"
    return files.sha256s[row["document_type"]]


def _untrue(history: History) -> Iterator[str]:
    for each in history.operations:
        if each.status >= 500 and each.status != 503:
            yield f"{each.kind} {each.key} was answered {each.status}"
        if each.status == 503 and not each.retry_after:
            yield f"{each.kind} {each.key} was answered 503 without Retry-After"
    was_indexed_at = {
        each.pgm_id: each.ended_s
        for each in reversed(history.of("status", Outcome.OK))
        if each.body["status"] == "indexed"
    }
    hidden_by = sorted([*history.of("delete"), *history.of("retry")], key=lambda each: each.began_s)
    may_be_hidden_at = {each.pgm_id: each.began_s for each in reversed(hidden_by)}
    for search in history.of("search", Outcome.OK):
        is_there = was_indexed_at.get(search.pgm_id, float("inf")) < search.began_s
        is_kept = may_be_hidden_at.get(search.pgm_id, float("inf")) > search.ended_s
        if search.pgm_id and is_there and is_kept and search.pgm_id not in search.hits:
            yield f"{search.pgm_id} is indexed, and a search of it was answered with nothing"


def _unbounded(evidence: Evidence, allowed: Allowed) -> Iterator[str]:
    for row in evidence.tables["outbox"]:
        if row["attempts"] > allowed.most_attempts:
            yield f"event {row['event_id']} was begun {row['attempts']} times"
    for row in evidence.tables["webhook_deliveries"]:
        if row["attempts"] > allowed.most_attempts:
            yield f"delivery {row['delivery_id']} was begun {row['attempts']} times"


def _illegible(evidence: Evidence, allowed: Allowed) -> Iterator[str]:
    dead = [row for row in evidence.tables["outbox"] if row["dead_at"] is not None]
    if len(dead) > allowed.dead_events:
        yield f"{len(dead)} events are dead, as {dead[0]['event_id']}: {dead[0]['last_error']}"
    yield from (f"event {row['event_id']} is dead and nobody knows why" for row in dead if not row["last_error"])
    for row in evidence.tables["documents"]:
        if row["state"] == "failed" and not row["failure_code"]:
            yield f"{row['document_id']} failed without a code"
