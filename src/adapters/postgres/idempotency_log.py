"""IdempotencyLog on Postgres."""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.tables import NOW, idempotency_keys
from domain.idempotency import IdempotencyKey, KeptAnswer, KeyedRequest
from domain.ports.idempotency_log import IdempotencyLog


class PostgresIdempotencyLog(IdempotencyLog):
    """Kept answers, in the transaction of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, key: IdempotencyKey) -> KeptAnswer | None:
        """See the port."""
        found = (await self._connection.execute(select(idempotency_keys).where(_is(key)))).one_or_none()
        if found is None:
            return None
        request = KeyedRequest(key=key, fingerprint=found.fingerprint)
        return KeptAnswer(request=request, pgm_id=found.pgm_id, answer=found.answer)

    async def keep(self, answer: KeptAnswer) -> None:
        """See the port. The primary key makes the second of two wait, as long as the lock timeout allows."""
        await self._connection.execute(
            insert(idempotency_keys).values(
                client=answer.request.key.client,
                operation=answer.request.key.operation,
                key=answer.request.key.name,
                fingerprint=answer.request.fingerprint,
                pgm_id=answer.pgm_id,
                answer=answer.answer,
            )
        )

    async def amend(self, key: IdempotencyKey, answer: bytes) -> None:
        """See the port."""
        await self._connection.execute(update(idempotency_keys).where(_is(key)).values(answer=answer))

    async def forget(self, *, older_than: timedelta, at_most: int) -> int:
        """See the port. A subquery in place of the CTE could be run more than once, and give others each time."""
        oldest = (
            select(idempotency_keys.c.client, idempotency_keys.c.operation, idempotency_keys.c.key)
            .where(idempotency_keys.c.created_at < NOW - older_than)
            .order_by(idempotency_keys.c.created_at)
            .limit(at_most)
            .with_for_update(skip_locked=True)
            .cte("oldest")
        )
        forgotten = await self._connection.execute(
            delete(idempotency_keys).where(
                idempotency_keys.c.client == oldest.c.client,
                idempotency_keys.c.operation == oldest.c.operation,
                idempotency_keys.c.key == oldest.c.key,
            )
        )
        return forgotten.rowcount


def _is(key: IdempotencyKey) -> ColumnElement[bool]:
    return and_(
        idempotency_keys.c.client == key.client,
        idempotency_keys.c.operation == key.operation,
        idempotency_keys.c.key == key.name,
    )
