"""An answer speaks the language that its caller prefers, and says which that is."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx import AsyncClient, Response

from builders.service import Service, a_service, connected
from domain.findings import Finding, Section, Severity
from domain.told import told
from entrypoints.api.idempotency import response_of
from entrypoints.api.korean import titles
from entrypoints.api.languages import MOST_RANGES, Language, preferred

DOCS = Path(__file__).parents[2] / "docs"
KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9,en-US;q=0.8"}
NOTICE = Finding(
    section=Section.TEMPLATE_AGAINST_ZIP,
    code="csv_not_in_template",
    file="예비.csv",
    message=told("'{path}' is not named in the template and is left out", path="예비.csv"),
    hint=told("Add a row with this Logic ID to the template if it belongs to the program."),
    severity=Severity.NOTICE,
)
BLANK = Finding(
    section=Section.TEMPLATE,
    code="logic_id_blank",
    file="템플릿.xlsx",
    row=7,
    message=told("the Logic ID is blank"),
    hint=told("Enter the name of the logic's CSV, or delete the row."),
)


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with connected(service) as client:
        yield client


async def register(client: AsyncClient, service: Service, **headers: str) -> Response:
    upload = service.upload
    files: dict[str, Any] = {
        "pgm_ladder_zip_file": (upload.ladder_zip.name, upload.ladder_zip.path.read_bytes()),
        "pgm_template_file": (upload.template.name, upload.template.path.read_bytes()),
    }
    texts = {"pgm_name": "라인", "create_user": "kim"}
    return await client.post("/v1/programs", data=texts, files=files, headers=headers)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("ko", "ko"),
        ("ko-KR", "ko"),
        ("KO-kr", "ko"),
        ("ko-Kore-KR", "ko"),
        ("en", "en"),
        ("fr, de;q=0.9", "en"),
        ("fr, ko;q=0.1", "ko"),
        ("en;q=0.5, ko", "ko"),
        ("en;q=0.5, ko;q=0.4", "en"),
        ("ko;q=0.5, *", "en"),
        ("ko, *;q=0.5", "ko"),
        ("*;q=0.5, en;q=0.1", "ko"),
        ("en;q=0, *", "ko"),
        ("ko;q=0", "en"),
        ("ko;q=0, *;q=0", "en"),
        ("en;q=0, ko;q=0", "en"),
        ("ko, en", "ko"),
        ("en, ko", "en"),
        ("ko ; q=0.9 ,\ten;Q=0.8", "ko"),
        ("ko;q=1.000", "ko"),
        ("ko-KR;q=0.3, ko;q=0.9, en;q=0.5", "ko"),
        ("ko;q=0.9, ko-KR;q=0.3, en;q=0.5", "ko"),
        ("kok, kor", "en"),
        ("korean", "en"),
        ("ko;q=2, en;q=0.1", "en"),
        ("ko;q=0.1234", "en"),
        ("ko;q=-1", "en"),
        ("ko;level=1", "en"),
        ("ko;q=nan", "en"),
        ("ko_KR.UTF-8", "en"),
        (",,;;q=;,=", "en"),
        ("한국어", "en"),
        ("\x00ko", "en"),
        ("ko" + "-a" * 5_000, "ko"),
        ("a" * 10_240, "en"),
        ("," * 10_240, "en"),
        ("fr," * MOST_RANGES + "ko", "en"),
        ("fr," * (MOST_RANGES - 1) + "ko", "ko"),
    ],
)
def test_the_preferred_language_is_the_one_with_the_highest_weight(accepted: str, language: str) -> None:
    assert preferred(accepted) is Language(language)


async def test_a_problem_is_told_in_korean(client: AsyncClient) -> None:
    answer = await client.get("/v1/programs/PGM_404", headers=KOREAN)
    assert answer.json()["title"] == titles.REQUESTS["not_found"]
    assert answer.json()["detail"] == "프로그램 'PGM_404' 항목이 없습니다"
    assert answer.json()["code"] == "not_found"
    assert (answer.headers["content-language"], answer.headers["vary"]) == ("ko", "Accept-Language")


async def test_a_problem_is_told_in_english_to_whoever_names_no_language(client: AsyncClient) -> None:
    answer = await client.get("/v1/programs/PGM_404", headers={"Accept-Language": "xx"})
    assert answer.json()["detail"] == "there is no program PGM_404"
    assert (answer.headers["content-language"], answer.headers["vary"]) == ("en", "Accept-Language")


async def test_the_header_may_come_in_several_lines(client: AsyncClient) -> None:
    headers = [("Accept-Language", "fr"), ("Accept-Language", "ko;q=0.5")]
    assert (await client.get("/nowhere", headers=headers)).headers["content-language"] == "ko"


async def test_an_answer_without_sentences_has_no_language(client: AsyncClient) -> None:
    answer = await client.get("/v1/programs", headers=KOREAN)
    assert answer.status_code == 200
    assert not {"content-language", "vary"} & answer.headers.keys()


@pytest.mark.parametrize(
    ("question", "detail", "hint"),
    [
        ({"query": 3}, "query: 필요한 값: 텍스트, 받은 값: 정수", "고치세요."),
        ({"query": "M1", "limit": 0}, "limit: 필요한 값: >= 1인 정수", "고치세요."),
        ({"query": "a\0"}, "query: U+0000이 들어 있습니다", "지우세요."),
        ({}, "query: 필드가 없습니다", "보내세요."),
        ({"query": "M1", "more": 1}, "more: 그런 필드는 없습니다", "빼세요."),
    ],
)
async def test_a_field_that_cannot_be_used_is_told_in_korean(
    client: AsyncClient, question: dict[str, Any], detail: str, hint: str
) -> None:
    body = (await client.post("/v1/search", json=question, headers=KOREAN)).json()
    assert (body["detail"], body["findings"][0]["hint"]) == (detail, hint)


async def test_findings_of_files_are_told_in_korean_with_the_same_names_and_rows(
    client: AsyncClient, service: Service
) -> None:
    service.upload_reader.inspected = replace(service.inspected, findings=(BLANK, NOTICE))
    body = (await register(client, service, **KOREAN)).json()
    assert (body["code"], body["title"]) == ("logic_id_blank", titles.FINDINGS["logic_id_blank"])
    assert body["detail"] == "템플릿.xlsx, 7행: Logic ID가 비어 있습니다"
    assert [(each["code"], each["row"], each["message"]) for each in body["findings"]] == [
        ("logic_id_blank", 7, "Logic ID가 비어 있습니다"),
        ("csv_not_in_template", None, "'예비.csv' 파일은 템플릿에 없어서 제외합니다"),
    ]


@pytest.mark.parametrize(("page", "language"), [("errors.md", "en"), ("errors.ko.md", "ko")])
async def test_the_example_of_the_page_of_codes_is_what_is_answered(
    client: AsyncClient, service: Service, page: str, language: str
) -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    service.upload_reader.inspected = replace(service.inspected, findings=(replace(BLANK, file="template.xlsx"),))
    body = (await register(client, service, **{"Accept-Language": language})).json()
    assert json.loads(example) == body | {"request_id": "0b5c…"}


async def test_notices_of_an_accepted_upload_are_told_in_korean(client: AsyncClient, service: Service) -> None:
    service.upload_reader.inspected = replace(service.inspected, findings=(NOTICE,))
    answer = await register(client, service, **KOREAN)
    assert answer.status_code == 201
    assert answer.json()["report"]["findings"][0]["message"] == "'예비.csv' 파일은 템플릿에 없어서 제외합니다"
    assert (answer.headers["content-language"], answer.headers["vary"]) == ("ko", "Accept-Language")


async def test_a_repeated_answer_keeps_the_language_of_the_first(client: AsyncClient, service: Service) -> None:
    service.upload_reader.inspected = replace(service.inspected, findings=(NOTICE,))
    key = {"Idempotency-Key": "once"}
    first = await register(client, service, **KOREAN, **key)
    repeat = await register(client, service, **{"Accept-Language": "en"}, **key)
    assert repeat.headers["idempotency-replayed"] == "true"
    assert repeat.content == first.content
    assert repeat.headers.get_list("content-language") == ["ko"]
    assert repeat.headers["vary"] == "Accept-Language"


def test_an_answer_that_was_kept_before_there_were_two_languages_is_english() -> None:
    kept = msgspec.json.encode({"status": 201, "headers": {"Location": "/v1/programs/PGM_1"}, "body": {}})
    assert response_of(kept, is_replay=True).headers["Content-Language"] == "en"


async def test_failures_of_documents_say_what_to_do_in_korean_and_what_was_noted_as_it_was(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    first, *rest = service.inspected.ladders
    service.upload_reader.inspected = replace(service.inspected, ladders=(replace(first, sha256="0" * 64), *rest))
    async with connected(service) as client:
        await register(client, service)
        await service.work()
        indexing = await client.get("/v1/programs/PGM_1/indexing", headers=KOREAN)
        history = await client.get("/v1/programs/PGM_1/failures", headers=KOREAN)
    for answer, told_of in ((indexing, "errors"), (history, "items")):
        failure = answer.json()[told_of][0]
        assert (failure["code"], failure["title"]) == ("storage_corrupt", titles.FAILURES["storage_corrupt"])
        assert failure["message"] == "other bytes than were uploaded"
        assert answer.headers["content-language"] == "ko"


async def test_the_document_names_the_header_at_every_route(client: AsyncClient) -> None:
    paths = (await client.get("/schema/openapi.json")).json()["paths"]
    operations = [operation for path in paths.values() for operation in path.values()]
    assert len(operations) > 15
    for operation in operations:
        assert [each["in"] for each in operation["parameters"] if each["name"] == "Accept-Language"] == ["header"]


async def test_the_example_in_the_document_is_answered_as_it_says(client: AsyncClient) -> None:
    paths = (await client.get("/schema/openapi.json")).json()["paths"]
    (parameter,) = [each for each in paths["/v1/search"]["post"]["parameters"] if each["name"] == "Accept-Language"]
    for example in parameter["schema"]["examples"]:
        answer = await client.get("/nowhere", headers={"Accept-Language": example})
        assert answer.headers["content-language"] == "ko"
