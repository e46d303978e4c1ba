"""How the service stands, in lines for people."""

from collections.abc import Iterator
from datetime import datetime

from entrypoints.cli.problems import Answer

_WAITS_FOR = {
    "worker": "it waits for a free worker",
    "work_under_way": "a worker is at it",
    "next_attempt": "it is tried again",
    "operator": "nobody tries it any more: see `ladderbase retry`",
}


def standing_lines(operations: Answer) -> Iterator[str]:
    """One line for each: documents, what waits longest, outbox, indexes, uploads, webhooks, what is not ready."""
    counts = ", ".join(f"{count} {state}" for state, count in operations["documents"].items() if count)
    yield f"documents: {counts or 'none'}"
    if operations["oldest"]:
        yield from _oldest(operations["oldest"], datetime.fromisoformat(operations["as_of_dt"]))
    yield _outbox(operations["outbox"])
    yield from map(_index, operations["indexes"])
    if operations["uploads"]:
        yield f"uploads under way: {operations['uploads']}"
    if any(operations.get("webhooks", {}).values()):
        yield _webhooks(operations["webhooks"])
    for found in operations.get("dependencies", ()):  # a service of a version before does not tell
        yield f"{found['dependency']}: {found['state']}" + (f", {found['text']}" if found["text"] else "")


def _webhooks(webhooks: Answer) -> str:
    told = f"webhooks: {webhooks['pending']} deliveries pending, {webhooks['dead']} dead"
    return f"{told}, {webhooks['disabled']} switched off" if webhooks["disabled"] else told


def _oldest(document: Answer, now: datetime) -> Iterator[str]:
    what_for = _WAITS_FOR[document["waits_for"]]
    if document["waits_for"] == "next_attempt":
        next_s = (datetime.fromisoformat(document["next_attempt_dt"]) - now).total_seconds()
        what_for += f" in {_span(next_s)}"
        if document["attempts"]:  # what waits for a setting to be mended has spent none
            what_for += f", after {document['attempts']} attempts"
    yield f"waiting for {_span(document['age_s'])}: {document['document_id']} {document['document_name']}, {what_for}"
    if failure := document["last_failure"]:
        yield f"  its last attempt failed at {failure['stage']}: {failure['code']}, {failure['message']}"


def _outbox(outbox: Answer) -> str:
    told = (
        f"events: {outbox['pending']} pending ({outbox['due']} due, {outbox['leased']} leased), {outbox['dead']} dead"
    )
    return told if outbox["oldest_age_s"] is None else f"{told}, the oldest waits for {_span(outbox['oldest_age_s'])}"


def _index(index: Answer) -> str:
    name = f"{index['model']}, {index['dimension']} dimensions, rendering {index['rendering_version']}"
    state = "complete" if index["complete"] else "being built" if index["building"] else "incomplete"
    held = f"{index['held']} of {index['total']} documents"
    return f"index: {name}: {state}, {held}" + ("" if index["current"] else ", not the current one")


def _span(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
