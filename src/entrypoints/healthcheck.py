"""What a container's health check runs: `python -m entrypoints.healthcheck api`, or `worker`.

The exit code is 0 or 1, with one line. `api` asks for /healthz where the API of this environment listens. `worker` asks
Redis for the workers' sign of life, which is one for all of them: it tells that some worker lives, not which.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException

from adapters.queue.arq_dispatcher import ArqDispatcher
from adapters.queue.redis_pool import opened_redis
from domain.errors import UnavailableError
from entrypoints.settings import Settings, SettingsError, read_settings

ROUTE = "/healthz"
_API_S = 3.0
_REDIS_S = 5.0
# An address that listens everywhere is none to connect to.
_LOOPBACK: Mapping[str, str] = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here


class _UnhealthyError(Exception):
    """The message says why, and shows no setting's value."""


def main() -> None:
    """Exit with 0 where the process in question is well, else with 1."""
    try:
        print(_answer(sys.argv[1:]))  # noqa: T201 - what `docker inspect` and `kubectl describe` show
    except (_UnhealthyError, SettingsError) as error:
        sys.exit(f"unhealthy: {error}")


def _answer(arguments: list[str]) -> str:
    check = _CHECKS.get(arguments[0]) if len(arguments) == 1 else None
    if check is None:
        raise _UnhealthyError(f"say which process: {' or '.join(_CHECKS)}")
    return check(read_settings(os.environ))


def _api(settings: Settings) -> str:
    connection = HTTPConnection(_LOOPBACK.get(settings.host, settings.host), settings.port, timeout=_API_S)
    try:
        connection.request("GET", ROUTE)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise _UnhealthyError(f"the API does not answer: {type(error).__name__}") from error
    finally:
        connection.close()
    if status != 200:  # noqa: PLR2004 - HTTP's word for "well"
        raise _UnhealthyError(f"the API answers {status}")
    return "the API answers"


def _worker(settings: Settings) -> str:
    try:
        alive = asyncio.run(_has_worker(settings.redis_url))
    except (UnavailableError, TimeoutError, ValueError) as error:  # ValueError: of a URL, which it may quote
        raise _UnhealthyError("Redis does not answer") from error
    if not alive:
        raise _UnhealthyError("no worker has given a sign of life")
    return "a worker gave a sign of life"


async def _has_worker(redis_url: str) -> bool:
    async with asyncio.timeout(_REDIS_S), opened_redis(redis_url) as redis:
        return await ArqDispatcher(redis).has_worker()


_CHECKS: Mapping[str, Callable[[Settings], str]] = {"api": _api, "worker": _worker}


if __name__ == "__main__":
    main()
