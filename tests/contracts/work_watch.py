"""What every WorkWatch promises."""

import asyncio
from collections.abc import Callable

import pytest

from contracts.records import a_document, documents_registered, program_deleted
from domain.events import Event, StartedEvent
from domain.ports.work_watch import WorkResult, WorkWatch

ResultsOf = Callable[[], list[WorkResult]]
EVENTS = [program_deleted(), documents_registered(a_document(1)), documents_registered(a_document(1), a_document(2))]


def started(event: Event, origin: dict[str, str] | None = None) -> StartedEvent:
    return StartedEvent(event_id=7, lease_token="t", attempts=1, event=event, origin=origin or {})


class WorkWatchContract:
    """Needs the fixtures `watch` and `results`, which tells the results that the watch has seen."""

    @pytest.mark.parametrize("event", EVENTS, ids=["a purge", "a document", "documents"])
    @pytest.mark.parametrize("result", WorkResult)
    async def test_how_work_ended_is_seen(
        self, watch: WorkWatch, results: ResultsOf, event: Event, result: WorkResult
    ) -> None:
        with watch.work(started(event)) as tell:
            tell(result)
        assert results() == [result]

    async def test_what_is_cancelled_is_handed_back(self, watch: WorkWatch, results: ResultsOf) -> None:
        with pytest.raises(asyncio.CancelledError), watch.work(started(program_deleted())):
            raise asyncio.CancelledError
        assert results() == [WorkResult.HANDED_BACK]

    async def test_what_is_raised_passes_and_is_seen_as_unrecorded(self, watch: WorkWatch, results: ResultsOf) -> None:
        error = KeyError("a bug")
        with pytest.raises(KeyError) as raised, watch.work(started(program_deleted())):
            raise error
        assert raised.value is error
        assert results() == [WorkResult.UNRECORDED]

    @pytest.mark.parametrize("origin", [{"traceparent": "nonsense"}, {"request_id": "x" * 9_000}, {"other": "한"}])
    async def test_an_odd_origin_is_no_reason_not_to_work(
        self, watch: WorkWatch, results: ResultsOf, origin: dict[str, str]
    ) -> None:
        with watch.work(started(program_deleted(), origin)) as tell:
            tell(WorkResult.DONE)
        assert results() == [WorkResult.DONE]
