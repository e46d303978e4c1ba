"""Further documents while everything fails: rows W16 to W25 of the fault matrix."""

import asyncio
import random
import signal

from faults.checker import check
from faults.history import Client, Outcome, revised, some_files, some_note, until
from faults.nursery import Program
from faults.points import CRASHED, Action, Point, armed, points_of
from faults.site import Site

SEED = 20282


async def test_an_api_that_is_killed_adds_a_document_whole_or_not_at_all_and_a_retry_succeeds(site: Site) -> None:
    """W16, and W17: what it left is removed when its time is over."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        worker = site.worker()
        pgm_id = (await client.upload(some_files(chance, logics=1))).pgm_id
        for point in points_of("api"):
            note = some_note(chance)
            dying = site.api(**armed(point))
            async with site.client(dying) as cut_off:
                unknown = await cut_off.add(pgm_id, note)
                assert unknown.outcome is Outcome.UNKNOWN
                assert await dying.ended(within_s=10) == CRASHED, dying.said
            again = await client.add(pgm_id, note, key=unknown.key)
            assert again.outcome is Outcome.OK
            assert len(await _named(site, note.name)) == 1
        await check(site.places, site.history)
        assert await site.execute("SELECT 1 FROM uploads")
        worker.kill()
        await site.execute("UPDATE uploads SET started_at = started_at - interval '61 minutes'")
        site.worker()  # it sweeps at its start
        await until(lambda: _is_empty(site, "uploads"), within_s=10)
        evidence = await check(site.places, site.history)
    assert len([key for key in evidence.blobs if key.startswith(f"programs/{pgm_id}/d")]) == len(points_of("api"))


async def test_a_removal_that_is_killed_is_carried_out_whole_or_not_at_all(site: Site) -> None:
    """W24: the API at its COMMIT, and the worker at each step of the purge."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        worker = site.worker()
        pgm_id = (await client.upload(some_files(chance, logics=1))).pgm_id
        notes = [await client.add(pgm_id, some_note(chance)) for _ in range(5)]
        await check(site.places, site.history)
        worker.kill()
        for note, api_point in zip(notes, (Point.API_BEFORE_COMMIT, Point.API_COMMITTED), strict=False):
            dying = site.api(**armed(api_point))
            async with site.client(dying) as cut_off:
                await cut_off.remove(pgm_id, note.document_id)
                assert await dying.ended(within_s=10) == CRASHED, dying.said
            assert len(await _named(site, note.note.name if note.note else "")) == (
                api_point is Point.API_BEFORE_COMMIT
            )
        for note, point in zip(notes[2:], (Point.PURGE_STARTED, Point.PURGE_BLOBS, Point.PURGE_COMMITTED), strict=True):
            purging = site.worker(**armed(point))
            assert (await client.remove(pgm_id, note.document_id)).outcome is Outcome.OK
            assert await purging.ended(within_s=20) == CRASHED, purging.said
        site.worker()
        await check(site.places, site.history)
    await until(lambda: _is_empty(site, "uploads"), within_s=5)


_INTERFERENCES = [
    (Point.WORKER_ARCHIVE_READ, "replace"),
    (Point.WORKER_HALF_UPSERTED, "remove"),
    (Point.WORKER_HALF_UPSERTED, "delete"),
    (Point.WORKER_READ_BACK, "remove"),
    (Point.WORKER_COMMITTED, "replace"),
]


async def test_a_document_that_is_removed_or_replaced_or_loses_its_program_while_it_is_indexed_leaves_nothing(
    site: Site,
) -> None:
    """W19, W20 and W22: a worker is held at each step and goes on when another has done what there was to do."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        first = site.worker()
        pgm_ids = [(await client.upload(some_files(chance, logics=1))).pgm_id for _ in _INTERFERENCES]
        await check(site.places, site.history)
        first.kill()
        held: list[Program] = []
        for (point, what), pgm_id in zip(_INTERFERENCES, pgm_ids, strict=True):
            added = await client.add(pgm_id, some_note(chance))
            held.append(site.worker(**armed(point, action=Action.STOP), WORKER_JOBS="1", FAULT_LEASE_S="20"))
            await held[-1].stopped(within_s=20)
            await _interfere(client, what, pgm_id, added.document_id, chance)
        site.worker()
        await site.execute("UPDATE outbox SET next_attempt_at = now() WHERE done_at IS NULL")  # their leases run out
        await check(site.places, site.history)
        for worker in held:
            worker.send(signal.SIGCONT)
        await asyncio.sleep(1.0)  # for what they still write, and take away again
        await check(site.places, site.history)


async def _interfere(client: Client, what: str, pgm_id: str, document_id: str, chance: random.Random) -> None:
    if what == "remove":
        done = await client.remove(pgm_id, document_id)
    elif what == "delete":
        done = await client.delete(pgm_id)
    else:
        note = next(each.note for each in client.history.of("add") if each.document_id == document_id and each.note)
        done = await client.add(pgm_id, some_note(chance, name=note.name))
    assert done.outcome is Outcome.OK, done


async def test_a_program_that_is_deleted_while_a_document_is_uploaded_keeps_nothing_of_it(site: Site) -> None:
    """W21: the blob stands, and its program is purged before the COMMIT."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        site.worker()
        pgm_id = (await client.upload(some_files(chance, logics=1))).pgm_id
        asleep = site.api(**armed(Point.API_BLOB_PUT, action=Action.STOP))
        async with site.client(asleep) as slow:
            adding = asyncio.create_task(slow.add(pgm_id, some_note(chance)))
            await asleep.stopped(within_s=10)
            await client.delete(pgm_id)
            await until(lambda: _is_purged(site, pgm_id), within_s=20)
            asleep.send(signal.SIGCONT)
            added = await adding
        assert (added.outcome, added.status) == (Outcome.FAILED, 404)
        evidence = await check(site.places, site.history)
    assert not evidence.tables["uploads"]


async def test_documents_of_one_name_at_once_end_as_one_beside_new_files_of_the_program(site: Site) -> None:
    """W18 and W23: each answer is true, one content stands, and no blob of the others."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client, site.supervised("worker", "worker"):
        files = some_files(chance)
        pgm_id = (await client.upload(files)).pgm_id
        notes = [some_note(chance, name="점검.md") for _ in range(8)]
        added, replaced = await asyncio.gather(
            asyncio.gather(*(client.add(pgm_id, note) for note in notes)),
            client.replace(pgm_id, revised(files, chance)),
        )
        assert {each.outcome for each in (*added, replaced)} == {Outcome.OK}
        assert len({each.document_id for each in added}) == 1
        evidence = await check(site.places, site.history)
        (row,) = evidence.notes
        assert row["generation"] == len(notes)
        (stood,) = (note for note in notes if note.sha256 == row["sha256"])
        assert row["document_id"] in (await client.search(stood.word, pgm_id)).found


async def _named(site: Site, name: str) -> list[object]:
    return list(await site.execute("SELECT 1 FROM documents WHERE document_name = $1", name))


async def _is_empty(site: Site, table: str) -> bool:
    return not await site.execute(f"SELECT 1 FROM {table}")


async def _is_purged(site: Site, pgm_id: str) -> bool:
    return bool(await site.execute("SELECT 1 FROM programs WHERE pgm_id = $1 AND purged_dt IS NOT NULL", pgm_id))
