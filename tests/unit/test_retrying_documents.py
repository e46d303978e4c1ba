"""What failed, waits, or is indexed can be given back at any moment, and ends as one generation in the index."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from application.retry_documents import Include, RetryCommand
from application.retry_everywhere import EVENTS_AT_ONCE, PROGRAMS_AT_ONCE, GivenBack
from application.search_rungs import SearchQuery
from application.spool import store_file
from builders.service import Service, a_service
from builders.uploads import CONVEYOR
from domain.document import DocumentState, DocumentType
from domain.errors import NotFoundError
from domain.events import DOCUMENTS_PER_EVENT, DocumentsRegistered, ProgramDeleted
from domain.ports.catalogue import Page
from entrypoints.api.app import create_app
from fakes.operations import InMemoryOperations

Client = AsyncTestClient[Litestar]
ARCHIVE = "programs/PGM_1/r1/zip/ladder.zip"
ZIP, TEMPLATE, FIRST, SECOND = (f"PGM_1-r1-000{number}" for number in range(4))


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(service.container)) as client:
        yield client


async def a_failed_service(service: Service) -> None:
    """Both ladders failed: their archive is gone."""
    await service.register()
    await service.blobs.delete_below("programs/PGM_1/r1/zip")
    await service.work()
    assert states_of(service) == {ZIP: "skipped", TEMPLATE: "indexed", FIRST: "failed", SECOND: "failed"}


async def mend(service: Service) -> None:
    """The archive is back."""
    await store_file(service.blobs, ARCHIVE, service.upload.ladder_zip.path)


async def retry(service: Service, pgm_id: str = "PGM_1", **fields: Any) -> int:
    given_back: int = await service.container.retry_documents()(RetryCommand(pgm_id=pgm_id, **fields))
    return given_back


def states_of(service: Service) -> dict[str, str]:
    return {each.document_id: each.state.value for each in service.registry.committed.documents.values()}


def assert_the_index_holds_what_is_indexed(service: Service) -> None:
    """I3: exactly the chunks of the current generation of each indexed document."""
    expected = {
        f"{document.document_id}.g{document.generation}.{ordinal}"
        for document in service.registry.committed.documents.values()
        if document.state is DocumentState.INDEXED
        for ordinal in range(document.chunk_count)
    }
    assert set(service.index.entries) == expected


def pending_events(service: Service) -> list[DocumentsRegistered]:
    pending = [each.event for each in service.registry.committed.events.values() if each.is_pending]
    return [event for event in pending if isinstance(event, DocumentsRegistered)]


async def test_what_failed_is_indexed_once_it_is_mended(service: Service) -> None:
    await a_failed_service(service)
    await mend(service)
    assert await retry(service) == 2
    assert {states_of(service)[document_id] for document_id in (FIRST, SECOND)} == {"pending"}
    await service.work()
    assert states_of(service) == {ZIP: "skipped", TEMPLATE: "indexed", FIRST: "indexed", SECOND: "indexed"}
    assert_the_index_holds_what_is_indexed(service)
    assert await retry(service) == 0


async def test_what_is_not_mended_fails_again_and_the_history_knows_both(service: Service) -> None:
    await a_failed_service(service)
    await retry(service)
    await service.work()
    assert states_of(service)[FIRST] == "failed"
    failures = (await service.operations.failures("PGM_1", limit=10, document_id=FIRST)).items
    assert [each.attempt.documents[0].generation for each in failures] == [2, 1]


async def test_a_document_that_is_indexed_is_found_again_once_it_is_indexed_anew(service: Service) -> None:
    await service.register()
    await service.work()
    assert await retry(service, include=Include.ALL) == 3
    search = service.container.search_rungs()
    assert not (await search(SearchQuery(text="X0"))).hits
    await service.work()
    assert (await search(SearchQuery(text="X0"))).hits[0].chunk.document_id == FIRST
    assert_the_index_holds_what_is_indexed(service)
    assert {entry.document.generation for entry in service.index.entries.values()} == {2}


@pytest.mark.parametrize("state", [DocumentState.PENDING, DocumentState.INDEXING])
async def test_a_document_that_waits_is_taken_from_its_event(service: Service, state: DocumentState) -> None:
    await service.register()
    document = service.registry.committed.documents[FIRST]
    service.registry.committed.documents[FIRST] = replace(document, state=state)
    assert await retry(service, document_ids=(FIRST,), include=Include.ALL) == 1
    await service.work()
    assert states_of(service)[FIRST] == "indexed"
    assert_the_index_holds_what_is_indexed(service)


async def test_a_retry_while_a_worker_is_at_the_document_refuses_what_it_brings(service: Service) -> None:
    await service.register()

    async def retry_meanwhile(_: Sequence[str]) -> None:
        service.embedder.before = None
        assert await retry(service, include=Include.ALL) == 3

    service.embedder.before = retry_meanwhile
    await service.work()
    assert DocumentState.INDEXED not in service.states.values()
    assert not service.index.entries
    await service.work()
    assert states_of(service)[FIRST] == "indexed"
    assert_the_index_holds_what_is_indexed(service)


async def test_a_deletion_after_a_retry_leaves_nothing(service: Service) -> None:
    await service.register()
    await service.work()
    await retry(service, include=Include.ALL)
    await service.container.delete_program()("PGM_1")
    await service.work()
    assert not service.index.entries
    with pytest.raises(NotFoundError):
        await retry(service)


async def test_a_document_of_a_type_that_is_not_indexed_is_left_alone(service: Service) -> None:
    await a_failed_service(service)
    assert await retry(service, document_ids=(ZIP,), include=Include.ALL) == 0
    assert await retry(service, include=Include.ALL) == 3
    assert states_of(service)[ZIP] == "skipped"


async def test_a_type_that_a_new_version_indexes_is_taken_along(service: Service) -> None:
    await service.register()
    command = RetryCommand(pgm_id="PGM_1", include=Include.ALL)
    newer = replace(service.container.retry_documents(), indexed_types=frozenset(DocumentType))
    assert await newer(command) == 4
    assert states_of(service)[ZIP] == "pending"


async def test_a_document_that_this_version_does_not_index_fails_and_is_not_stranded(service: Service) -> None:
    await service.register()
    newer = replace(service.container.retry_documents(), indexed_types=frozenset(DocumentType))
    await newer(RetryCommand(pgm_id="PGM_1", document_ids=(ZIP,), include=Include.ALL))
    await service.work()
    failure = service.registry.committed.documents[ZIP].failure
    assert failure is not None
    assert failure.code == "type_not_indexed"


async def test_an_unknown_document_is_named_and_nothing_is_changed(service: Service) -> None:
    await a_failed_service(service)
    before = states_of(service), pending_events(service)
    with pytest.raises(NotFoundError, match="PGM_1-r1-0099"):
        await retry(service, document_ids=(FIRST, "PGM_1-r1-0099"))
    assert (states_of(service), pending_events(service)) == before


async def test_a_large_program_is_given_back_in_events_of_a_few(tmp_path: Path) -> None:
    service = await a_service(tmp_path, {f"{number:04d}_11": CONVEYOR for number in range(150)})
    await service.register()
    before = len(pending_events(service))
    assert await retry(service, include=Include.ALL) == 151
    sizes = [len(event.documents) for event in pending_events(service)[before:]]
    assert sum(sizes) == 151
    assert max(sizes) == DOCUMENTS_PER_EVENT


async def test_what_failed_everywhere_is_given_back_page_by_page(service: Service) -> None:
    for _ in range(PROGRAMS_AT_ONCE + 1):
        await service.register()
    await service.blobs.delete_below("programs")
    await service.work_for(timedelta(minutes=4), step=timedelta(seconds=10))
    retry_failed = service.container.retry_failed()
    first = await retry_failed()
    rest = await retry_failed(first.next_cursor)
    assert (first.documents, rest) == (2 * PROGRAMS_AT_ONCE, GivenBack(documents=2))


async def test_a_program_that_is_deleted_meanwhile_is_passed_over(service: Service) -> None:
    await a_failed_service(service)

    class Overtaken(InMemoryOperations):
        async def programs_with_failures(self, *, limit: int, cursor: str | None = None) -> Page[str]:
            page = await super().programs_with_failures(limit=limit, cursor=cursor)
            await service.container.delete_program()("PGM_1")
            return page

    service.container.operations.override(Overtaken(service.registry))
    assert await service.container.retry_failed()() == GivenBack(documents=0)


async def test_a_buried_event_gives_its_document_back(service: Service) -> None:
    async def trip_over_doors(texts: Sequence[str]) -> None:
        if any("도어 잠금" in text for text in texts):
            raise RuntimeError("a bug")

    service.embedder.before = trip_over_doors
    await service.register()
    await service.work_for(timedelta(minutes=5))
    assert states_of(service)[SECOND] == "failed"
    service.embedder.before = None  # mended
    assert await service.container.revive_dead()() == GivenBack(documents=1, events=1)
    await service.work()
    assert states_of(service)[SECOND] == "indexed"
    assert_the_index_holds_what_is_indexed(service)
    assert pending_events(service) == []


async def test_an_event_that_a_new_version_can_read_is_worked_on(service: Service) -> None:
    await service.register()
    stored = service.registry.committed.events[1]
    service.registry.committed.events[1] = replace(stored, event=None)
    await service.work()
    assert service.registry.committed.events[1].is_dead
    assert states_of(service)[FIRST] == "pending"
    service.registry.committed.events[1] = replace(service.registry.committed.events[1], event=stored.event)  # upgraded
    assert await service.container.revive_dead()() == GivenBack(documents=0, events=1)
    await service.work()
    assert states_of(service)[FIRST] == "indexed"


async def test_the_dead_are_given_back_page_by_page(service: Service) -> None:
    async with service.container.unit_of_work().begin() as transaction:
        for event_id in await transaction.outbox.add([ProgramDeleted(pgm_id="PGM_9")] * (EVENTS_AT_ONCE + 1)):
            await transaction.outbox.bury(event_id, reason="poison")
    first = await service.container.revive_dead()()
    rest = await service.container.revive_dead()(first.next_cursor)
    assert (first.events, rest) == (EVENTS_AT_ONCE, GivenBack(documents=0, events=1))


async def test_a_retry_without_a_body_gives_back_what_failed(client: Client, service: Service) -> None:
    await a_failed_service(service)
    answer = await client.post("/v1/programs/PGM_1/retry")
    assert (answer.status_code, answer.json()) == (
        202,
        {"pgm_id": "PGM_1", "document_count": 2, "href": "/v1/programs/PGM_1/indexing"},
    )
    assert (await client.get(answer.json()["href"])).json()["counts"]["pending"] == 2


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({}, 2),
        ({"include": "failed"}, 2),
        ({"include": "all"}, 3),
        ({"document_ids": [FIRST]}, 1),
        ({"document_ids": [FIRST, FIRST, TEMPLATE]}, 1),
        ({"document_ids": [TEMPLATE], "include": "all"}, 1),
    ],
)
async def test_a_retry_gives_back_what_it_names(
    client: Client, service: Service, body: dict[str, Any], count: int
) -> None:
    await a_failed_service(service)
    answer = await client.post("/v1/programs/PGM_1/retry", json=body)
    assert (answer.status_code, answer.json()["document_count"]) == (202, count)


@pytest.mark.parametrize(
    ("path", "body", "status", "named"),
    [
        ("/v1/programs/PGM_404/retry", {}, 404, "PGM_404"),
        ("/v1/programs/PGM_1/retry", {"document_ids": ["PGM_1-r1-0099"]}, 404, "PGM_1-r1-0099"),
        ("/v1/programs/PGM_1/retry", {"document_ids": ["PGM_2-r1-0002"]}, 404, "PGM_2-r1-0002"),
        ("/v1/programs/PGM_1/retry", {"document_ids": []}, 422, "document_ids"),
        ("/v1/programs/PGM_1/retry", {"document_ids": ["'; --"]}, 422, "document_ids[0]"),
        ("/v1/programs/PGM_1/retry", {"document_ids": [FIRST] * 1_001}, 422, "document_ids"),
        ("/v1/programs/PGM_1/retry", {"include": "everything"}, 422, "include"),
        ("/v1/programs/PGM_1/retry", {"force": True}, 422, "force"),
        ("/v1/programs/nope/retry", {}, 422, "pgm_id"),
        ("/v1/retry", {}, 422, "include"),
        ("/v1/retry", {"include": "all"}, 422, "include"),
        ("/v1/retry", {"include": "dead", "cursor": "made-up"}, 422, "cursor"),
        ("/v1/retry", {"include": "failed", "cursor": "made-up"}, 422, "cursor"),
    ],
)
async def test_a_retry_that_cannot_be_done_names_why(
    client: Client, service: Service, *, path: str, body: dict[str, Any], status: int, named: str
) -> None:
    await service.register()
    answer = await client.post(path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert named in answer.json()["detail"]
    assert len(pending_events(service)) == 1


async def test_a_retry_everywhere_tells_what_it_gave_back(client: Client, service: Service) -> None:
    await a_failed_service(service)
    answer = await client.post("/v1/retry", json={"include": "failed"})
    assert (answer.status_code, answer.json()) == (202, {"document_count": 2, "event_count": 0, "next": None})
    assert (await client.post("/v1/retry", json={"include": "dead"})).json()["event_count"] == 0


async def test_the_openapi_document_tells_that_a_retry_needs_no_body(client: Client) -> None:
    paths = (await client.get("/schema/openapi.json")).json()["paths"]
    assert paths["/v1/programs/{pgm_id}/retry"]["post"]["requestBody"]["required"] is False
    assert paths["/v1/retry"]["post"]["requestBody"]["required"] is True
