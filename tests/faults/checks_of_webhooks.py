"""Has every webhook been told of everything that happened, and of nothing else?"""

from collections.abc import Iterator

from faults.evidence import Evidence
from faults.history import History, Outcome, Received

Event = tuple[str, str, int]
"""Kind, program, revision."""


def untold(evidence: Evidence, history: History) -> Iterator[str]:
    """I1: each event is recorded for the webhook that is told everything, and has arrived or is dead."""
    if history.told_since is None:
        return
    told = {(row["kind"], row["pgm_id"], row["revision"]) for row in evidence.tables["webhook_deliveries"]}
    for event in _due(evidence, history):
        if event not in told:
            yield f"nobody was told that {event[1]} was {event[0]}, revision {event[2]}"
    taken = {each.delivery_id for each in history.received if each.is_taken}
    for row in evidence.tables["webhook_deliveries"]:
        if row["done_at"] is not None and row["delivery_id"] not in taken:
            yield f"delivery {row['delivery_id']} ({row['kind']}) is recorded as done and has not arrived"


def untrue_events(evidence: Evidence, history: History) -> Iterator[str]:
    """I2: of a program that nobody registered, or under an id that is not recorded."""
    known = {row["pgm_id"] for row in evidence.tables["programs"]}
    recorded = {row["delivery_id"]: row for row in evidence.tables["webhook_deliveries"]}
    for row in recorded.values():
        if row["pgm_id"] not in known:
            yield f"delivery {row['delivery_id']} tells of {row['pgm_id']}, which is unknown"
    webhooks = {row["webhook_id"] for row in evidence.tables["webhooks"]}
    for each in history.received:
        known_as = recorded.get(each.delivery_id)
        if known_as is None and webhooks:
            yield f"{each.delivery_id} was sent and is not recorded"
        elif known_as and (known_as["kind"], known_as["pgm_id"], known_as["revision"]) != _said(each):
            yield f"{each.delivery_id} says something else than is recorded"


def silent_deaths(evidence: Evidence, dead_deliveries: int) -> Iterator[str]:
    """I9: how many may be dead, and that each says why."""
    dead = [row for row in evidence.tables["webhook_deliveries"] if row["dead_at"] is not None]
    if len(dead) > dead_deliveries:
        yield f"{len(dead)} deliveries are dead, as {dead[0]['delivery_id']}: {dead[0]['last_error']}"
    yield from (f"delivery {row['delivery_id']} is dead and nobody knows why" for row in dead if not row["last_error"])


def _due(evidence: Evidence, history: History) -> Iterator[Event]:
    since = history.operations[history.told_since or 0 :]
    for each in since:
        if each.outcome is Outcome.OK and each.kind == "upload":
            yield "registered", each.pgm_id, 1
        elif each.outcome is Outcome.OK and each.kind == "replace" and each.status == 201:
            yield "registered", each.pgm_id, each.revision
    begun = {each.pgm_id for each in since if each.kind in {"upload", "replace", "add"}}
    for pgm_id, program in evidence.live.items():
        rows = [row for row in evidence.tables["documents"] if row["pgm_id"] == pgm_id]
        if pgm_id in begun and rows:
            kind = "failed" if any(row["state"] == "failed" for row in rows) else "indexed"
            yield kind, pgm_id, program["latest_revision"]
    latest = {row["pgm_id"]: row["latest_revision"] for row in evidence.tables["programs"]}
    for each in since:
        if each.kind == "delete" and each.outcome is Outcome.OK and each.pgm_id in latest:
            yield "deleted", each.pgm_id, latest[each.pgm_id]


def _said(received: Received) -> Event:
    return received.kind, received.pgm_id, received.revision
