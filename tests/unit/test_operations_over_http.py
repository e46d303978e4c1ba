"""How the service stands, over HTTP."""

import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from builders.service import Service, a_service, connected
from domain.caller import Scope
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.operations import Overview
from entrypoints.api.app import create_app
from fakes.embedder import HashingEmbedder, UnavailableEmbedder
from fakes.operations import InMemoryOperations

Client = AsyncTestClient[Litestar]


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path, embedder=UnavailableEmbedder(HashingEmbedder(), failures=1))


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(service.container)) as client:
        yield client


async def test_what_waits_is_told_with_its_last_failure_and_next_attempt(client: Client, service: Service) -> None:
    await service.register()
    await service.registry.clock.advance(timedelta(seconds=30))
    await service.work()
    body = (await client.get("/v1/operations")).json()
    assert body["documents"] == {"pending": 0, "indexing": 3, "indexed": 0, "failed": 0, "skipped": 1}
    assert body["outbox"] == {"pending": 1, "due": 0, "leased": 0, "dead": 0, "oldest_age_s": 30.0}
    oldest = body["oldest"]
    assert (oldest["document_id"], oldest["age_s"], oldest["attempts"]) == ("PGM_1-r1-0001", 30.0, 1)
    assert oldest["waits_for"] == "next_attempt"
    assert datetime.fromisoformat(oldest["next_attempt_dt"]) > datetime.fromisoformat(body["as_of_dt"])
    assert (oldest["last_failure"]["stage"], oldest["last_failure"]["code"]) == ("embed", "unavailable")


async def test_a_service_at_rest_waits_for_nothing(client: Client, service: Service) -> None:
    await service.register()
    await service.work_for(timedelta(minutes=1))
    body = (await client.get("/v1/operations")).json()
    assert (body["oldest"], body["outbox"]["oldest_age_s"], body["uploads"]) == (None, None, 0)
    (index,) = body["indexes"]
    assert (index["current"], index["complete"], index["building"]) == (True, True, False)
    assert (index["held"], index["total"]) == (3, 3)


async def test_a_document_that_nobody_tries_any_more_waits_for_an_operator(client: Client, service: Service) -> None:
    await service.register()
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.outbox.bury(1, reason="event_unreadable")
    body = (await client.get("/v1/operations")).json()
    assert body["outbox"]["dead"] == 1
    assert (body["oldest"]["waits_for"], body["oldest"]["next_attempt_dt"]) == ("operator", None)


async def test_a_document_of_a_clock_ahead_is_of_no_age(client: Client, service: Service) -> None:
    await service.register()
    await service.registry.clock.advance(timedelta(hours=-1))
    assert (await client.get("/v1/operations")).json()["oldest"]["age_s"] == 0.0


async def test_without_a_database_nothing_is_told(tmp_path: Path) -> None:
    class Silent(InMemoryOperations):
        async def overview(self) -> Overview:
            raise UnavailableError("postgres", "connection refused by 10.0.0.9")

    service = await a_service(tmp_path)
    service.container.operations.override(Silent(service.registry))
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await client.get("/v1/operations")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "10.0.0.9" not in answer.text


async def wrong() -> None:
    raise MisconfiguredError("the setting MILVUS_EMBEDDING_DIM is wrong")


async def limited() -> str:
    return "fsync off: a crash may cost what was accepted"


async def test_what_is_wrong_with_a_dependency_is_told_to_the_scope_admin_alone(tmp_path: Path) -> None:
    service = await a_service(
        tmp_path, auth_required=True, readiness_checks={"milvus": wrong, "postgres": limited, "worker": fine}
    )
    told = {}
    async with connected(service) as client:
        for scope in (Scope.READ, Scope.ADMIN):
            created = await service.container.create_key()(f"{scope}", frozenset({scope}), timedelta(days=1))
            headers = {"Authorization": f"Bearer {created.text}"}
            told[scope] = (await client.get("/v1/operations", headers=headers)).json()["dependencies"]
        open_to_all = (await client.get("/readyz")).text
    assert [(each["dependency"], each["state"], each["text"]) for each in told[Scope.ADMIN]] == [
        ("milvus", "misconfigured", "the setting MILVUS_EMBEDDING_DIM is wrong"),
        ("postgres", "limited", "fsync off: a crash may cost what was accepted"),
    ]
    assert [(each["dependency"], each["state"], each["text"]) for each in told[Scope.READ]] == [
        ("milvus", "misconfigured", None),
        ("postgres", "limited", None),
    ]
    assert "MILVUS_EMBEDDING_DIM" not in open_to_all
    assert "fsync" not in open_to_all


async def fine() -> None:
    pass


async def test_a_change_of_readiness_is_logged_once_with_what_an_operator_needs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ladderbase.readiness")
    checks = {"milvus": wrong, "postgres": fine}
    service = await a_service(tmp_path, readiness_checks=checks)

    def lines() -> list[str]:
        found = [record.getMessage() for record in caplog.records if record.name == "ladderbase.readiness"]
        caplog.clear()
        return found

    async with connected(service) as client:
        for part in ("all", "all", "search", "uploads", "all"):
            await client.get("/readyz", params={"for": part})
        told = 'reason="the setting MILVUS_EMBEDDING_DIM is wrong"'
        assert lines() == [f"dependency name=milvus state=misconfigured {told}"]
        checks["milvus"] = fine
        await client.get("/readyz", params={"for": "search"})
        assert lines() == []
        await client.get("/readyz")
        assert lines() == ["dependency name=milvus state=ready"]
