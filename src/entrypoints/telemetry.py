"""What a process tells of itself while it runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.telemetry.telemetry import Telemetry
from entrypoints.build import this_build
from entrypoints.settings import Settings


@asynccontextmanager
async def opened_telemetry(settings: Settings, _process: str) -> AsyncIterator[Telemetry]:
    """Metrics of the process."""
    telemetry = Telemetry()
    telemetry.metrics.watch_process()
    build = this_build(settings.build_commit)
    telemetry.metrics.build.labels(build.version, build.commit or "unknown").set(1)
    yield telemetry
