"""What every Backlog promises; written through the unit of work of the same record."""

from datetime import timedelta

from contracts.outbox import TimePasses, begun, buried, claim, commit, finish
from contracts.records import a_document, documents_registered, program_deleted
from domain.events import EventKind
from domain.ports.backlog import Backlog, KindBacklog
from domain.ports.unit_of_work import UnitOfWork

A_MINUTE = timedelta(minutes=1)


class BacklogContract:
    """Needs the fixtures `backlog`, `unit_of_work` and `time_passes`, all over one record."""

    async def test_where_nothing_waits_there_is_no_kind(self, unit_of_work: UnitOfWork, backlog: Backlog) -> None:
        assert await backlog.by_kind() == []
        await finish(unit_of_work, await begun(unit_of_work))
        assert await backlog.by_kind() == []

    async def test_each_kind_is_counted_by_what_it_waits_for(
        self, unit_of_work: UnitOfWork, backlog: Backlog, time_passes: TimePasses
    ) -> None:
        await commit(unit_of_work, program_deleted(), program_deleted())
        await time_passes(A_MINUTE)
        await commit(unit_of_work, documents_registered(a_document(1)))
        (leased,) = await claim(unit_of_work, 1)
        async with unit_of_work.begin() as transaction:
            (delayed,) = await transaction.outbox.claim(1, lease=A_MINUTE)
            await transaction.outbox.release(delayed, delay=A_MINUTE)
        registered, deleted = await backlog.by_kind()
        assert leased.event_id < delayed.event_id
        assert (registered.kind, registered.due, registered.leased, registered.delayed, registered.dead) == (
            EventKind.DOCUMENTS_REGISTERED,
            1,
            0,
            0,
            0,
        )
        assert (deleted.kind, deleted.due, deleted.leased, deleted.delayed, deleted.dead) == (
            EventKind.PROGRAM_DELETED,
            0,
            1,
            1,
            0,
        )
        assert registered.oldest_age_s is not None
        assert deleted.oldest_age_s is not None
        assert 60 <= deleted.oldest_age_s - registered.oldest_age_s < 120

    async def test_counts_are_whole_numbers_that_can_be_added_to_any_other(
        self, unit_of_work: UnitOfWork, backlog: Backlog
    ) -> None:
        await commit(unit_of_work, program_deleted())
        await buried(unit_of_work, documents_registered(a_document(1)))
        for kind in await backlog.by_kind():
            counts = (kind.due, kind.leased, kind.delayed, kind.dead)
            assert {type(count) for count in counts} == {int}

    async def test_what_is_dead_waits_for_an_operator_and_has_no_age(
        self, unit_of_work: UnitOfWork, backlog: Backlog
    ) -> None:
        await buried(unit_of_work, program_deleted())
        assert await backlog.by_kind() == [
            KindBacklog(kind=EventKind.PROGRAM_DELETED, due=0, leased=0, delayed=0, dead=1, oldest_age_s=None)
        ]
