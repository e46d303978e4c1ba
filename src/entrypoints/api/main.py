"""The API process: `python -m entrypoints.api.main`.

At SIGTERM it says for SHUTDOWN_DELAY_S that it is not ready, and goes on. Then it takes nothing more, and ends within
30 s, requests in flight answered. A second signal ends the delay.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from adapters.queue.redis_pool import opened_redis
from domain.errors import MisconfiguredError
from entrypoints.api.app import create_app
from entrypoints.api.http_protocol import ProblemProtocol
from entrypoints.key_uses import uses_told
from entrypoints.lifespan import opened
from entrypoints.logs import configure_logging
from entrypoints.observed import observe
from entrypoints.server_settings import warn_of_settings
from entrypoints.settings import Settings, SettingsError, exit_on, read_settings, require_consistent_access
from entrypoints.telemetry import opened_telemetry

GRACE_S = 30
_KEEP_ALIVE_S = 30


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = read_settings(os.environ)
        require_consistent_access(settings)
    except SettingsError as error:
        exit_on(error)
    configure_logging(settings.log_level, settings.log_format)
    try:
        asyncio.run(_serve(settings))
    except MisconfiguredError as error:
        exit_on(error)


async def _serve(settings: Settings) -> None:
    async with (
        opened_redis(settings.redis_url) as redis,
        opened_telemetry(settings, "api") as telemetry,
        opened(settings, redis) as container,
        uses_told(container.known_keys()),
    ):
        observe(container, telemetry)
        await warn_of_settings(container.readiness_checks())
        server = _Server(
            uvicorn.Config(
                create_app(container),
                http=ProblemProtocol,
                host=settings.host,
                port=settings.port,
                access_log=False,
                log_config=None,
                ws="none",
                proxy_headers=bool(settings.proxies),
                forwarded_allow_ips=list(settings.proxies),
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
                timeout_keep_alive=_KEEP_ALIVE_S,
            )
        )
        stopping = _Stopping(server, container.stopping(), delay_s=settings.shutdown_delay_s)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.begin, number)
        gc.collect()
        gc.freeze()  # what stays for good is not looked through again: a tenth of a second in which nobody is answered
        await server.serve()
        stopping.forget()


class _Server(uvicorn.Server):
    """Uvicorn raises the signal again once it has stopped, which would end the process before all is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Stopping:
    """Whoever spreads the traffic is told first, and given the time to look."""

    def __init__(self, server: uvicorn.Server, told: asyncio.Event, *, delay_s: int) -> None:
        self._server = server
        self._told = told
        self._delay_s = delay_s
        self._later: asyncio.TimerHandle | None = None

    def begin(self, number: int) -> None:
        is_first = not self._told.is_set()
        self._told.set()
        self.forget()
        if is_first and self._delay_s:
            self._later = asyncio.get_running_loop().call_later(self._delay_s, self._server.handle_exit, number, None)
        else:
            self._server.handle_exit(number, None)

    def forget(self) -> None:
        if self._later:
            self._later.cancel()


if __name__ == "__main__":
    main()
