"""Further documents of a program over HTTP: added, found, replaced, removed."""

import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from application import add_document
from application.sweep_uploads import LONGEST_UPLOAD
from builders.drift import audited
from builders.forms import CONTENT_TYPE, a_form, part
from builders.further import MARKDOWN, OF_EACH_KIND, a_document_form
from builders.pdfs import a_pdf
from builders.service import Service, a_service, connected
from domain.document import DocumentRef, DocumentState
from domain.drift import DriftKind
from domain.errors import UnavailableError
from domain.findings import Finding
from domain.ports.unit_of_work import Transaction, UnitOfWork
from domain.upload import SpooledFile, UploadLimits
from fakes.blob_store import UnavailableBlobStore
from fakes.readers import InProcessPassageReader

DOCUMENTS = "/v1/programs/PGM_1/documents"
FIRST = "PGM_1-r0-0001"


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    return service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with connected(service) as client:
        yield client


async def add(
    client: AsyncClient, name: str, content: bytes, headers: dict[str, str] | None = None, **texts: str
) -> Response:
    body, own = a_document_form(name, content, **texts)
    return await client.post(DOCUMENTS, content=body, headers=own | (headers or {}))


async def found(client: AsyncClient, query: str, **scope: str) -> list[dict[str, Any]]:
    answer = await client.post("/v1/search", json={"query": query, **scope})
    hits: list[dict[str, Any]] = answer.json()["hits"]
    return hits


async def test_a_document_is_added_indexed_and_found_beside_the_rungs(client: AsyncClient, service: Service) -> None:
    answer = await add(client, "점검.md", MARKDOWN, title="펌프 점검표")
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/documents/{FIRST}")
    assert answer.json()["document_type"] == "PGM_FURTHER_DOCUMENT"
    assert answer.json()["title"] == "펌프 점검표"
    await service.work()
    (hit, *_) = await found(client, "비상 정지 X0", document_type="PGM_FURTHER_DOCUMENT")
    assert (hit["document_id"], hit["title"]) == (FIRST, "펌프 점검표, 펌프 점검")
    assert "비상 정지는 X0" in hit["ladder"]
    beside = {each["document_type"] for each in await found(client, "X0")}
    assert beside >= {"PGM_LADDER_CSV", "PGM_FURTHER_DOCUMENT"}


@pytest.mark.parametrize(
    ("name", "query", "place"),
    [
        ("notes.txt", "유압 유닛 필터", ""),
        ("알람.csv", "과열 정지", "rows 5-6"),
        ("펌프.xlsx", "예비 급수", "펌프, rows 6-7"),
        ("예비품.xls", "베어링 수량", "Sheet1, rows 2-3"),
        ("manual.pdf", "ball screw", "page 2"),
    ],
)
async def test_each_kind_is_found_at_its_place(
    client: AsyncClient, service: Service, name: str, query: str, place: str
) -> None:
    assert (await add(client, name, OF_EACH_KIND[name])).status_code == 201
    await service.work()
    (hit, *_) = await found(client, query, document_type="PGM_FURTHER_DOCUMENT")
    assert hit["title"] == ", ".join(filter(None, (name, place)))


async def test_it_is_listed_behind_the_programs_own_and_counted(client: AsyncClient) -> None:
    await add(client, "점검.md", MARKDOWN)
    listed = (await client.get(DOCUMENTS)).json()["items"]
    assert [each["document_id"] for each in listed][-1] == FIRST
    program = (await client.get("/v1/programs/PGM_1")).json()
    assert (program["document_count"], program["indexing"]["status"]) == (len(listed), "indexing")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("점검.md", "text/markdown"),
        ("notes.txt", "text/plain"),
        ("알람.csv", "text/csv"),
        ("manual.pdf", "application/pdf"),
    ],
)
async def test_its_bytes_come_back_as_what_they_are(client: AsyncClient, name: str, media_type: str) -> None:
    await add(client, name, OF_EACH_KIND[name])
    answer = await client.get(f"/v1/documents/{FIRST}/content")
    assert (answer.content, answer.headers["content-type"]) == (OF_EACH_KIND[name], media_type)


