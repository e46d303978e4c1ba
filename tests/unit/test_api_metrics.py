"""What the API counts of its requests and uploads, and who is told."""

import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from httpx import AsyncClient, Response
from prometheus_client import CollectorRegistry, generate_latest

from adapters.telemetry import exposition
from adapters.telemetry.exposition import READ_EVERY_S
from adapters.telemetry.metrics import Metrics
from builders.figures import figure, told_by
from builders.service import Service, a_service, connected
from contracts.outbox import commit
from contracts.records import program_deleted
from domain.drift import DriftKind
from domain.errors import UnavailableError
from domain.findings import Finding, Section, Severity
from domain.ports.backlog import Backlog, DeliveryBacklog, KindBacklog
from domain.told import told
from entrypoints.observed import observe

DETAILS = {"pgm_name": "셀 라인", "create_user": "kim"}


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    service = await a_service(tmp_path)
    observe(service.container, service.container.telemetry())
    return service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with connected(service) as client:
        yield client


@pytest.fixture
def metrics(service: Service) -> Metrics:
    found: Metrics = service.container.telemetry().metrics
    return found


async def upload(client: AsyncClient, service: Service, key: str = "") -> Response:
    files = {
        "pgm_ladder_zip_file": ("ladder.zip", service.upload.ladder_zip.path.read_bytes()),
        "pgm_template_file": ("template.xlsx", service.upload.template.path.read_bytes()),
    }
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post("/v1/programs", data=DETAILS, files=files, headers=headers)


async def test_a_request_is_counted_by_the_template_of_its_route(client: AsyncClient, metrics: Metrics) -> None:
    for number in range(3):
        await client.get(f"/v1/programs/PGM_{number}")
    labels = {"method": "GET", "route": "/v1/programs/{pgm_id}", "status": "4xx"}
    assert figure(metrics, "ladderbase_http_request_seconds_count", **labels) == 3
    assert figure(metrics, "ladderbase_http_requests_in_progress") == 0


async def test_a_head_is_counted_as_one(client: AsyncClient, metrics: Metrics) -> None:
    await client.head("/v1/programs")
    labels = {"method": "HEAD", "route": "/v1/programs", "status": "2xx"}
    assert figure(metrics, "ladderbase_http_request_seconds_count", **labels) == 1


async def test_whatever_is_asked_for_makes_no_label(client: AsyncClient, metrics: Metrics) -> None:
    for number in range(50):
        await client.request(f"ODD{number}", f"/nothing/{number}")
        await client.get(f"/v1/programs/{number}/x/{number}")
    routes = {sample.labels["route"] for family in metrics.request_seconds.collect() for sample in family.samples}
    methods = {sample.labels["method"] for family in metrics.request_seconds.collect() for sample in family.samples}
    assert routes == {"unknown"}
    assert methods == {"GET", "other"}


async def test_uploads_are_counted_by_what_came_of_them(
    client: AsyncClient, service: Service, metrics: Metrics
) -> None:
    await upload(client, service)
    await upload(client, service, key="one")
    await upload(client, service, key="one")
    await client.post("/v1/programs", data=DETAILS)
    service.upload_reader.inspected = replace(service.inspected, findings=(a_finding(Severity.ERROR),))
    await upload(client, service)
    counted = {
        sample.labels["result"]: sample.value
        for family in metrics.uploads.collect()
        for sample in family.samples
        if sample.name == "ladderbase_uploads_total"
    }
    assert counted == {"accepted": 2, "replayed": 1, "media_type_unsupported": 1, "row_invalid": 1}


async def test_findings_are_counted_by_their_code(client: AsyncClient, service: Service, metrics: Metrics) -> None:
    findings = (a_finding(Severity.ERROR), a_finding(Severity.ERROR), a_finding(Severity.NOTICE))
    service.upload_reader.inspected = replace(service.inspected, findings=findings)
    await upload(client, service)
    assert figure(metrics, "ladderbase_findings_total", code="row_invalid", severity="error") == 2
    assert figure(metrics, "ladderbase_findings_total", code="row_invalid", severity="notice") == 1


def a_finding(severity: Severity) -> Finding:
    return Finding(
        section=Section.TEMPLATE,
        code="row_invalid",
        file="비밀.xlsx",
        message=told("no"),
        hint=told("mend it"),
        severity=severity,
    )


