"""Whoever looks on while events are worked on: each keeps the port's promises."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.contextvars import get_contextvars

from adapters.telemetry.telemetry import Telemetry
from adapters.telemetry.work_watch import ObservingWatch
from application.unwatched import Unwatched
from builders.figures import figure
from builders.service import Service, a_service
from builders.traces import kept_spans
from contracts.records import a_document, documents_registered, program_deleted
from contracts.work_watch import WorkWatchContract, started
from domain.errors import MisconfiguredError, UnavailableError
from domain.events import EventKind
from domain.ports.work_watch import WorkResult
from fakes.work_watch import RememberingWatch


class TestRememberingWatch(WorkWatchContract):
    @pytest.fixture
    def watch(self) -> RememberingWatch:
        return RememberingWatch()

    @pytest.fixture
    def results(self, watch: RememberingWatch) -> Callable[[], list[WorkResult]]:
        return lambda: watch.results


class TestObservingWatch(WorkWatchContract):
    @pytest.fixture(params=["counting", "tracing"])
    def telemetry(self, request: pytest.FixtureRequest) -> Telemetry:
        return Telemetry(spans=kept_spans()[0]) if request.param == "tracing" else Telemetry()

    @pytest.fixture
    def watch(self, telemetry: Telemetry) -> ObservingWatch:
        return ObservingWatch(telemetry)

    @pytest.fixture
    def results(self, telemetry: Telemetry) -> Callable[[], list[WorkResult]]:
        def counted() -> list[WorkResult]:
            kinds = [(kind, result) for kind in EventKind for result in WorkResult]
            return [
                result
                for kind, result in kinds
                for _ in range(int(figure(telemetry.metrics, "ladderbase_jobs_total", kind=kind, result=result)))
            ]

        return counted


def test_nobody_is_told_and_nobody_is_hindered() -> None:
    with Unwatched().work(started(program_deleted())) as tell:
        tell(WorkResult.DONE)


def test_every_line_of_the_log_says_what_it_is_about() -> None:
    watch, document = ObservingWatch(Telemetry()), a_document(3, generation=2)
    with watch.work(started(documents_registered(document), {"request_id": "r-1"})):
        assert get_contextvars() == {
            "event_id": 7,
            "pgm_id": document.pgm_id,
            "document_id": document.document_id,
            "generation": 2,
            "request_id": "r-1",
        }
    with watch.work(started(documents_registered(a_document(1), a_document(2)))):
        assert get_contextvars() == {"event_id": 7, "pgm_id": document.pgm_id, "documents": 2}
    assert get_contextvars() == {}


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path, work_watch=RememberingWatch())


def seen_by(service: Service) -> RememberingWatch:
    watch = service.container.work_watch()
    assert isinstance(watch, RememberingWatch)
    return watch


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (UnavailableError("embedder", "away"), WorkResult.RETRIED),
        (MisconfiguredError("no key"), WorkResult.PUT_OFF),
        (KeyError("a bug"), WorkResult.SPLIT),
    ],
)
async def test_work_that_fails_says_what_becomes_of_the_event(
    service: Service, error: Exception, result: WorkResult
) -> None:
    async def fail(_: object) -> None:
        raise error

    service.embedder.before = fail
    await service.register()
    await service.work()
    assert seen_by(service).results == [result]


async def test_work_that_is_done_says_so_and_a_claim_that_ran_out_is_a_rescue(service: Service) -> None:
    await service.register()
    await service.relay()
    assert seen_by(service).rescues == 0
    service.dispatcher.lose_everything()
    await service.registry.clock.advance(timedelta(minutes=1))
    await service.work()
    assert (seen_by(service).results, seen_by(service).rescues) == ([WorkResult.DONE], 1)