async def test_one_of_the_same_name_gives_way_and_leaves_nothing(client: AsyncClient, service: Service) -> None:
    await add(client, "점검.md", MARKDOWN)
    await service.work()
    again = await add(client, "점검.md", "# 새 점검\n\n그리스를 보충한다.".encode())
    assert (again.json()["document_id"], again.json()["state"]) == (FIRST, "pending")
    await service.work()
    titles = {each["title"] for each in await found(client, "점검", document_type="PGM_FURTHER_DOCUMENT")}
    assert titles == {"점검.md, 새 점검"}
    stored = [entry.key async for entry in service.blobs.list_below("programs/PGM_1") if "/d" in entry.key]
    assert stored == ["programs/PGM_1/d2/document.md"]
    assert {
        entry.document.generation for entry in service.index.entries.values() if entry.document.document_id == FIRST
    } == {2}


async def test_it_survives_a_new_revision_of_the_programs_files(client: AsyncClient, service: Service) -> None:
    await add(client, "점검.md", MARKDOWN)
    await service.work()
    await service.replace({"0000_11": "0,LD,X5,,,,\n1,OUT,Y9,,,,\n"})
    for _ in range(3):
        await service.work()
    assert (await client.get("/v1/programs/PGM_1")).json()["revision"] == 2
    assert await found(client, "비상 정지 X0", document_type="PGM_FURTHER_DOCUMENT")


async def test_what_is_removed_is_gone_at_once_and_purged_soon_after(client: AsyncClient, service: Service) -> None:
    await add(client, "점검.md", MARKDOWN)
    await service.work()
    assert (await client.delete(f"{DOCUMENTS}/{FIRST}")).status_code == 204
    assert (await client.get(f"/v1/documents/{FIRST}")).status_code == 404
    assert not await found(client, "비상 정지 X0", document_type="PGM_FURTHER_DOCUMENT")
    await service.work()
    assert not [entry async for entry in service.blobs.list_below("programs/PGM_1/d1")]
    assert not [each for each in service.index.entries.values() if each.document.document_id == FIRST]
    assert not service.registry.committed.uploads


async def test_what_came_with_the_programs_files_is_not_removed_alone(client: AsyncClient) -> None:
    answer = await client.delete(f"{DOCUMENTS}/PGM_1-r1-0002")
    assert (answer.status_code, answer.json()["code"]) == (409, "document_not_removable")


