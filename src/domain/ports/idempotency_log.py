"""The record of requests that were carried out under a key, and of what they were answered."""

from datetime import timedelta
from typing import Protocol

from domain.idempotency import IdempotencyKey, KeptAnswer


class IdempotencyLog(Protocol):
    """At most one answer per key."""

    async def find(self, key: IdempotencyKey) -> KeptAnswer | None:
        """The answer that is kept under the key, if one is committed."""
        ...

    async def keep(self, answer: KeptAnswer) -> None:
        """Take the key, with its answer. Raises ConflictError when it is taken.

        Waits for an open transaction that takes it too: UnavailableError when that does not end in time.
        """
        ...

    async def amend(self, key: IdempotencyKey, answer: bytes) -> None:
        """Give repeats this answer from now on. A key that is no longer kept stays unknown."""
        ...

    async def forget(self, *, older_than: timedelta, at_most: int) -> int:
        """Forget the oldest keys taken longer ago than this; return how many. Several may do so at once."""
        ...
