"""FailureLog in memory."""

from collections.abc import Sequence

from domain.events import StartedEvent
from domain.failures import FailedAttempt
from domain.ports.failure_log import FailureLog
from domain.ports.operations import RecordedFailure
from fakes.registry import InMemoryRegistry, Tables


class InMemoryFailureLog(FailureLog):
    def __init__(self, registry: InMemoryRegistry, tables: Tables) -> None:
        self._registry = registry
        self._tables = tables

    async def record(self, attempts: Sequence[FailedAttempt]) -> None:
        for attempt in attempts:
            if self._tables.live(attempt.pgm_id) is not None:
                recorded = RecordedFailure(attempt=attempt, failed_dt=self._registry.clock())
                self._tables.failures[next(self._registry.failure_ids)] = recorded

    async def told_attempts(self, started: StartedEvent) -> int:
        told = (recorded.attempt for recorded in self._tables.failures.values())
        numbers = {each.attempt for each in told if each.event_id == started.event_id}
        return len([number for number in numbers if number < started.attempts])

    async def record_once(self, attempt: FailedAttempt) -> None:
        attempts = (recorded.attempt for recorded in reversed(self._tables.failures.values()))
        newest = next((each for each in attempts if each.event_id == attempt.event_id), None)
        if newest is None or not attempt.repeats(newest):
            await self.record([attempt])

    async def trim(self, *, keep: int, limit: int) -> int:
        by_program: dict[str, list[int]] = {}
        for failure_id, recorded in self._tables.failures.items():
            by_program.setdefault(recorded.attempt.pgm_id, []).append(failure_id)
        surplus = [
            failure_id
            for ids in by_program.values()
            for failure_id in sorted(ids, key=lambda each: (self._tables.failures[each].attempt.is_final, each))[:-keep]
        ][:limit]
        for failure_id in surplus:
            del self._tables.failures[failure_id]
        return len(surplus)
