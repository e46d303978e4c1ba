"""The one way a connection to Redis is opened: every command has a timeout, lost connections are replaced."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from arq.connections import ArqRedis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

QUEUE_NAME = "ladderbase:queue"
_CONNECTIONS = 16
_TIMEOUT_S = 5.0
_CONNECT_TIMEOUT_S = 2.0

serialize = msgspec.msgpack.encode
deserialize = msgspec.msgpack.decode


@asynccontextmanager
async def opened_redis(url: str) -> AsyncIterator[ArqRedis]:
    """A client that connects when first used. Jobs are msgpack: a pickle would run whatever Redis holds."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_CONNECT_TIMEOUT_S,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )
    redis = ArqRedis(pool, job_serializer=serialize, job_deserializer=deserialize, default_queue_name=QUEUE_NAME)
    try:
        yield redis
    finally:
        await redis.aclose(close_connection_pool=True)  # the pool is ours: the client alone would leave it open
