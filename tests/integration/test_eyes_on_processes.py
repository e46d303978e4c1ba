"""An API and a worker as processes: one trace over both of them, metrics of both, and logs that hang together."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from builders.figures import told_by
from builders.product import Product, Program, a_product, until
from builders.uploads import CONVEYOR, archive_of, template_of
from entrypoints.embedded.ports import LOOPBACK, free_port

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


class Collector:
    """What takes spans by OTLP over HTTP: service -> {span id: (parent, name, trace)}."""

    def __init__(self) -> None:
        self.spans: dict[bytes, tuple[bytes, str, str, str]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.url = f"http://{LOOPBACK}:{self.server.server_port}"

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    known = (span.parent_span_id, span.name, named["service.name"], span.trace_id.hex())
                    self.spans[span.span_id] = known

    def way_up(self, name: str) -> list[tuple[str, str]]:
        """(service, name) of each span of our trace from this one to the root."""
        at = next(each for each, span in self.spans.items() if span[1] == name and span[3] == TRACE_ID)
        way: list[tuple[str, str]] = []
        while at in self.spans:
            at, named, service, _ = self.spans[at]
            way.append((service, named))
        return way


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    Thread(target=collector.server.serve_forever, daemon=True).start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


@pytest.fixture
def product(
    database_url: str, redis_url: str, milvus_uri: str, collector: Collector, tmp_path: Path
) -> Iterator[Product]:
    with a_product(
        tmp_path,
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        MILVUS_URI=milvus_uri,
        MILVUS_COLLECTION_NAME=f"eyes_{free_port()}",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        LOG_FORMAT="json",
        LOG_LEVEL="DEBUG",
        BUILD_COMMIT="16b8366",
    ) as product:
        yield product


async def _index_something(api: Program) -> None:
    files = {
        "pgm_ladder_zip_file": ("비밀.zip", archive_of({"0000_11": CONVEYOR})),
        "pgm_template_file": ("template.xlsx", template_of([("0", "이송부", "", "0000_11", "L")])),
    }
    headers = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01", "X-Request-Id": "r-17"}
    async with httpx.AsyncClient(base_url=api.url, timeout=60, trust_env=False) as client:

        async def answers(path: str) -> bool:
            try:
                return (await client.get(path)).is_success
            except httpx.TransportError:
                return False

        await until(lambda: answers("/readyz"), within_s=60)
        details = {"pgm_name": "비밀", "create_user": "kim"}
        answer = await client.post("/v1/programs", data=details, files=files, headers=headers)
        assert answer.status_code == 201, answer.text

        async def indexed() -> bool:
            return bool((await client.get("/v1/programs/PGM_1/indexing")).json()["status"] == "indexed")

        await until(indexed, within_s=60)
        assert (await client.get("/version")).json()["commit"] == "16b8366"


def _lines(program: Program) -> list[dict[str, object]]:
    return [json.loads(line) for line in program.said.splitlines()]


async def test_one_trace_leads_over_the_processes_and_both_tell_how_they_are(
    product: Product, collector: Collector
) -> None:
    metrics_port = str(free_port())
    api, worker = product.api(), product.worker(WORKER_METRICS_PORT=metrics_port)
    await _index_something(api)
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        of_worker = told_by((await client.get(f"http://{LOOPBACK}:{metrics_port}/metrics")).text)
        of_api = told_by((await client.get(f"{api.url}/metrics")).text)
    assert (api.end(), worker.end()) == (0, 0)  # which sends what is left of the spans

    api_name, worker_name = "ladderbase-api", "ladderbase-worker"
    request = [(api_name, "postgres transaction"), (api_name, "POST /v1/programs")]
    handled = (worker_name, "handle documents_registered")
    for name in ("read documents", "embed", "milvus upsert", "milvus chunk_ids"):
        assert collector.way_up(name) == [(worker_name, name), handled, *request]
    assert collector.way_up("blobs put")[-1] in {request[-1], handled, (api_name, "POST /v1/programs")}

    done = frozenset({("kind", "documents_registered"), ("result", "done")})
    upserts = frozenset({("operation", "upsert"), ("result", "ok")})
    accepted = frozenset({("operation", "register_program"), ("result", "accepted")})
    assert of_worker["ladderbase_jobs_total", done] >= 1
    assert of_worker["ladderbase_milvus_seconds_count", upserts] >= 1
    assert of_worker["ladderbase_embedding_seconds_count", frozenset({("purpose", "index"), ("result", "ok")})] >= 1
    assert of_api["ladderbase_uploads_total", accepted] == 1
    assert of_api["process_resident_memory_bytes", frozenset()] > 0

    assert {"r-17"} <= {line.get("request_id") for line in _lines(api)}
    assert "비밀" not in api.said + worker.said
