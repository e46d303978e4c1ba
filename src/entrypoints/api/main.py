"""The API process: `python -m entrypoints.api.main`. Ends within 30 s of SIGTERM, requests in flight answered."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from adapters.queue.redis_pool import opened_redis
from domain.errors import MisconfiguredError
from entrypoints.api.app import create_app
from entrypoints.api.bounded_connection import BoundedConnection
from entrypoints.key_uses import uses_told
from entrypoints.lifespan import opened
from entrypoints.logs import configure_logging
from entrypoints.settings import Settings, SettingsError, exit_on, read_settings, require_consistent_access

GRACE_S = 30
_KEEP_ALIVE_S = 30


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = read_settings(os.environ)
        require_consistent_access(settings)
    except SettingsError as error:
        exit_on(error)
    configure_logging(settings.log_level)
    try:
        asyncio.run(_serve(settings))
    except MisconfiguredError as error:
        exit_on(error)


async def _serve(settings: Settings) -> None:
    async with (
        opened_redis(settings.redis_url) as redis,
        opened(settings, redis) as container,
        uses_told(container.known_keys()),
    ):
        server = _Server(
            uvicorn.Config(
                create_app(container),
                host=settings.host,
                port=settings.port,
                access_log=False,
                log_config=None,
                http=BoundedConnection,
                ws="none",
                proxy_headers=bool(settings.proxies),
                forwarded_allow_ips=list(settings.proxies),
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
                timeout_keep_alive=_KEEP_ALIVE_S,
            )
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.handle_exit, number, None)
        await server.serve()


class _Server(uvicorn.Server):
    """Uvicorn raises the signal again once it has stopped, which would end the process before all is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


if __name__ == "__main__":
    main()
