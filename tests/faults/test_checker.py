"""The checker bites: every violation that is made by hand is named, and nothing else is."""

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from builders.real_servers import RealServers
from faults.checker import Allowed, check, judged, violations_of
from faults.conftest import TEMPLATE
from faults.evidence import gathered
from faults.history import Client, Operation, Outcome, some_files, some_note
from faults.nursery import Nursery
from faults.receiver import a_receiver
from faults.site import Site, a_site

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIVE, DELETED, DOCUMENT, NOTE = "PGM_1", "PGM_2", "PGM_1-r1-0002", "PGM_1-r0-0001"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(servers: RealServers, nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One program that is indexed, with further documents, and one that is purged, all told; nobody at work."""
    async with (
        a_site(servers, nursery, tmp_path_factory.mktemp("site"), TEMPLATE) as site,
        a_receiver(site.history) as receiver,
    ):
        api, worker = site.api(), site.worker()
        async with site.client(api) as client:
            await receiver.subscribe(api)
            await _live_through(client, site)
        worker.kill()
        api.kill()
        yield site


async def _live_through(client: Client, site: Site) -> None:
    chance = random.Random(7)
    for _ in range(2):
        uploaded = await client.upload(some_files(chance, logics=2, rungs=3))
        assert uploaded.outcome is Outcome.OK
    for _ in range(2):
        await client.add(LIVE, some_note(chance))
    await client.delete(DELETED)
    await check(site.places, site.history)
    await client.status(LIVE)


async def test_a_site_where_all_is_well_has_no_violation(site: Site) -> None:
    assert await violations_of(site.places, site.history) == set()


Tampering = Callable[[Site], AbstractAsyncContextManager[object]]


def _by_sql(tampering: str, mending: str) -> Tampering:
    @asynccontextmanager
    async def tamper(site: Site) -> AsyncIterator[None]:
        await site.script(tampering)
        try:
            yield
        finally:
            await site.script(mending)

    return tamper


def _of_a_file(key: str, change: Callable[[bytes], bytes | None]) -> Tampering:
    @asynccontextmanager
    async def tamper(site: Site) -> AsyncIterator[None]:
        path = site.places.blobs / "objects" / key
        before = path.read_bytes() if path.exists() else None
        after = change(before or b"")
        _write(path, after)
        try:
            yield
        finally:
            _write(path, before)

    return tamper


def _write(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _of_a_row(change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Tampering:
    """Put another row in the place of one of the live document's in Milvus (None: none), or beside it."""

    @asynccontextmanager
    async def tamper(site: Site) -> AsyncIterator[None]:
        with site.milvus() as (milvus, name):
            before = milvus.query(
                name, filter=f'document_id == "{DOCUMENT}"', output_fields=["*"], consistency_level="Strong"
            )[0]
            before.pop("lexical", None)
            after = change(dict(before))
            if after is None:
                milvus.delete(name, ids=[before["chunk_id"]])
            else:
                milvus.upsert(name, [after])
            try:
                yield
            finally:
                if after is not None and after["chunk_id"] != before["chunk_id"]:
                    milvus.delete(name, ids=[after["chunk_id"]])
                milvus.upsert(name, [before])

    return tamper


def _told(**facts: Any) -> Tampering:
    """An operation that no client had."""

    @asynccontextmanager
    async def tamper(site: Site) -> AsyncIterator[None]:
        now = time.monotonic()
        operation = Operation(**{"key": "k", "began_s": now, "ended_s": now, **facts})
        site.history.operations.append(operation)
        try:
            yield
        finally:
            site.history.operations.remove(operation)

    return tamper


def _both(first: Tampering, second: Tampering) -> Tampering:
    @asynccontextmanager
    async def tamper(site: Site) -> AsyncIterator[None]:
        async with first(site), second(site):
            yield

    return tamper


@asynccontextmanager
async def _never_arrived(site: Site) -> AsyncIterator[None]:
    received = site.history.received.pop()
    try:
        yield
    finally:
        site.history.received.append(received)


_A_USE = "(SELECT min(use_id) FROM device_uses)"
_A_DELIVERY = "(SELECT min(delivery_id) FROM webhook_deliveries)"
_STRANGER = (
    "INSERT INTO programs (pgm_id, pgm_number, pgm_name, create_user, pgm_version, description, notes, revision)"
    " VALUES ('PGM_900', 900, 'nobody sent this', 'x', '', '', '', 1)"
)
_OWN = f"programs/{LIVE}/r1/ladder_files/0000_11.csv"

TAMPERINGS: dict[str, tuple[str, Tampering]] = {
    "a document that nobody works on": (
        "I1 I3",  # its chunks are those of a document that is not indexed
        _by_sql(
            f"UPDATE documents SET state = 'indexing' WHERE document_id = '{DOCUMENT}'",
            f"UPDATE documents SET state = 'indexed' WHERE document_id = '{DOCUMENT}'",
        ),
    ),
    "a document that failed, and should not have": (
        "I1 I3",
        _by_sql(
            "UPDATE documents SET state = 'failed', failure_code = 'x', failure_message = 'x'"
            f" WHERE document_id = '{DOCUMENT}'",
            "UPDATE documents SET state = 'indexed', failure_code = NULL, failure_message = NULL"
            f" WHERE document_id = '{DOCUMENT}'",
        ),
    ),
    "an event that nobody takes": (
        "I1",
        _by_sql(
            "UPDATE outbox SET done_at = NULL WHERE event_id = 1",
            "UPDATE outbox SET done_at = now() WHERE event_id = 1",
        ),
    ),
    "an upload that is forgotten": (
        "I1",
        _told(kind="upload", outcome=Outcome.OK, status=201, pgm_id="PGM_77", files=some_files(random.Random(1))),
    ),
    "a revision that is forgotten": (
        "I1",
        _told(
            kind="replace", outcome=Outcome.OK, status=201, pgm_id=LIVE, revision=2, files=some_files(random.Random(1))
        ),
    ),
    "a program that nobody registered": ("I2", _by_sql(_STRANGER, "DELETE FROM programs WHERE pgm_id = 'PGM_900'")),
    "a program that was refused": (
        "I2",
        _by_sql(
            "UPDATE programs SET pgm_name = pgm_name || '?' WHERE pgm_id = 'PGM_1'",
            "UPDATE programs SET pgm_name = trim('?' from pgm_name) WHERE pgm_id = 'PGM_1'",
        ),
    ),
    "a blob of nobody": ("I2", _of_a_file("programs/PGM_900/r1/zip/ladder.zip", lambda _: b"PK")),
    "a row in Milvus of nobody": (
        "I2",
        _of_a_row(lambda row: {**row, "chunk_id": "x", "pgm_id": "PGM_900", "document_id": "PGM_900-r1-0000"}),
    ),
    "a chunk that is missing": ("I3", _of_a_row(lambda _: None)),
    "a chunk too many": ("I3", _of_a_row(lambda row: {**row, "chunk_id": f"{DOCUMENT}.g1.99"})),
    "a chunk of an old generation": (
        "I3",
        _of_a_row(lambda row: {**row, "chunk_id": f"{DOCUMENT}.g0.0", "generation": 0}),
    ),
    "a chunk of a revision of a live program that is gone": (
        "I4",
        _of_a_row(
            lambda row: {**row, "chunk_id": f"{LIVE}-r9-0002.g1.0", "document_id": f"{LIVE}-r9-0002", "generation": 1}
        ),
    ),
    "chunks that Postgres has lost": (
        "I3",
        _by_sql(
            f"CREATE TABLE kept AS SELECT * FROM chunks WHERE document_id = '{DOCUMENT}';"
            f"DELETE FROM chunks WHERE document_id = '{DOCUMENT}' AND ordinal = 0",
            "INSERT INTO chunks SELECT * FROM kept ON CONFLICT DO NOTHING; DROP TABLE kept",
        ),
    ),
    "a document that no index is recorded to hold": (
        "I3",
        _by_sql(
            f"UPDATE indexed_documents SET generation = 0 WHERE document_id = '{DOCUMENT}'",
            f"UPDATE indexed_documents SET generation = 1 WHERE document_id = '{DOCUMENT}'",
        ),
    ),
    "a blob of a purged program": ("I4", _of_a_file(f"programs/{DELETED}/r1/zip/ladder.zip", lambda _: b"PK")),
    "a row in Milvus of a purged program": (
        "I4",
        _of_a_row(lambda row: {**row, "chunk_id": "x", "pgm_id": DELETED, "document_id": f"{DELETED}-r1-0002"}),
    ),
    "a deletion that was not carried out": ("I1 I4", _told(kind="delete", outcome=Outcome.OK, status=204, pgm_id=LIVE)),
    "a hit of a deleted program": ("I4", _told(kind="search", outcome=Outcome.OK, status=200, hits=[DELETED])),
    "a blob that is cut short": ("I5", _of_a_file(_OWN, lambda content: content[:-1])),
    "a blob of other bytes": ("I5", _of_a_file(_OWN, lambda content: content.replace(b"OUT", b"SET"))),
    "a blob that is gone": ("I5", _of_a_file(_OWN, lambda _: None)),
    "a checksum that is not the sender's": (
        "I5",
        _by_sql(
            f"CREATE TABLE kept AS SELECT * FROM documents WHERE document_id = '{LIVE}-r1-0000';"
            f"UPDATE documents SET sha256 = repeat('0', 64) WHERE document_id = '{LIVE}-r1-0000'",
            "UPDATE documents SET sha256 = kept.sha256 FROM kept WHERE documents.document_id = kept.document_id;"
            "DROP TABLE kept",
        ),
    ),
    "an answer of 500": ("I6", _told(kind="status", status=500)),
    "an outage without a time to come back": ("I6", _told(kind="search", status=503)),
    "an empty answer to a search that must find": (
        "I6",
        _told(kind="search", outcome=Outcome.OK, status=200, pgm_id=LIVE, hits=[]),
    ),
    "an event that is begun again and again": (
        "I7",
        _by_sql(
            "UPDATE outbox SET attempts = 40 WHERE event_id = 1", "UPDATE outbox SET attempts = 1 WHERE event_id = 1"
        ),
    ),
    "a further document that is forgotten": (
        "I1",
        _told(
            kind="add",
            outcome=Outcome.OK,
            status=201,
            pgm_id=LIVE,
            document_id="PGM_1-r0-0077",
            note=some_note(random.Random(1)),
        ),
    ),
    "a further document that nobody sent": (
        "I1 I2",  # and the one that was sent is gone
        _by_sql(
            f"UPDATE documents SET document_name = document_name || '?' WHERE document_id = '{NOTE}'",
            f"UPDATE documents SET document_name = trim('?' from document_name) WHERE document_id = '{NOTE}'",
        ),
    ),
    "a removal that was not carried out": (
        "I4",
        _told(kind="remove", outcome=Outcome.OK, status=204, pgm_id=LIVE, document_id=NOTE),
    ),
    "a hit of a removed document": (
        "I4",
        _both(
            _told(kind="remove", outcome=Outcome.OK, status=204, pgm_id=LIVE, document_id="PGM_1-r0-0077"),
            _told(kind="search", outcome=Outcome.OK, status=200, found=["PGM_1-r0-0077"]),
        ),
    ),
    "a row in Milvus of a document that is gone": (
        "I4",
        _of_a_row(lambda row: {**row, "chunk_id": "x", "document_id": "PGM_1-r0-0077"}),
    ),
    "a use that is lost": (
        "I3",
        _by_sql(
            f"CREATE TABLE kept AS SELECT * FROM device_uses WHERE use_id = {_A_USE};"
            f"DELETE FROM device_uses WHERE use_id = {_A_USE}",
            "INSERT INTO device_uses OVERRIDING SYSTEM VALUE SELECT * FROM kept; DROP TABLE kept",
        ),
    ),
    "a use of another device": (
        "I3",
        _by_sql(
            f"UPDATE device_uses SET first = first + 1, last = last + 1 WHERE use_id = {_A_USE}",
            f"UPDATE device_uses SET first = first - 1, last = last - 1 WHERE use_id = {_A_USE}",
        ),
    ),
    "uses of an old generation": (
        "I3",
        _by_sql(
            f"UPDATE used_documents SET generation = 0 WHERE document_id = '{DOCUMENT}'",
            f"UPDATE used_documents SET generation = 1 WHERE document_id = '{DOCUMENT}'",
        ),
    ),
    "an event that nobody was told": (
        "I1 I2",  # what did arrive is not recorded
        _by_sql(
            f"CREATE TABLE kept AS SELECT * FROM webhook_deliveries WHERE delivery_id = {_A_DELIVERY};"
            f"DELETE FROM webhook_deliveries WHERE delivery_id = {_A_DELIVERY}",
            "INSERT INTO webhook_deliveries SELECT * FROM kept; DROP TABLE kept",
        ),
    ),
    "a delivery that never arrived": ("I1", _never_arrived),
    "a delivery that nobody takes": (
        "I1",
        _by_sql(
            f"UPDATE webhook_deliveries SET done_at = NULL WHERE delivery_id = {_A_DELIVERY}",
            f"UPDATE webhook_deliveries SET done_at = now() WHERE delivery_id = {_A_DELIVERY}",
        ),
    ),
    "a delivery that is begun again and again": (
        "I7",
        _by_sql(
            f"UPDATE webhook_deliveries SET attempts = 40 WHERE delivery_id = {_A_DELIVERY}",
            f"UPDATE webhook_deliveries SET attempts = 1 WHERE delivery_id = {_A_DELIVERY}",
        ),
    ),
    "a delivery that died in silence": (
        "I9",
        _by_sql(
            f"UPDATE webhook_deliveries SET dead_at = done_at, done_at = NULL WHERE delivery_id = {_A_DELIVERY}",
            f"UPDATE webhook_deliveries SET done_at = dead_at, dead_at = NULL WHERE delivery_id = {_A_DELIVERY}",
        ),
    ),
    "an event that died in silence": (
        "I9",
        _by_sql(
            "UPDATE outbox SET dead_at = done_at, done_at = NULL WHERE event_id = 1",
            "UPDATE outbox SET done_at = dead_at, dead_at = NULL WHERE event_id = 1",
        ),
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_a_violation_is_named(site: Site, what: str) -> None:
    invariants, tampering = TAMPERINGS[what]
    async with tampering(site):
        assert await violations_of(site.places, site.history) == set(invariants.split())


async def test_a_chunk_that_is_there_twice_is_named(site: Site) -> None:
    """Milvus Lite keeps one row per key, so that this one is made in what was read."""
    evidence = await gathered(site.places)
    ((name, rows),) = evidence.rows_in_milvus.items()
    doubled = replace(evidence, rows_in_milvus={name: [*rows, rows[0]]})
    assert {each.invariant for each in judged(doubled, site.history, allowed=Allowed())} == {"I3"}


async def test_a_check_that_never_becomes_quiet_fails_with_what_it_waits_for(site: Site) -> None:
    wait = "UPDATE outbox SET done_at = NULL, next_attempt_at = now() + interval '1 hour' WHERE event_id = 1"
    await site.execute(wait)
    try:
        with pytest.raises(AssertionError, match="event 1 documents_registered"):
            await check(site.places, site.history, within_s=0.3)
    finally:
        await site.execute("UPDATE outbox SET done_at = now() WHERE event_id = 1")
