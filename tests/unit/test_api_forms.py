"""What an upload's form may look like, and how every other one is refused."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient

from builders.service import Service, a_service
from domain.upload import UploadLimits
from entrypoints.api.app import create_app
from entrypoints.api.multipart_form import FormShape, receive_form
from entrypoints.api.refusals import RefusedRequestError
from entrypoints.api.request_body import ApiRequest, body_pieces

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one application for all: programs do not meet

Client = AsyncTestClient[Litestar]
BOUNDARY = "b0undary"
TEXTS = {"pgm_name": "셀", "create_user": "kim"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    tmp_path = tmp_path_factory.mktemp("service")
    (tmp_path / "scratch").mkdir()
    limits = UploadLimits(zip_bytes=200_000, template_bytes=100_000, comment_bytes=100_000)
    return await a_service(tmp_path, scratch=tmp_path / "scratch", upload_limits=limits)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(service: Service) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(service.container)) as client:
        yield client
    assert list(service.container.scratch().iterdir()) == []


def part(name: str, content: bytes | str, filename: str | None = None, extra: str = "") -> bytes:
    named = "" if filename is None else f'; filename="{filename}"'
    content = content.encode() if isinstance(content, str) else content
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}{extra}\r\n\r\n'.encode()
        + content
        + b"\r\n"
    )


def a_form(*parts: bytes, with_texts: bool = True) -> bytes:
    texts = [part(name, text) for name, text in TEXTS.items()] if with_texts else []
    return b"".join([*texts, *parts, f"--{BOUNDARY}--\r\n".encode()])


ZIP, TEMPLATE = part("pgm_ladder_zip_file", "zip", "a.zip"), part("pgm_template_file", "xlsx", "t.xlsx")


async def send(client: Client, body: bytes, **headers: str) -> Response:
    content_type = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return await client.post("/v1/programs", content=body, headers=content_type | headers)


def codes(answer: Response) -> set[tuple[str, str]]:
    return {(finding["field"], finding["code"]) for finding in answer.json()["findings"]}


async def test_everything_that_is_missing_is_named_at_once(client: Client) -> None:
    answer = await send(client, a_form(with_texts=False))
    assert answer.status_code == 422
    assert codes(answer) == {
        ("pgm_name", "field_blank"),
        ("create_user", "field_blank"),
        ("pgm_ladder_zip_file", "file_missing"),
        ("pgm_template_file", "file_missing"),
    }
    assert {finding["section"] for finding in answer.json()["findings"]} == {"request", "ladder_zip", "template"}


async def test_a_form_without_files_has_the_code_of_that(client: Client) -> None:
    answer = await send(client, a_form())
    assert (answer.status_code, answer.json()["code"]) == (422, "file_missing")


@pytest.mark.parametrize(
    ("parts", "field", "code"),
    [
        ((ZIP, ZIP, TEMPLATE), "pgm_ladder_zip_file", "too_many_files"),
        ((part("pgm_ladder_zip_file", "", "a.zip"), TEMPLATE), "pgm_ladder_zip_file", "file_empty"),
        ((ZIP, TEMPLATE, part("pgm_comment_file", "", "c.csv")), "pgm_comment_file", "file_empty"),
        ((part("pgm_ladder_zip_file", "zip"), TEMPLATE), "pgm_ladder_zip_file", "filename_invalid"),
        ((part("pgm_ladder_zip_file", "zip", ""), TEMPLATE), "pgm_ladder_zip_file", "filename_invalid"),
        ((part("pgm_ladder_zip_file", "zip", "..."), TEMPLATE), "pgm_ladder_zip_file", "filename_invalid"),
        ((part("pgm_ladder_zip_file", "zip", "가" * 100), TEMPLATE), "pgm_ladder_zip_file", "filename_invalid"),
        ((part("pgm_ladder_zip_file", "zip", "a" * 10_000), TEMPLATE), "pgm_ladder_zip_file", "filename_invalid"),
        ((part("pgm_ladder_zip_file", "zip", "a\0.zip"), TEMPLATE), "pgm_ladder_zip_file", "filename_invalid"),
        ((part("pgm_ladder_zip_file", "zip", "a%0D%0AX: y"), TEMPLATE), "pgm_ladder_zip_file", "filename_invalid"),
        ((part("pgm_ladder_zip_file", "zip", "cod\u202egnp.zip"), TEMPLATE), "pgm_ladder_zip_file", "filename_invalid"),
        ((part("pgm_ladder_zip_file", "zip", "a\u200b.zip"), TEMPLATE), "pgm_ladder_zip_file", "filename_invalid"),
        (
            (part("pgm_ladder_zip_file", "zip", "a.zip", "; filename*=UTF-8''b.zip"), TEMPLATE),
            "pgm_ladder_zip_file",
            "filename_invalid",
        ),
        ((ZIP, TEMPLATE, part("owner", "kim")), "owner", "field_unknown"),
        ((ZIP, TEMPLATE, part("pgm_name", "twice")), "pgm_name", "too_many_values"),
        ((ZIP, TEMPLATE, part("notes", "\0")), "notes", "text_invalid"),
        ((ZIP, TEMPLATE, part("notes", b"\xff")), "notes", "text_invalid"),
        ((ZIP, TEMPLATE, part("notes", b"\xed\xa0\x80")), "notes", "text_invalid"),
        ((ZIP, TEMPLATE, part("notes", "\ufffe")), "notes", "text_invalid"),
        ((ZIP, TEMPLATE, part("pgm_version", "1\n2")), "pgm_version", "text_invalid"),
        ((ZIP, TEMPLATE, part("pgm_version", "1" * 101)), "pgm_version", "field_too_long"),
    ],
)
async def test_a_part_that_cannot_be_used_is_named(
    client: Client, parts: tuple[bytes, ...], field: str, code: str
) -> None:
    answer = await send(client, a_form(*parts))
    assert answer.status_code == 422
    assert codes(answer) == {(field, code)}
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.zip", "passwd.zip"),
        ("C:\\\\Users\\\\kim\\\\라인.zip", "라인.zip"),
        (unicodedata.normalize("NFD", "라인3.zip"), "라인3.zip"),
    ],
)
async def test_a_file_is_shown_under_the_composed_last_segment_of_its_name(
    client: Client, name: str, shown: str
) -> None:
    answer = await send(client, a_form(part("pgm_ladder_zip_file", "zip", name), TEMPLATE))
    assert answer.status_code == 201, answer.text
    assert answer.json()["documents"][0]["document_name"] == shown


async def test_an_extended_file_name_is_read(client: Client) -> None:
    extended = part("pgm_ladder_zip_file", "zip", None, "; filename*=UTF-8''%EB%9D%BC%EC%9D%B8.zip")
    answer = await send(client, a_form(extended, TEMPLATE))
    assert answer.json()["documents"][0]["document_name"] == "라인.zip"


async def test_names_are_kept_composed_and_trimmed(client: Client) -> None:
    name = unicodedata.normalize("NFD", "  셀 라인 ")
    parts = (part("pgm_name", name), part("create_user", "kim"), ZIP, TEMPLATE)
    answer = await send(client, a_form(*parts, with_texts=False))
    assert answer.json()["pgm_name"] == "셀 라인"


async def test_a_file_field_that_a_browser_left_empty_is_no_file(client: Client) -> None:
    answer = await send(client, a_form(ZIP, TEMPLATE, part("pgm_comment_file", "", "")))
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "multipart_malformed"),
        (b"no form at all", "multipart_malformed"),
        (a_form(ZIP, TEMPLATE).removesuffix(b"--\r\n"), "multipart_malformed"),
        (a_form(ZIP, TEMPLATE)[:120], "multipart_malformed"),
        (b"\r\n" * 200_000 + a_form(ZIP, TEMPLATE), "multipart_malformed"),
        (b"-" * 400_000 + a_form(ZIP, TEMPLATE), "multipart_malformed"),
        (a_form(*(part(f"f{number}", "x") for number in range(10_000))), "too_many_fields"),
        (a_form(part("notes", "x" * 70_000), ZIP, TEMPLATE), "field_too_large"),
        (a_form(part("a", "x", None, "\r\nX-A: b" * 5_000), ZIP, TEMPLATE), "multipart_malformed"),
        (a_form(part("a", "x", None, "\r\nX-A: " + "b" * 400_000), ZIP, TEMPLATE), "multipart_malformed"),
        (f"--{BOUNDARY}\r\n\r\nno header\r\n--{BOUNDARY}--\r\n".encode(), "multipart_malformed"),
    ],
)
async def test_a_form_that_cannot_be_read_is_a_400(client: Client, body: bytes, code: str) -> None:
    answer = await send(client, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("boundary", ["", "; boundary=", f"; boundary={'b' * 10_000}"])
async def test_a_boundary_that_cannot_be_used_is_a_400(client: Client, boundary: str) -> None:
    answer = await send(client, a_form(ZIP, TEMPLATE), **{"Content-Type": f"multipart/form-data{boundary}"})
    assert (answer.status_code, answer.json()["code"]) == (400, "multipart_malformed")


async def test_another_content_type_is_a_415(client: Client) -> None:
    for content_type in ("application/json", "application/x-www-form-urlencoded", ""):
        answer = await send(client, b"{}", **{"Content-Type": content_type})
        assert (answer.status_code, answer.json()["code"]) == (415, "media_type_unsupported")


async def test_a_compressed_form_is_a_415(client: Client) -> None:
    answer = await send(client, a_form(ZIP, TEMPLATE), **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "encoding_unsupported")


async def test_an_announced_length_over_the_limit_is_refused_before_the_body() -> None:
    unread = a_request({"Content-Length": str(101 * 1024 * 1024)}, [])
    with pytest.raises(RefusedRequestError) as refused:
        await anext(body_pieces(unread, limit_bytes=1_000))
    assert refused.value.code == "too_large"


async def test_an_upload_over_the_limit_of_all_files_is_a_413(client: Client) -> None:
    answer = await send(client, a_form(part("notes", "x" * 3_000_000)))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_file_over_its_own_limit_is_cut_there(client: Client) -> None:
    answer = await send(client, a_form(ZIP, part("pgm_template_file", "x" * 100_001, "t.xlsx")))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "pgm_template_file" in answer.json()["detail"]


async def test_a_body_of_unknown_length_is_cut_at_the_limit() -> None:
    pieces = [{"type": "http.request", "body": b"x" * 600, "more_body": True}] * 3
    with pytest.raises(RefusedRequestError) as refused:
        [piece async for piece in body_pieces(a_request({}, pieces), limit_bytes=1_000)]
    assert refused.value.code == "too_large"


async def test_a_client_that_goes_away_is_no_bug() -> None:
    messages: list[dict[str, object]] = [
        {"type": "http.request", "body": b"x", "more_body": True},
        {"type": "http.disconnect"},
    ]
    with pytest.raises(RefusedRequestError) as refused:
        [piece async for piece in body_pieces(a_request({}, messages), limit_bytes=1_000)]
    assert refused.value.code == "body_truncated"


async def test_a_silent_client_is_not_waited_for_for_ever() -> None:
    with pytest.raises(RefusedRequestError) as refused:
        [piece async for piece in body_pieces(a_request({}, []), limit_bytes=1_000, idle_s=0.01)]
    assert refused.value.code == "request_timeout"


async def test_a_body_that_drips_is_not_waited_for() -> None:
    drop = {"type": "http.request", "body": b"x", "more_body": True}
    drips = a_request({}, [*[drop] * 100, {**drop, "more_body": False}], pause_s=0.01)
    with pytest.raises(RefusedRequestError) as refused:
        [piece async for piece in body_pieces(drips, limit_bytes=10_000, idle_s=0.1)]
    assert refused.value.code == "request_timeout"


async def test_a_form_may_come_byte_by_byte(tmp_path: Path) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for byte in a_form(ZIP, TEMPLATE):
            yield bytes([byte])

    shape = FormShape(texts=frozenset(TEXTS), files={"pgm_ladder_zip_file": 10, "pgm_template_file": 10})
    form = await receive_form(drops(), BOUNDARY, shape=shape, folder=tmp_path)
    assert form.texts == {name: text.encode() for name, text in TEXTS.items()}
    assert form.files["pgm_ladder_zip_file"].path.read_bytes() == b"zip"
    assert form.problems == ()


async def test_a_large_file_reaches_the_disk_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000

    async def pieces() -> AsyncIterator[bytes]:
        body = a_form(part("zip", content, "a.zip"), with_texts=False)
        for start in range(0, len(body), 70_001):
            yield body[start : start + 70_001]

    shape = FormShape(texts=frozenset(), files={"zip": len(content)})
    form = await receive_form(pieces(), BOUNDARY, shape=shape, folder=tmp_path)
    assert form.files["zip"].path.read_bytes() == content
    assert form.files["zip"].size_bytes == len(content)


def a_request(headers: dict[str, str], messages: Sequence[Mapping[str, object]], *, pause_s: float = 0) -> ApiRequest:
    waiting = list(messages)

    class Incoming:
        def __init__(self) -> None:
            self.headers = {name.lower(): value for name, value in headers.items()}

        async def receive(self) -> Mapping[str, object]:
            if waiting:
                await asyncio.sleep(pause_s)
                return waiting.pop(0)
            await asyncio.sleep(60)
            raise AssertionError("nobody waits that long")

    return cast("ApiRequest", Incoming())