async def test_a_scrape_tells_the_outbox_and_the_last_audit_beside_what_was_counted(
    client: AsyncClient, service: Service
) -> None:
    await commit(service.container.unit_of_work(), program_deleted(), program_deleted())
    log = service.container.audit_log()
    await log.record({DriftKind.VECTORS_MISSING: 3})
    answer = await client.get("/metrics")
    figures = told_by(answer.text)
    assert answer.headers["content-type"] == f"{exposition.MEDIA_TYPE}; charset=utf-8"
    waiting = frozenset({("kind", "program_deleted"), ("state", "due")})
    nothing = frozenset({("kind", "documents_registered"), ("state", "due")})
    assert (figures["ladderbase_outbox_events", waiting], figures["ladderbase_outbox_events", nothing]) == (2, 0)
    assert figures["ladderbase_drift", frozenset({("kind", "vectors_missing")})] == 3
    assert figures["ladderbase_drift", frozenset({("kind", "blob_missing")})] == 0
    assert figures["ladderbase_record_up", frozenset()] == 1


class CountingBacklog(Backlog):
    def __init__(self) -> None:
        self.asked = 0
        self.is_away = False

    async def by_kind(self) -> Sequence[KindBacklog]:
        self.asked += 1
        if self.is_away:
            raise UnavailableError("postgres", "no answer")
        return [KindBacklog(kind="made up later", due=1, leased=0, delayed=0, dead=0, oldest_age_s=7.0)]

    async def deliveries(self) -> DeliveryBacklog:
        return DeliveryBacklog(pending=3, dead=1)


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def counting() -> CountingBacklog:
    return CountingBacklog()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def scraped(service: Service, counting: CountingBacklog, seconds: Seconds) -> exposition.Exposition:
    return exposition.Exposition(
        Metrics(), backlog=counting, audit_log=service.container.audit_log(), monotonic=seconds
    )


async def test_however_often_is_scraped_the_record_is_asked_now_and_then(
    scraped: exposition.Exposition, counting: CountingBacklog, seconds: Seconds
) -> None:
    for _ in range(20):
        await scraped()
    assert counting.asked == 1
    seconds.now += READ_EVERY_S
    await scraped()
    assert counting.asked == 2


async def test_there_is_no_age_of_an_audit_before_the_first(
    scraped: exposition.Exposition, service: Service, seconds: Seconds
) -> None:
    assert "\nladderbase_audit_age_seconds" not in (await scraped()).decode()
    await service.container.audit_log().record({})
    seconds.now += READ_EVERY_S
    assert "\nladderbase_audit_age_seconds " in (await scraped()).decode()


async def test_deliveries_to_webhooks_are_told_by_what_became_of_them(scraped: exposition.Exposition) -> None:
    figures = told_by((await scraped()).decode())
    told_of = {
        state: figures["ladderbase_webhook_deliveries", frozenset({("state", state)})] for state in ("pending", "dead")
    }
    assert told_of == {"pending": 3, "dead": 1}


async def test_a_record_that_is_away_takes_its_figures_along_and_nothing_else(
    scraped: exposition.Exposition, service: Service, counting: CountingBacklog, seconds: Seconds
) -> None:
    await service.container.audit_log().record({})
    assert 'ladderbase_outbox_events{kind="other",state="due"} 1.0' in (await scraped()).decode()
    counting.is_away = True
    seconds.now += READ_EVERY_S
    told_now = (await scraped()).decode()
    assert "ladderbase_record_up 0.0" in told_now
    assert "ladderbase_outbox_events{" not in told_now
    assert "ladderbase_webhook_deliveries{" not in told_now
    assert "\nladderbase_audit_age_seconds" not in told_now


async def test_a_scrape_is_written_beside_the_event_loop(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def noting(registry: CollectorRegistry) -> bytes:
        threads.append(threading.current_thread())
        return generate_latest(registry)

    monkeypatch.setattr(exposition, "generate_latest", noting)
    await client.get("/metrics")
    assert threads != [threading.main_thread()]
    assert len(threads) == 1


@pytest.mark.parametrize(("is_open", "status"), [(False, 401), (True, 200)])
async def test_metrics_ask_for_a_key_unless_they_are_open(tmp_path: Path, *, is_open: bool, status: int) -> None:
    service = await a_service(tmp_path, auth_required=True, metrics_are_open=is_open)
    async with connected(service) as client:
        assert (await client.get("/metrics")).status_code == status


async def test_a_version_says_what_was_built_and_which_schema_it_needs(client: AsyncClient) -> None:
    body = (await client.get("/version")).json()
    assert body.keys() == {"name", "version", "commit", "migration"}
    assert body["migration"].isdigit()
    assert body["commit"] is None
