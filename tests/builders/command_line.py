"""The commands over the HTTP API, against the real application in this process with fakes behind it."""

import json
from collections.abc import Callable
from typing import Any

import httpx
from click.testing import CliRunner, Result

from builders.service import Service
from entrypoints.api.app import create_app
from entrypoints.cli.main import main

Run = Callable[..., Result]


class Busy(httpx.AsyncBaseTransport):
    """Bids whoever asks to come again, so many times."""

    def __init__(self, service: httpx.AsyncBaseTransport, *, times: int, wait_s: str) -> None:
        self._service = service
        self.times = times
        self._wait_s = wait_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.times:
            return await self._service.handle_async_request(request)
        self.times -= 1
        return httpx.Response(429, json={"detail": "too many"}, headers={"Retry-After": self._wait_s}, request=request)


def application(service: Service) -> httpx.AsyncBaseTransport:
    """What a command is given for a network."""
    return httpx.ASGITransport(create_app(service.container))  # type: ignore[arg-type]  # two spellings of ASGI


def runner(service: Service, wrap: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] | None = None) -> Run:
    """Runs a command; `wrap` puts something between it and the service."""
    transport = application(service)

    def invoke(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, list(arguments), obj=wrap(transport) if wrap else transport, **options)

    return invoke


def upload(run: Run, service: Service, *options: str, **changes: Any) -> Result:
    """`ladderbase upload` of the service's upload."""
    return run("upload", str(service.upload.ladder_zip.path), str(service.upload.template.path), *options, **changes)


def answered(result: Result) -> dict[str, Any]:
    """The one JSON document on stdout."""
    body: dict[str, Any] = json.loads(result.stdout)
    return body
