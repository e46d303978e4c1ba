"""Uses of devices while they are recorded anew, and when somebody's hand has been at them: rows W27 to W33."""

import random
import signal

from application.record_lacking_uses import LEASE
from domain.drift import DriftKind
from faults.checker import check, violations_of
from faults.containers import a_container
from faults.history import some_files, some_note, until
from faults.points import CRASHED, Action, Point, armed
from faults.site import Site

SEED = 20283
_TURN_IS_DUE = (
    f"UPDATE audits SET started_at = started_at - interval '{LEASE.total_seconds() + 1} s' WHERE name = 'uses'"
)
_IT_ENDED_LONG_AGO = (
    "UPDATE audits SET started_at = started_at - interval '1 hour', ended_at = ended_at - interval '1 hour'"
    " WHERE name = 'uses'"
)


async def test_uses_that_are_recorded_anew_outlast_killed_workers_two_at_once_and_what_is_deleted_meanwhile(
    site: Site,
) -> None:
    """W27 to W30: what a worker read before is recorded of what is still as it was, and of nothing else."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        first = site.worker()
        pgm_ids = [(await client.upload(some_files(chance))).pgm_id for _ in range(4)]
        await client.add(pgm_ids[0], some_note(chance))
        await check(site.places, site.history)
        first.kill()
        await site.script(f"DELETE FROM used_documents; {_IT_ENDED_LONG_AGO}")
        for point in (Point.USES_READ, Point.USES_RECORDED):
            dying = site.worker(**armed(point))
            assert await dying.ended(within_s=20) == CRASHED, dying.said
            await site.script(_TURN_IS_DUE)
        assert len(await site.execute("SELECT 1 FROM used_documents")) > 0
        asleep = site.worker(**armed(Point.WORKER_PARSED, action=Action.STOP))
        await asleep.stopped(within_s=20)
        await site.script(_TURN_IS_DUE)
        await client.delete(pgm_ids[1])
        site.worker()
        await until(lambda: _are_recorded(site), within_s=20)
        asleep.send(signal.SIGCONT)
        await until(lambda: "recorded what" in asleep.said, within_s=20, what=asleep.said)
        await check(site.places, site.history)


async def _are_recorded(site: Site) -> bool:
    return not await site.execute(
        "SELECT 1 FROM documents d JOIN programs USING (pgm_id) WHERE deleted_dt IS NULL AND state = 'indexed'"
        " AND NOT EXISTS (SELECT FROM used_documents u WHERE u.document_id = d.document_id)"
    )


async def test_uses_that_were_changed_by_hand_are_found_by_the_audit_and_recorded_anew(site: Site) -> None:
    """W33."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        first = site.worker()
        await client.upload(some_files(chance, logics=3, rungs=3))
        await check(site.places, site.history)
        first.kill()
        await first.ended(within_s=10)
        await site.script(
            "DELETE FROM device_uses WHERE use_id = (SELECT min(use_id) FROM device_uses);"
            "INSERT INTO device_uses (set_id, pgm_number, rung, first, last, bit, is_open, is_shifted, space, role,"
            " mnemonic, operand) SELECT set_id, pgm_number, rung, first, last, bit, is_open, is_shifted, space, role,"
            " mnemonic, operand FROM device_uses WHERE use_id = (SELECT max(use_id) FROM device_uses)"
        )
        assert await violations_of(site.places, site.history) == {"I3"}
        async with a_container(site) as container:
            drifts = [drift async for drift in container.audit_stores()()]
            assert [drift.kind for drift in drifts] == [DriftKind.USES_MISCOUNTED] * 2
            await container.repair_drift()(drifts)
            assert [drift async for drift in container.audit_stores()()] == []
        await site.script(_IT_ENDED_LONG_AGO)
        site.worker()
        await until(lambda: _are_recorded(site), within_s=20)
        evidence = await check(site.places, site.history)
    assert {row["generation"] for row in evidence.tables["documents"]} == {1}  # nothing was embedded anew
