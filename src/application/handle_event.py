"""Work on one claimed event under its lease, and decide what an error means for it."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from application.index_documents import IndexDocuments
from application.purge_documents import PurgeDocuments
from application.purge_program import PurgeProgram
from application.purge_revision import PurgeRevision
from application.unwatched import UNWATCHED
from domain.document import Failure
from domain.errors import (
    ConflictError,
    MisconfiguredError,
    NewerEventError,
    NotFoundError,
    UnavailableError,
    UnindexableError,
)
from domain.events import (
    LEASE,
    ClaimedEvent,
    DocumentsRegistered,
    DocumentsRemoved,
    ProgramDeleted,
    RetryPolicy,
    RevisionSuperseded,
    StartedEvent,
    halves,
)
from domain.failures import FailedAttempt, Stage, passing_failure
from domain.ports.unit_of_work import Transaction, UnitOfWork
from domain.ports.work_watch import WorkResult, WorkWatch

LONGEST_WORK = timedelta(minutes=10)
PURGES = (DocumentsRemoved, ProgramDeleted, RevisionSuperseded)
"""The events that are never given up: nothing else would ever remove what they are about."""

SILENT_ENDS = 3
"""After so many workers that took an event of several documents, and were not heard of again, it is split (ADR 18)."""

UNKNOWN_WAITS_FOR = timedelta(hours=24)
UNKNOWN_IS_LOOKED_AT_EVERY = timedelta(minutes=1)
"""What a newer API recorded is left to newer workers for so long: a deploy may begin with either."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleEvent:
    """At least once, in any number of workers: whoever does not hold the lease leaves at once.

    A transient error gives the event back with a delay. What fails for good is split until the poison
    document stands alone, is marked failed, and its event buried. What an operator must mend is waited for,
    however long that takes.
    """

    unit_of_work: UnitOfWork
    index_documents: IndexDocuments
    purge_documents: PurgeDocuments
    purge_program: PurgeProgram
    purge_revision: PurgeRevision
    retry: RetryPolicy = RetryPolicy()
    jitter: Callable[[], float] = random.random
    watch: WorkWatch = UNWATCHED
    lease: timedelta = LEASE

    async def __call__(self, claimed: ClaimedEvent) -> None:
        """Do the work or record why it is not done. Raises UnavailableError when not even that can be recorded."""
        started = await self._start(claimed)
        if started is None:
            return
        with self.watch.work(started) as tell:
            tell(await self._work_on(started))

    async def _work_on(self, started: StartedEvent) -> WorkResult:
        if started.attempts > self.retry.max_attempts and not isinstance(started.event, PURGES):
            failure = Failure(code="quarantined", message="it ended every worker that took it")
            return await self._give_up(started, failure, Stage.UNKNOWN)
        if await self._ended_its_workers(started):
            failure = Failure(code="worker_lost", message="workers that took it were not heard of again")
            return await self._give_up(started, failure, Stage.UNKNOWN)
        return await self._attempt(started, _Progress())

    async def _attempt(self, started: StartedEvent, progress: "_Progress") -> WorkResult:
        try:
            async with asyncio.timeout(LONGEST_WORK.total_seconds()), self._heartbeat(started):
                await self._work(started, progress)
        except ConflictError as error:
            _log.warning("event %d passed on: %s", started.event_id, error)
            await self._clean_up_after_losing(started)
            return WorkResult.PASSED_ON
        except NotFoundError as error:
            _log.warning("event %d has nothing left to do: %s", started.event_id, error)
            await self._drop(started)
            return WorkResult.NOTHING_LEFT
        except (UnavailableError, MisconfiguredError, OSError) as error:  # OSError: timeouts, and a full scratch disk
            if _is_told_to_stop():  # a client may answer the cancellation of a call with an error of its own
                await asyncio.shield(self._hand_back(started))
                raise asyncio.CancelledError from error
            return await self._try_again(started, error, progress.stage)
        except asyncio.CancelledError:
            await asyncio.shield(self._hand_back(started))
            raise
        except Exception as error:  # noqa: BLE001 - a bug ends as a visible failure, never as a hot loop
            _log.exception("event %d failed on a bug", started.event_id)
            failure = Failure(code="internal_error", message=type(error).__name__)
            return await self._give_up(started, failure, progress.stage)
        return WorkResult.DONE

    async def _start(self, claimed: ClaimedEvent) -> StartedEvent | None:
        try:
            async with self.unit_of_work.begin() as transaction:
                return await transaction.outbox.start(claimed, lease=self.lease)
        except ConflictError:
            return None
        except NewerEventError as error:
            await self._leave_to_others(claimed, error)
            return None
        except UnindexableError as error:
            _log.error("event %d is buried: %s", claimed.event_id, error)
            async with self.unit_of_work.begin() as transaction:
                await transaction.outbox.bury(claimed.event_id, reason=error.code)
            return None

    async def _ended_its_workers(self, started: StartedEvent) -> bool:
        """Only of several documents: one alone keeps all its attempts, for it may be others that end its workers."""
        event = started.event
        if started.attempts <= SILENT_ENDS or not isinstance(event, DocumentsRegistered) or len(event.documents) == 1:
            return False
        async with self.unit_of_work.begin() as transaction:
            told = await transaction.failures.told_attempts(started)
        return started.attempts - 1 - told >= SILENT_ENDS

    async def _leave_to_others(self, claimed: ClaimedEvent, error: NewerEventError) -> None:
        with suppress(ConflictError):  # somebody else has it already
            async with self.unit_of_work.begin() as transaction:
                await transaction.outbox.release(claimed, delay=UNKNOWN_IS_LOOKED_AT_EVERY, reason=str(error))
                too_old = await transaction.outbox.bury(
                    claimed.event_id, reason=error.code, if_older_than=UNKNOWN_WAITS_FOR
                )
            _log.error("event %d is %s: %s", claimed.event_id, "buried" if too_old else "left to others", error)

    async def _work(self, started: StartedEvent, progress: "_Progress") -> None:
        match started.event:
            case DocumentsRegistered() as event:
                await self.index_documents(started, event, reached=progress.reach, lease=self.lease)
            case DocumentsRemoved() as event:
                await self.purge_documents(started, event)
            case ProgramDeleted() as event:
                await self.purge_program(started, event)
            case RevisionSuperseded() as event:
                await self.purge_revision(started, event)

    @asynccontextmanager
    async def _heartbeat(self, started: StartedEvent) -> AsyncIterator[None]:
        worker = asyncio.current_task()
        lost: list[ConflictError] = []

        async def beat() -> None:
            while True:
                await asyncio.sleep(self.lease.total_seconds() / 3)
                try:
                    async with self.unit_of_work.begin() as transaction:
                        await transaction.outbox.extend(started, lease=self.lease)
                except (UnavailableError, MisconfiguredError) as error:
                    _log.warning("heartbeat of event %d missed: %s", started.event_id, error)
                except ConflictError as error:
                    lost.append(error)
                    if worker:
                        worker.cancel()
                    return

        heart = asyncio.create_task(beat())
        try:
            yield
        except (asyncio.CancelledError, UnavailableError, MisconfiguredError, OSError):  # whatever a client made of it
            if lost and worker and worker.uncancel() == 0:
                raise lost[0] from None
            raise
        finally:
            heart.cancel()
            (ended,) = await asyncio.gather(heart, return_exceptions=True)
            if isinstance(ended, Exception):
                _log.error("the heartbeat of event %d ended on a bug", started.event_id, exc_info=ended)

    async def _try_again(
        self, started: StartedEvent, error: UnavailableError | MisconfiguredError | OSError, stage: Stage
    ) -> WorkResult:
        if isinstance(error, MisconfiguredError):
            return await self._put_off(started, error, stage)
        return await self._retry_later(started, error, stage)

    async def _put_off(self, started: StartedEvent, error: MisconfiguredError, stage: Stage) -> WorkResult:
        """A wrong setting says nothing of the documents: none fails of it, and no attempt is spent."""
        delay = self.retry.longest_delay
        _log.error(
            "event %d is put off until an operator has acted: %s; again in %.0f s",
            started.event_id,
            error,
            delay.total_seconds(),
        )
        failed = FailedAttempt.of(started, passing_failure(error), stage=stage)
        async with self._recording(started) as transaction:
            await transaction.outbox.put_off(started, delay=delay, reason=str(error))
            await transaction.failures.record_once(failed)
        return WorkResult.PUT_OFF

    async def _retry_later(self, started: StartedEvent, error: UnavailableError | OSError, stage: Stage) -> WorkResult:
        reason = str(error) or type(error).__name__
        if self.retry.is_exhausted(started.attempts):
            failure = Failure(code="retries_exhausted", message=_without_end(error))
            return await self._give_up(started, failure, stage)
        delay = self.retry.delay_after(started.attempts, jitter=self.jitter())
        _log.warning(
            "event %d, attempt %d: %s; again in %.1f s",
            started.event_id,
            started.attempts,
            reason,
            delay.total_seconds(),
        )
        failed = FailedAttempt.of(started, passing_failure(error), stage=stage)
        return await self._release(failed, started, delay=delay, reason=reason)

    async def _release(
        self, failed: FailedAttempt, started: StartedEvent, *, delay: timedelta, reason: str
    ) -> WorkResult:
        async with self._recording(started) as transaction:
            await transaction.outbox.release(started, delay=delay, reason=reason)
            await transaction.failures.record([failed])
        return WorkResult.RETRIED

    async def _give_up(self, started: StartedEvent, failure: Failure, stage: Stage) -> WorkResult:
        """Split an event of several documents; fail the document, and bury the event, where it stands alone.

        Only a purge is never given up: nothing else would ever remove what a deleted program left.
        """
        failed = FailedAttempt.of(started, failure, stage=stage)
        match started.event:
            case DocumentsRemoved() | ProgramDeleted() | RevisionSuperseded():
                _log.error("the purge of event %d fails: %s", started.event_id, failure.message)
                return await self._release(failed, started, delay=self.retry.longest_delay, reason=failure.code)
            case DocumentsRegistered(documents=documents) as event if len(documents) > 1:
                return await self._split(failed, started, event)
            case DocumentsRegistered() as event:
                return await self._fail(failed, started, event)

    async def _split(self, failed: FailedAttempt, started: StartedEvent, event: DocumentsRegistered) -> WorkResult:
        async with self._recording(started) as transaction:
            await transaction.outbox.extend(started, lease=self.lease)
            await transaction.failures.record([failed])
            await transaction.outbox.add(halves(event))
            await transaction.outbox.finish(started)
        return WorkResult.SPLIT

    async def _fail(self, failed: FailedAttempt, started: StartedEvent, event: DocumentsRegistered) -> WorkResult:
        """A failed document has nothing in the index: as long as that cannot be had, it has not failed yet.

        What was indexed before the event went wrong stays so, with its vectors.
        """
        try:
            async with self._heartbeat(started):
                await self.index_documents.forget(started, event, lease=self.lease)
        except ConflictError as error:
            _log.warning("event %d passed on: %s", started.event_id, error)
            return WorkResult.PASSED_ON
        except MisconfiguredError as error:
            return await self._put_off(started, error, Stage.INDEX)
        except UnavailableError as error:
            again = FailedAttempt.of(started, passing_failure(error), stage=Stage.INDEX)
            return await self._release(again, started, delay=self.retry.longest_delay, reason=str(error))
        async with self._recording(started) as transaction:
            await transaction.outbox.extend(started, lease=self.lease)
            await transaction.announcements.hold(event.pgm_id)
            given_up = await transaction.documents.mark_failed([(ref, failed.failure) for ref in event.documents])
            await transaction.failures.record([failed.final_for(ref) for ref in given_up])
            await transaction.outbox.bury(started.event_id, reason=f"{failed.failure.code}: {failed.failure.message}")
            await transaction.announcements.ended(event.pgm_id)
        return WorkResult.FAILED

    async def _clean_up_after_losing(self, started: StartedEvent) -> None:
        """What we wrote after the lease had passed on may be of a program that is deleted and purged by now."""
        if not isinstance(started.event, DocumentsRegistered):
            return
        try:
            await self.index_documents.remove_what_is_stale(started.event)
        except (UnavailableError, MisconfiguredError) as error:
            _log.warning("vectors of event %d may be left over: %s", started.event_id, error)

    async def _drop(self, started: StartedEvent) -> None:
        async with self._recording(started) as transaction:
            await transaction.outbox.finish(started)

    async def _hand_back(self, started: StartedEvent) -> None:
        async with self._recording(started) as transaction:
            await transaction.outbox.return_unworked(started)

    @asynccontextmanager
    async def _recording(self, started: StartedEvent) -> AsyncIterator[Transaction]:
        """A transaction about an event that may have passed on meanwhile: then there is nothing to record."""
        try:
            async with self.unit_of_work.begin() as transaction:
                yield transaction
        except ConflictError as error:
            _log.warning("event %d passed on: %s", started.event_id, error)
            await self._clean_up_after_losing(started)


@dataclass(slots=True)
class _Progress:
    """How far the work on an event is, for whoever must say where it failed."""

    stage: Stage = Stage.READ

    def reach(self, stage: Stage) -> None:
        self.stage = stage


def _is_told_to_stop() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _without_end(error: UnavailableError | OSError) -> str:
    """What kept failing until nobody tried any more, for those who read no logs."""
    return f"{error.dependency if isinstance(error, UnavailableError) else 'a dependency'} gave no answer"
