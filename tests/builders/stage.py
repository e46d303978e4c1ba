"""Every command with fakes behind it, in the order of a page: those on the stores and the servers too."""

import shlex
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result

from application.check_readiness import Check
from builders.command_line import application
from builders.service import Service
from entrypoints.cli.main import main
from entrypoints.container import Container
from entrypoints.embedded.stack import EmbeddedStack

ENVIRONMENT = {"DATABASE_URL": "postgresql://a@127.0.0.1/x", "REDIS_URL": "redis://127.0.0.1:9"}


async def _fine() -> None:
    pass


CHECKS: Mapping[str, Check] = dict.fromkeys(("postgres", "queue", "worker", "milvus", "embedder", "blob store"), _fine)


def stage(service: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """Runs a line as a shell does. What opens servers is given the service's fakes instead."""

    @asynccontextmanager
    async def opened(*_: object) -> AsyncIterator[Container]:
        yield service.container

    async def nothing(*_: object, **__: object) -> None:
        pass

    async def announced(stack: EmbeddedStack, *, on_ready: Callable[[str], None]) -> int:
        on_ready(stack.url)
        return 0

    async def shown(*_: object) -> dict[str, list[Any]]:
        return {"programs": [], "searches": []}

    for place in (
        "audit.opened_stores",
        "gc.opened_stores",
        "reindex.opened_stores",
        "doctor.opened",
        "keys._container",
    ):
        monkeypatch.setattr(f"entrypoints.cli.{place}", opened)
    monkeypatch.setattr("entrypoints.cli.keys._now", service.registry.clock)
    monkeypatch.setattr("entrypoints.cli.doctor.configure_logging", lambda _: None)
    monkeypatch.setattr("entrypoints.cli.migrate.upgrade", nothing)
    monkeypatch.setattr("entrypoints.mcp_server.serve", nothing)
    monkeypatch.setattr("entrypoints.cli.run.run", announced)
    monkeypatch.setattr("entrypoints.cli.demo._demo", shown)

    transport = application(service)

    def invoke(line: str) -> Result:
        _, *words = shlex.split(line)
        return CliRunner().invoke(main, words, prog_name="ladderbase", obj=transport, env=ENVIRONMENT)

    return invoke
