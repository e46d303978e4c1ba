"""The product over fakes behind a real connection: what a client sees that reads piece by piece."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import uvicorn

from builders.product import until
from builders.service import Service
from entrypoints.api.app import create_app
from entrypoints.api.http_protocol import ProblemProtocol
from entrypoints.embedded.ports import free_port

_CONNECTIONS = 40


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[tuple[httpx.AsyncClient, uvicorn.Server]]:
    """A client and its server, on a free port of loopback, for the length of the block."""
    port = free_port()
    app = create_app(service.container)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            http=ProblemProtocol,
            ws="none",
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=30,
        )
    )
    serving = asyncio.create_task(server._serve())
    limits = httpx.Limits(max_connections=_CONNECTIONS)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=10) as client:
            await until(partial(_has_started, server), within_s=10)
            yield client, server
    finally:
        server.should_exit = True
        service.container.stopping().set()
        await serving


async def _has_started(server: uvicorn.Server) -> bool:
    return server.started
