"""What every Outbox promises."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from contracts.records import a_document, documents_registered, program_deleted, rolled_back
from domain.errors import ConflictError, InvalidRequestError, NewerEventError, UnindexableError
from domain.events import ClaimedEvent, Event, StartedEvent
from domain.ports.catalogue import Page
from domain.ports.unit_of_work import UnitOfWork

LEASE = timedelta(seconds=30)
LONGER_THAN_THE_LEASE = timedelta(seconds=31)

TimePasses = Callable[[timedelta], Awaitable[None]]
SpoilEvent = Callable[[int], Awaitable[None]]


class OutboxContract:
    """Needs `unit_of_work`, `time_passes` (moves the database's time), `spoil_event` and `write_as_newer`."""

    async def test_events_come_back_as_they_went_in(self, unit_of_work: UnitOfWork) -> None:
        events: list[Event] = [documents_registered(a_document(1), a_document(2, generation=7)), program_deleted()]
        await commit(unit_of_work, *events)
        started = [await start(unit_of_work, claimed) for claimed in await claim(unit_of_work, 2)]
        assert [each.event for each in started] == events
        assert [each.attempts for each in started] == [1, 1]

    async def test_ids_are_in_the_order_of_the_events(self, unit_of_work: UnitOfWork) -> None:
        ids = await commit(unit_of_work, *(program_deleted(f"PGM_{number}") for number in range(1, 101)))
        claimed = await claim(unit_of_work, 100)
        assert [each.event_id for each in claimed] == ids
        pgm_ids = [(await start(unit_of_work, each)).event.pgm_id for each in claimed]
        assert pgm_ids == [f"PGM_{number}" for number in range(1, 101)]

    async def test_a_rolled_back_event_never_was(self, unit_of_work: UnitOfWork) -> None:
        async with rolled_back(unit_of_work) as transaction:
            await transaction.outbox.add([program_deleted()])
        assert await claim(unit_of_work, 1) == []

    async def test_the_oldest_are_claimed_first(self, unit_of_work: UnitOfWork) -> None:
        ids = await commit(unit_of_work, *(program_deleted() for _ in range(3)))
        assert [each.event_id for each in await claim(unit_of_work, 2)] == ids[:2]

    async def test_two_relays_never_hold_the_same_event(self, unit_of_work: UnitOfWork) -> None:
        await commit(unit_of_work, *(program_deleted() for _ in range(3)))
        async with unit_of_work.begin() as first, unit_of_work.begin() as second:
            mine = {event.event_id for event in await first.outbox.claim(2, lease=LEASE)}
            theirs = {event.event_id for event in await second.outbox.claim(2, lease=LEASE)}
        assert (len(mine), len(theirs)) == (2, 1)
        assert mine.isdisjoint(theirs)

    async def test_a_claimed_event_is_not_claimed_again(self, unit_of_work: UnitOfWork) -> None:
        await commit(unit_of_work, program_deleted())
        await claim(unit_of_work, 1)
        assert await claim(unit_of_work, 1) == []

    async def test_a_relay_that_rolls_back_releases_its_events(self, unit_of_work: UnitOfWork) -> None:
        await commit(unit_of_work, program_deleted())
        async with rolled_back(unit_of_work) as transaction:
            await transaction.outbox.claim(1, lease=LEASE)
        assert len(await claim(unit_of_work, 1)) == 1

    async def test_a_lease_that_ran_out_returns_the_event(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        await commit(unit_of_work, program_deleted())
        [first] = await claim(unit_of_work, 1)
        await time_passes(LONGER_THAN_THE_LEASE)
        [second] = await claim(unit_of_work, 1)
        assert second.event_id == first.event_id
        assert second.lease_token != first.lease_token
        assert (first.is_rescued, second.is_rescued) == (False, True)

    async def test_an_event_that_was_given_back_is_not_rescued_from_anybody(self, unit_of_work: UnitOfWork) -> None:
        await commit(unit_of_work, program_deleted())
        [first] = await claim(unit_of_work, 1)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.release(first, delay=timedelta(0))
        [second] = await claim(unit_of_work, 1)
        assert not second.is_rescued

    async def test_an_event_that_nobody_says_an_origin_of_has_none(self, unit_of_work: UnitOfWork) -> None:
        assert (await begun(unit_of_work)).origin == {}

    async def test_a_heartbeat_keeps_the_event(self, unit_of_work: UnitOfWork, time_passes: TimePasses) -> None:
        started = await begun(unit_of_work)
        await time_passes(timedelta(seconds=20))
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.extend(started, lease=LEASE)
        await time_passes(timedelta(seconds=20))
        assert await claim(unit_of_work, 1) == []
        await finish(unit_of_work, started)

    async def test_a_second_delivery_of_one_claim_conflicts(self, unit_of_work: UnitOfWork) -> None:
        await commit(unit_of_work, program_deleted())
        [claimed] = await claim(unit_of_work, 1)
        await start(unit_of_work, claimed)
        with pytest.raises(ConflictError):
            await start(unit_of_work, claimed)

    async def test_a_claim_that_was_taken_over_cannot_be_started(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        await commit(unit_of_work, program_deleted())
        [late] = await claim(unit_of_work, 1)
        await time_passes(LONGER_THAN_THE_LEASE)
        await claim(unit_of_work, 1)
        with pytest.raises(ConflictError):
            await start(unit_of_work, late)

    async def test_work_that_was_taken_over_cannot_be_finished(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        zombie = await begun(unit_of_work)
        await time_passes(LONGER_THAN_THE_LEASE)
        [taken_over] = await claim(unit_of_work, 1)
        with pytest.raises(ConflictError):
            await finish(unit_of_work, zombie)
        second = await start(unit_of_work, taken_over)
        assert second.attempts == 2
        await finish(unit_of_work, second)

    async def test_an_expired_lease_is_worth_nothing_even_if_nobody_else_came(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        zombie = await begun(unit_of_work)
        await time_passes(LONGER_THAN_THE_LEASE)
        with pytest.raises(ConflictError):
            await finish(unit_of_work, zombie)
        with pytest.raises(ConflictError):
            async with unit_of_work.begin() as transaction:
                await transaction.outbox.extend(zombie, lease=LEASE)

    @pytest.mark.parametrize("token", ["", "not a uuid", "00000000-0000-0000-0000-000000000000"])
    async def test_a_token_that_was_never_given_out_holds_nothing(self, unit_of_work: UnitOfWork, token: str) -> None:
        [event_id] = await commit(unit_of_work, program_deleted())
        await claim(unit_of_work, 1)
        with pytest.raises(ConflictError):
            await start(unit_of_work, ClaimedEvent(event_id=event_id, lease_token=token))

    async def test_a_finished_event_never_comes_back(self, unit_of_work: UnitOfWork, time_passes: TimePasses) -> None:
        started = await begun(unit_of_work)
        await finish(unit_of_work, started)
        await time_passes(timedelta(days=1))
        assert await claim(unit_of_work, 1) == []
        with pytest.raises(ConflictError):
            await finish(unit_of_work, started)

    async def test_a_finish_that_rolls_back_leaves_the_event_held(self, unit_of_work: UnitOfWork) -> None:
        started = await begun(unit_of_work)
        async with rolled_back(unit_of_work) as transaction:
            await transaction.outbox.finish(started)
        await finish(unit_of_work, started)

    async def test_a_released_event_comes_back_after_its_delay(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        started = await begun(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.release(started, delay=timedelta(seconds=8), reason="밀버스 응답 없음\0\ud800")
        await time_passes(timedelta(seconds=7))
        assert await claim(unit_of_work, 1) == []
        await time_passes(timedelta(seconds=2))
        [again] = await claim(unit_of_work, 1)
        assert (await start(unit_of_work, again)).attempts == 2

    async def test_an_event_that_is_put_off_comes_back_after_its_delay_and_no_attempt_is_spent(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        started = await begun(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.put_off(started, delay=timedelta(seconds=8), reason="설정 오류\0\ud800")
        await time_passes(timedelta(seconds=7))
        assert await claim(unit_of_work, 1) == []
        with pytest.raises(ConflictError):
            await finish(unit_of_work, started)
        await time_passes(timedelta(seconds=2))
        [again] = await claim(unit_of_work, 1)
        assert (await start(unit_of_work, again)).attempts == 1

    async def test_whoever_released_an_event_no_longer_holds_it(self, unit_of_work: UnitOfWork) -> None:
        started = await begun(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.release(started, delay=timedelta(hours=1))
        with pytest.raises(ConflictError):
            await finish(unit_of_work, started)

    async def test_an_unstarted_claim_can_be_released(self, unit_of_work: UnitOfWork) -> None:
        await commit(unit_of_work, program_deleted())
        [claimed] = await claim(unit_of_work, 1)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.release(claimed, delay=timedelta(0))
        [again] = await claim(unit_of_work, 1)
        assert (await start(unit_of_work, again)).attempts == 1

    async def test_work_handed_back_at_shutdown_does_not_count(self, unit_of_work: UnitOfWork) -> None:
        started = await begun(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.return_unworked(started)
        [again] = await claim(unit_of_work, 1)
        assert (await start(unit_of_work, again)).attempts == 1

    async def test_a_buried_event_is_never_tried_again(self, unit_of_work: UnitOfWork, time_passes: TimePasses) -> None:
        started = await begun(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.bury(started.event_id, reason="poison")
        await time_passes(timedelta(days=1))
        assert await claim(unit_of_work, 1) == []
        with pytest.raises(ConflictError):
            await finish(unit_of_work, started)

    async def test_a_dead_event_that_is_revived_starts_anew(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        started = await buried(unit_of_work, program_deleted())
        await time_passes(timedelta(days=30))
        assert (await revive(unit_of_work)).items == (program_deleted(),)
        [again] = await claim(unit_of_work, 1)
        assert again.event_id == started.event_id
        assert (await start(unit_of_work, again)).attempts == 1
        assert (await revive(unit_of_work)).items == ()

    async def test_what_is_done_or_pending_is_not_revived(self, unit_of_work: UnitOfWork) -> None:
        await finish(unit_of_work, await begun(unit_of_work))
        waiting = await begun(unit_of_work)
        assert (await revive(unit_of_work)).items == ()
        await finish(unit_of_work, waiting)

    async def test_a_revival_that_rolls_back_leaves_the_event_dead(self, unit_of_work: UnitOfWork) -> None:
        await buried(unit_of_work, program_deleted())
        async with rolled_back(unit_of_work) as transaction:
            await transaction.outbox.revive(limit=10)
        assert await claim(unit_of_work, 1) == []
        assert len((await revive(unit_of_work)).items) == 1

    async def test_the_dead_are_revived_page_by_page(self, unit_of_work: UnitOfWork) -> None:
        events = [program_deleted(f"PGM_{number}") for number in range(1, 6)]
        for event in events:
            await buried(unit_of_work, event)
        page = await revive(unit_of_work, limit=2)
        revived = list(page.items)
        await buried(unit_of_work)  # one of the first page, dead again: it is not met twice
        while page.next_cursor is not None:
            page = await revive(unit_of_work, limit=2, cursor=page.next_cursor)
            revived.extend(page.items)
        assert revived == events
        with pytest.raises(InvalidRequestError):
            await revive(unit_of_work, cursor="made-up")

    async def test_a_dead_event_that_cannot_be_read_here_is_revived_all_the_same(
        self, unit_of_work: UnitOfWork, spoil_event: SpoilEvent
    ) -> None:
        started = await buried(unit_of_work, program_deleted())
        await spoil_event(started.event_id)
        assert (await revive(unit_of_work)).items == (None,)
        assert [each.event_id for each in await claim(unit_of_work, 1)] == [started.event_id]

    async def test_what_was_done_long_ago_is_forgotten_the_oldest_first(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        for _ in range(3):
            await finish(unit_of_work, await begun(unit_of_work))
            await time_passes(timedelta(days=1))
        assert await forget_done(unit_of_work, timedelta(days=3, hours=1)) == 0
        assert await forget_done(unit_of_work, timedelta(days=1, hours=1), limit=1) == 1
        assert await forget_done(unit_of_work, timedelta(days=2, hours=1)) == 0  # the oldest was the one
        assert await forget_done(unit_of_work, timedelta(days=1, hours=1)) == 1
        assert await forget_done(unit_of_work, timedelta(days=0)) == 1

    async def test_what_is_dead_or_pending_is_never_forgotten(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        await buried(unit_of_work, program_deleted())
        await commit(unit_of_work, program_deleted())
        await time_passes(timedelta(days=365))
        assert await forget_done(unit_of_work, timedelta(days=7)) == 0
        assert len(await claim(unit_of_work, 10)) == 1
        assert len((await revive(unit_of_work)).items) == 1

    async def test_burying_what_never_was_changes_nothing(self, unit_of_work: UnitOfWork) -> None:
        await commit(unit_of_work, program_deleted())
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.bury(1_000_000, reason="unknown")
        assert len(await claim(unit_of_work, 1)) == 1

    async def test_an_event_can_be_held_by_the_transaction_that_adds_it(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        async with unit_of_work.begin() as transaction:
            ids = await transaction.outbox.add([program_deleted(), program_deleted(), program_deleted()])
            held = await transaction.outbox.hold(ids[:2], lease=LEASE)
        assert [each.event_id for each in held] == ids[:2]
        [free] = await claim(unit_of_work, 3)
        assert free.event_id == ids[2]
        await finish(unit_of_work, await start(unit_of_work, held[0]))
        await time_passes(LONGER_THAN_THE_LEASE)
        assert [each.event_id for each in await claim(unit_of_work, 3)] == ids[1:]

    async def test_what_somebody_holds_is_not_held_twice(self, unit_of_work: UnitOfWork) -> None:
        ids = await commit(unit_of_work, program_deleted())
        await claim(unit_of_work, 1)
        async with unit_of_work.begin() as transaction:
            assert await transaction.outbox.hold(ids, lease=LEASE) == []
            assert await transaction.outbox.hold([], lease=LEASE) == []

    async def test_an_unreadable_event_says_so_and_can_be_buried(
        self, unit_of_work: UnitOfWork, spoil_event: SpoilEvent
    ) -> None:
        spoiled, healthy = await commit(unit_of_work, program_deleted("PGM_1"), program_deleted("PGM_2"))
        await spoil_event(spoiled)
        first, second = await claim(unit_of_work, 2)
        with pytest.raises(UnindexableError) as caught:
            await start(unit_of_work, first)
        assert caught.value.code == "event_unreadable"
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.bury(spoiled, reason=str(caught.value))
        assert (await start(unit_of_work, second)).event_id == healthy

    async def test_an_event_of_a_newer_version_says_so_and_can_be_given_back_uncounted(
        self, unit_of_work: UnitOfWork, write_as_newer: SpoilEvent
    ) -> None:
        [event_id] = await commit(unit_of_work, program_deleted())
        await write_as_newer(event_id)
        [claimed] = await claim(unit_of_work, 1)
        with pytest.raises(NewerEventError):
            await start(unit_of_work, claimed)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.release(claimed, delay=timedelta(0), reason="unknown here")
        assert [each.event_id for each in await claim(unit_of_work, 1)] == [event_id]

    async def test_an_event_is_buried_if_it_was_recorded_long_enough_ago(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        [event_id] = await commit(unit_of_work, program_deleted())
        await time_passes(timedelta(hours=23))
        assert not await bury(unit_of_work, event_id, if_older_than=timedelta(hours=24))
        await time_passes(timedelta(hours=2))
        assert await bury(unit_of_work, event_id, if_older_than=timedelta(hours=24))
        assert not await bury(unit_of_work, event_id)
        assert await claim(unit_of_work, 1) == []


async def bury(unit_of_work: UnitOfWork, event_id: int, **how: timedelta) -> bool:
    async with unit_of_work.begin() as transaction:
        return await transaction.outbox.bury(event_id, reason="unknown", **how)


async def commit(unit_of_work: UnitOfWork, *events: Event) -> list[int]:
    async with unit_of_work.begin() as transaction:
        return await transaction.outbox.add(events)


async def claim(unit_of_work: UnitOfWork, limit: int) -> list[ClaimedEvent]:
    async with unit_of_work.begin() as transaction:
        return await transaction.outbox.claim(limit, lease=LEASE)


async def start(unit_of_work: UnitOfWork, claimed: ClaimedEvent) -> StartedEvent:
    async with unit_of_work.begin() as transaction:
        return await transaction.outbox.start(claimed, lease=LEASE)


async def begun(unit_of_work: UnitOfWork) -> StartedEvent:
    """One event, committed, claimed and started."""
    await commit(unit_of_work, program_deleted())
    [claimed] = await claim(unit_of_work, 1)
    return await start(unit_of_work, claimed)


async def finish(unit_of_work: UnitOfWork, started: StartedEvent) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.outbox.finish(started)


async def buried(unit_of_work: UnitOfWork, *events: Event) -> StartedEvent:
    """The oldest event that is due, the given one if there is no other, started and dead."""
    await commit(unit_of_work, *events)
    [claimed] = await claim(unit_of_work, 1)
    started = await start(unit_of_work, claimed)
    async with unit_of_work.begin() as transaction:
        await transaction.outbox.bury(started.event_id, reason="poison")
    return started


async def revive(unit_of_work: UnitOfWork, *, limit: int = 10, cursor: str | None = None) -> Page[Event | None]:
    async with unit_of_work.begin() as transaction:
        return await transaction.outbox.revive(limit=limit, cursor=cursor)


async def forget_done(unit_of_work: UnitOfWork, older_than: timedelta, *, limit: int = 100) -> int:
    async with unit_of_work.begin() as transaction:
        return await transaction.outbox.forget_done(older_than=older_than, limit=limit)
