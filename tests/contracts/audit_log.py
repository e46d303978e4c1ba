"""What every AuditLog promises."""

import asyncio
from datetime import timedelta

from contracts.outbox import TimePasses
from domain.ports.audit_log import AuditLog

A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)


class AuditLogContract:
    """Needs the fixtures `audit_log` and `time_passes`, over one record."""

    async def test_the_first_to_ask_has_the_turn_and_no_other_for_a_day(
        self, audit_log: AuditLog, time_passes: TimePasses
    ) -> None:
        assert sorted(await asyncio.gather(*(take(audit_log) for _ in range(4)))) == [False, False, False, True]
        await audit_log.record({"blob_orphan": 2})
        await time_passes(timedelta(hours=23))
        assert not await take(audit_log)
        await time_passes(2 * AN_HOUR)
        assert await take(audit_log)
        assert not await take(audit_log)

    async def test_a_turn_whose_worker_died_is_given_to_another(
        self, audit_log: AuditLog, time_passes: TimePasses
    ) -> None:
        await take(audit_log)
        await audit_log.record({})
        await time_passes(A_DAY + AN_HOUR)
        await take(audit_log)  # and dies
        await time_passes(timedelta(minutes=59))
        assert not await take(audit_log)
        await time_passes(timedelta(minutes=2))
        assert await take(audit_log)

    async def test_what_was_found_last_can_be_read_until_there_is_something_newer(
        self, audit_log: AuditLog, time_passes: TimePasses
    ) -> None:
        assert await audit_log.last() is None
        await take(audit_log)
        assert await audit_log.last() is None
        for counts in ({"blob_orphan": 2, "document_stuck": 1}, {}):
            await audit_log.record(counts)
            last = await audit_log.last()
            assert last is not None
            assert last.counts == counts
            await time_passes(A_DAY + AN_HOUR)
            await take(audit_log)
            assert (await audit_log.last() or last).counts == counts


async def take(audit_log: AuditLog) -> bool:
    return await audit_log.take_turn(every=A_DAY, lease=AN_HOUR)