async def test_one_document_too_many_is_refused_and_leaves_nothing(
    client: AsyncClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(add_document, "MOST_DOCUMENTS", 1)
    assert (await add(client, "점검.md", MARKDOWN)).status_code == 201
    refused = await add(client, "다른.md", MARKDOWN)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_documents")
    assert (await add(client, "점검.md", MARKDOWN)).status_code == 201  # in the place of what is there
    await service.work()
    stored = [entry.key async for entry in service.blobs.list_below("programs/PGM_1") if "/d" in entry.key]
    assert stored == ["programs/PGM_1/d3/document.md"]
    assert not service.registry.committed.uploads


async def test_the_program_takes_its_documents_along(client: AsyncClient, service: Service) -> None:
    await add(client, "점검.md", MARKDOWN)
    await service.work()
    await client.delete("/v1/programs/PGM_1")
    await service.work()
    assert not [entry async for entry in service.blobs.list_below("")]
    assert not service.index.entries
    assert not service.registry.committed.documents


async def test_a_repeat_under_one_key_adds_nothing(client: AsyncClient, service: Service) -> None:
    key = {"Idempotency-Key": "once"}
    first = await add(client, "점검.md", MARKDOWN, key)
    again = await add(client, "점검.md", MARKDOWN, key)
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (201, first.json(), "true")
    assert service.registry.committed.documents[FIRST].generation == 1
    other = await add(client, "점검.md", MARKDOWN + b"!", key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_an_unknown_program_takes_none_and_keeps_nothing(client: AsyncClient, service: Service) -> None:
    body, headers = a_document_form("a.md", MARKDOWN)
    answer = await client.post("/v1/programs/PGM_9/documents", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not service.registry.committed.uploads


async def test_a_document_that_failed_is_told_and_retried(client: AsyncClient, service: Service) -> None:
    await add(client, "점검.md", MARKDOWN)
    await service.blobs.delete_below("programs/PGM_1/d1")
    await service.work()
    errors = (await client.get("/v1/programs/PGM_1/indexing")).json()["errors"]
    assert [(each["document_id"], each["code"]) for each in errors] == [(FIRST, "storage_missing")]
    await service.blobs.put("programs/PGM_1/d1/document.md", _pieces(MARKDOWN))
    assert (await client.post("/v1/programs/PGM_1/retry", json={})).status_code == 202
    await service.work()
    assert service.states["점검.md"] is DocumentState.INDEXED


async def test_an_audit_finds_nothing_amiss_at_any_moment_of_its_life(client: AsyncClient, service: Service) -> None:
    await add(client, "점검.md", MARKDOWN)
    assert await audited(service) == []
    await service.work()
    assert await audited(service) == []
    await add(client, "점검.md", MARKDOWN + b"more")
    assert await audited(service) == []
    await service.work()
    await client.delete(f"{DOCUMENTS}/{FIRST}")
    assert await audited(service) == []
    await service.work()
    assert await audited(service) == []


async def test_an_audit_sees_a_blob_and_vectors_that_are_lost(client: AsyncClient, service: Service) -> None:
    await add(client, "점검.md", MARKDOWN)
    await service.work()
    await service.blobs.delete_below("programs/PGM_1/d1")
    await service.index.remove_documents([service.registry.committed.documents[FIRST].ref])
    assert {drift.kind for drift in await audited(service)} == {DriftKind.BLOB_MISSING, DriftKind.VECTORS_MISSING}


async def test_what_a_crash_left_before_the_commit_is_swept(client: AsyncClient, service: Service) -> None:
    service.container.unit_of_work.override(CutAtTheCommit(service.container.unit_of_work()))
    assert (await add(client, "점검.md", MARKDOWN)).status_code == 503
    service.container.unit_of_work.reset_last_overriding()
    assert [entry.key async for entry in service.blobs.list_below("programs/PGM_1/d1")]
    await service.registry.clock.advance(LONGEST_UPLOAD * 2)
    assert await service.container.sweep_uploads()() == 1
    assert not [entry.key async for entry in service.blobs.list_below("programs/PGM_1/d1")]


async def test_it_is_indexed_before_the_answer_where_that_is_wanted(tmp_path: Path) -> None:
    service = await a_service(tmp_path, hold_events_for=timedelta(minutes=10))
    await service.container.index_registered()((await service.register()).held)
    async with connected(service) as client:
        answer = await add(client, "점검.md", MARKDOWN)
    assert (answer.status_code, answer.json()["state"]) == (201, "indexed")


class CutAtTheCommit(UnitOfWork):
    """Loses the connection in every COMMIT that records the document."""

    def __init__(self, behind: UnitOfWork) -> None:
        self._behind = behind

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self._behind.begin() as transaction:
            yield transaction
            if await transaction.documents.current([DocumentRef(document_id=FIRST, generation=1)]):
                raise UnavailableError("postgres", "the connection was lost")


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (a_form(texts={}), 422, "file_missing"),
        (a_form(part("file", b"", "a.md"), texts={}), 422, "file_empty"),
        (a_form(part("file", b"x", "a.md"), part("file", b"y", "b.md"), texts={}), 422, "too_many_files"),
        (a_form(part("file", b"x", "a.md"), texts={"create_user": "kim"}), 422, "field_unknown"),
        (a_form(part("file", b"x", "a.md"), texts={"title": "x" * 201}), 422, "field_too_long"),
        (a_form(part("file", b"x", "a.md"), texts={"title": "a\nb"}), 422, "text_invalid"),
        (a_form(part("file", b"x", "..."), texts={}), 422, "filename_invalid"),
        (a_form(part("file", b"x", f"{'n' * 300}.md"), texts={}), 422, "filename_invalid"),
        (a_form(part("file", b"x", "fdp\u202e.md"), texts={}), 422, "filename_invalid"),
        (a_form(part("file", b"x", "a.md", headers="\r\nContent-Type: image/png"), texts={}), 415, "type_mismatch"),
        (a_form(part("file", b"x", "a.docx"), texts={}), 415, "type_unsupported"),
        (a_form(part("file", b"x", "a.pdf"), texts={}), 415, "type_mismatch"),
        (a_form(part("file", a_pdf(""), "scan.pdf"), texts={}), 422, "document_without_text"),
        (a_form(part("file", b"x", "a.md"), texts={})[:-20], 400, "multipart_malformed"),
    ],
)
async def test_what_cannot_be_taken_is_refused_and_leaves_nothing(
    client: AsyncClient, service: Service, body: bytes, status: int, code: str
) -> None:
    answer = await client.post(DOCUMENTS, content=body, headers={"Content-Type": CONTENT_TYPE})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert FIRST not in service.registry.committed.documents
    assert not service.registry.committed.uploads
    assert not [entry async for entry in service.blobs.list_below("programs/PGM_1/d1")]


async def test_a_refusal_is_told_in_korean_where_that_is_asked_for(client: AsyncClient) -> None:
    answer = await add(client, "scan.pdf", a_pdf(""), {"Accept-Language": "ko"})
    (finding,) = answer.json()["findings"]
    assert (finding["section"], finding["file"]) == ("document", "scan.pdf")
    assert finding["message"] == "검색할 수 있는 텍스트가 없습니다"


async def test_a_name_is_cleaned_composed_and_told_apart_by_case(client: AsyncClient, service: Service) -> None:
    decomposed = unicodedata.normalize("NFD", "점검")
    first = await add(client, f"../../etc/{decomposed}.md", MARKDOWN)
    assert first.json()["document_name"] == "점검.md"
    assert (await add(client, "점검.md", MARKDOWN)).json()["document_id"] == first.json()["document_id"]
    assert (await add(client, "점검.MD", MARKDOWN)).json()["document_id"] != first.json()["document_id"]


async def test_a_pdf_may_be_declared_as_one(client: AsyncClient) -> None:
    declared = part("file", OF_EACH_KIND["manual.pdf"], "manual.pdf", headers="\r\nContent-Type: application/pdf")
    answer = await client.post(DOCUMENTS, content=a_form(declared, texts={}), headers={"Content-Type": CONTENT_TYPE})
    assert answer.status_code == 201


async def test_a_body_above_the_limit_is_refused(tmp_path: Path) -> None:
    service = await a_service(tmp_path, upload_limits=UploadLimits(document_bytes=100))
    await service.register()
    async with connected(service) as client:
        answer = await add(client, "a.txt", b"x" * 101)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_blob_store_that_is_down_leaves_nothing_behind(client: AsyncClient, service: Service) -> None:
    service.container.blobs.override(UnavailableBlobStore(service.blobs, failures=1))
    assert (await add(client, "점검.md", MARKDOWN)).status_code == 503
    assert not service.registry.committed.uploads
    assert not [entry async for entry in service.blobs.list_below("programs/PGM_1/d1")]


async def test_what_stands_under_its_number_already_is_left_alone(client: AsyncClient, service: Service) -> None:
    await service.blobs.put("programs/PGM_1/d1/document.md", _pieces(b"of a restored backup"))
    assert (await add(client, "점검.md", MARKDOWN)).json()["document_id"] == "PGM_1-r0-0003"
    assert b"".join([piece async for piece in service.blobs.read("programs/PGM_1/d1/document.md")]).startswith(b"of a")


async def test_a_program_that_is_deleted_meanwhile_takes_nothing(client: AsyncClient, service: Service) -> None:
    class Deleting(InProcessPassageReader):
        async def check(self, file: SpooledFile) -> Finding | None:
            await service.container.delete_program()("PGM_1")
            return await super().check(file)

    service.container.passage_reader.override(Deleting())
    assert (await add(client, "점검.md", MARKDOWN)).status_code == 404
    await service.work()
    assert not [entry async for entry in service.blobs.list_below("")]
    assert not service.registry.committed.uploads


async def test_one_that_is_removed_while_it_is_indexed_leaves_no_vectors(client: AsyncClient, service: Service) -> None:
    await add(client, "점검.md", MARKDOWN)

    async def remove(_: Sequence[str]) -> None:
        service.embedder.before = None
        assert (await client.delete(f"{DOCUMENTS}/{FIRST}")).status_code == 204

    service.embedder.before = remove
    await service.work()
    await service.work()
    assert not [each for each in service.index.entries.values() if each.document.document_id == FIRST]
    assert await audited(service) == []
