"""One trace from a request over the outbox and a worker to the vector index; and nothing of anybody's in it."""

from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.telemetry.origin import current_origin
from adapters.telemetry.telemetry import Telemetry
from builders.service import Service, a_service, connected
from builders.traces import ancestry, kept_spans
from domain.errors import UnavailableError
from entrypoints.observed import observe

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
DETAILS = {"pgm_name": "비밀 라인", "create_user": "kim"}


@pytest.fixture
def spans() -> tuple[Telemetry, InMemorySpanExporter]:
    traced, exporter = kept_spans()
    return Telemetry(spans=traced), exporter


@pytest.fixture
async def service(tmp_path: Path, spans: tuple[Telemetry, InMemorySpanExporter]) -> Service:
    service = await a_service(tmp_path)
    service.registry.origin = current_origin
    observe(service.container, spans[0])
    return service


@pytest.fixture
def kept(spans: tuple[Telemetry, InMemorySpanExporter]) -> InMemorySpanExporter:
    return spans[1]


async def upload(service: Service, **headers: str) -> None:
    files = {
        "pgm_ladder_zip_file": ("비밀.zip", service.upload.ladder_zip.path.read_bytes()),
        "pgm_template_file": ("비밀.xlsx", service.upload.template.path.read_bytes()),
    }
    async with connected(service) as client:
        answer = await client.post("/v1/programs", data=DETAILS, files=files, headers=headers)
        assert answer.status_code == 201, answer.text


async def test_one_trace_goes_from_the_request_over_the_outbox_and_the_worker_to_the_index(
    service: Service, kept: InMemorySpanExporter
) -> None:
    await upload(service, traceparent=f"00-{TRACE_ID}-00f067aa0ba902b7-01")
    await service.work()
    found = kept.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in found if span.context} == {TRACE_ID}
    request = "POST /v1/programs"
    for name in ("read upload", "blobs put", "postgres transaction"):
        assert ancestry(found, name)[-1] == request
    for name in ("read documents", "embed", "milvus upsert", "milvus chunk_ids"):
        assert ancestry(found, name) == [name, "handle documents_registered", "postgres transaction", request]


async def test_a_request_without_a_trace_begins_one_and_what_nobody_asked_for_has_none(
    service: Service, kept: InMemorySpanExporter
) -> None:
    await service.relay()
    assert kept.get_finished_spans() == ()
    await upload(service)
    await upload(service)
    await service.work()
    traces = {span.context.trace_id for span in kept.get_finished_spans() if span.context}
    assert len(traces) == 2


async def test_probes_and_scrapes_are_not_traced(service: Service, kept: InMemorySpanExporter) -> None:
    async with connected(service) as client:
        for path in ("/healthz", "/readyz", "/metrics"):
            await client.get(path)
    assert kept.get_finished_spans() == ()


async def test_a_failing_call_is_named_in_its_span_without_what_the_error_says(
    service: Service, kept: InMemorySpanExporter
) -> None:
    async def fail(_: object) -> None:
        raise UnavailableError("embedder", "비밀")

    service.embedder.before = fail
    await upload(service)
    await service.work()
    (failed,) = (span for span in kept.get_finished_spans() if span.name == "embed")
    assert failed.status.description == "UnavailableError"
    assert failed.events == ()
    (handled,) = (span for span in kept.get_finished_spans() if span.name == "handle documents_registered")
    assert (handled.attributes or {})["ladderbase.result"] == "retried"


async def test_nothing_of_anybody_s_is_in_a_trace(service: Service, kept: InMemorySpanExporter) -> None:
    await upload(service, Authorization="Bearer s3cret")
    async with connected(service) as client:
        await client.post("/v1/search", json={"query": "비밀"})
        await client.get("/v1/programs/PGM_1", params={"q": "비밀"})
    await service.work()
    told = [span.to_json() for span in kept.get_finished_spans()]
    assert len(told) > 8
    assert not [text for text in told if "비밀" in text or "\\ube44" in text or "%EB%B9%84" in text or "s3cret" in text]
