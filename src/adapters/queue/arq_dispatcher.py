"""Events to workers over arq: a queue that may forget, in front of an outbox that does not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from arq.connections import ArqRedis
from redis.exceptions import NoPermissionError, RedisError

from adapters.queue.redis_pool import QUEUE_NAME
from domain.errors import MisconfiguredError, UnavailableError
from domain.events import ClaimedEvent
from domain.ports.dispatcher import Dispatcher

HANDLE_EVENT = "handle_event"
"""The name of the job; its arguments are the event's id and lease token."""

WORKER_HEALTH_KEY = QUEUE_NAME + ":health-check"
_WAITING_JOBS = 8
_KEEPS_ALL = "noeviction"


class ArqDispatcher(Dispatcher):
    """Enqueues under `evt:<event>:<lease token>`: each claim is a job of its own, a repeated dispatch is not."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis

    async def room(self) -> int:
        """At least one: jobs that killed workers left in the queue must never stop the flow."""
        async with _translated_errors():
            waiting: int = await self._redis.zcard(QUEUE_NAME)
            return max(1, _WAITING_JOBS - waiting)

    async def dispatch(self, claimed: ClaimedEvent) -> None:
        """An id that is taken means that this very claim is queued already."""
        async with _translated_errors():
            await self._redis.enqueue_job(
                HANDLE_EVENT,
                claimed.event_id,
                claimed.lease_token,
                _job_id=f"evt:{claimed.event_id}:{claimed.lease_token}",
            )

    async def has_worker(self) -> bool:
        """Whether some worker gave a sign of life within the last seconds."""
        async with _translated_errors():
            return bool(await self._redis.exists(WORKER_HEALTH_KEY))

    async def require_lasting(self) -> None:
        """Raise MisconfiguredError where the server makes room by forgetting, UnavailableError where it is silent.

        By INFO, which managed servers answer too, unlike CONFIG. A server that names no policy is believed.
        """
        async with _translated_errors():
            try:
                policy = (await self._redis.info("memory")).get("maxmemory_policy", _KEEPS_ALL)
            except NoPermissionError:
                policy = _KEEPS_ALL
        if policy != _KEEPS_ALL:
            raise MisconfiguredError(f"Redis may forget jobs: its maxmemory-policy is {policy}, set it to {_KEEPS_ALL}")


@asynccontextmanager
async def _translated_errors() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise UnavailableError("redis", type(error).__name__) from error
