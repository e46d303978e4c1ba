"""IdempotencyLog in memory."""

from dataclasses import replace
from datetime import timedelta

from domain.errors import ConflictError
from domain.idempotency import IdempotencyKey, KeptAnswer
from domain.ports.idempotency_log import IdempotencyLog
from fakes.registry import InMemoryRegistry, StoredAnswer, Tables


class InMemoryIdempotencyLog(IdempotencyLog):
    def __init__(self, registry: InMemoryRegistry, tables: Tables) -> None:
        self._registry = registry
        self._answers = tables.answers

    async def find(self, key: IdempotencyKey) -> KeptAnswer | None:
        stored = self._answers.get(key)
        return stored.kept if stored else None

    async def keep(self, answer: KeptAnswer) -> None:
        if answer.request.key in self._answers:
            raise ConflictError("the idempotency key is taken")
        self._answers[answer.request.key] = StoredAnswer(kept=answer, created_at=self._registry.clock())

    async def amend(self, key: IdempotencyKey, answer: bytes) -> None:
        if stored := self._answers.get(key):
            self._answers[key] = replace(stored, kept=replace(stored.kept, answer=answer))

    async def forget(self, *, older_than: timedelta, at_most: int) -> int:
        before = self._registry.clock() - older_than
        old = [key for key, stored in self._answers.items() if stored.created_at < before]
        for key in old[:at_most]:
            del self._answers[key]
        return len(old[:at_most])
