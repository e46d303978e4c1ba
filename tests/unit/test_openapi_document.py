"""The OpenAPI document says as much as the service holds to, and its links lead somewhere."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from builders.service import a_service
from entrypoints.api import context_schemas, device_schemas, operation_schemas, schemas, webhook_schemas
from entrypoints.api.app import create_app

Document = dict[str, Any]
SHAPES = (schemas, context_schemas, device_schemas, operation_schemas, webhook_schemas)
Client = AsyncTestClient[Litestar]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    service = await a_service(tmp_path)
    async with AsyncTestClient(create_app(service.container)) as client:
        yield client


@pytest.fixture
async def document(client: Client) -> Document:
    told: Document = (await client.get("/schema/openapi.json")).json()
    return told


def _operations(document: Document) -> dict[str, Document]:
    return {one["operationId"]: one for methods in document["paths"].values() for one in methods.values()}


def _form(document: Document, operation_id: str) -> Document:
    form: Document = _operations(document)[operation_id]["requestBody"]["content"]["multipart/form-data"]
    return form


async def test_options_names_all_methods_of_an_address(client: Client, document: Document) -> None:
    for path, operations in document["paths"].items():
        answer = await client.options(path.replace("{pgm_id}", "PGM_1").replace("{document_id}", "PGM_1-r1-0000"))
        told = answer.headers["allow"].split(", ")
        described = {method.upper() for method in operations}
        assert told == sorted({"OPTIONS", *described, *({"HEAD"} if "GET" in described else ())}), path


async def test_options_of_an_address_that_is_not_there_is_a_404(client: Client) -> None:
    answer = await client.options("/v1/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "allow" not in answer.headers


def test_a_json_body_has_no_other_fields(document: Document) -> None:
    schemas = document["components"]["schemas"]
    for name in ("SearchRequest", "RetryRequest", "RetryEverywhereRequest", "WebhookRequest", "WebhookChange"):
        assert schemas[name]["additionalProperties"] is False, name


def test_what_holds_for_the_items_of_a_list_is_told(document: Document) -> None:
    named = document["components"]["schemas"]["RetryRequest"]["properties"]["document_ids"]
    (a_list,) = (one for one in named["anyOf"] if one["type"] == "array")
    assert a_list["items"]["pattern"].startswith("^PGM_")
    assert (a_list["minItems"], a_list["maxItems"]) == (1, 1000)


def test_every_reference_leads_to_a_schema(document: Document) -> None:
    named = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert named
    assert sorted(named - set(document["components"]["schemas"])) == []


@pytest.mark.parametrize(
    ("field", "text", "is_taken"),
    [
        ("pgm_name", "셀 1", True),
        ("pgm_name", " \u3000", False),
        ("pgm_name", "a\tb", False),
        ("description", "two\r\nlines\tand a tab", True),
        ("description", "\x00", False),
        ("create_user", "", True),  # where the key says who it is
    ],
)
def test_patterns_tell_which_texts_are_taken(document: Document, field: str, text: str, *, is_taken: bool) -> None:
    pattern = _form(document, "register_program")["schema"]["properties"][field]["pattern"]
    assert bool(re.search(pattern, text)) is is_taken


@pytest.mark.parametrize("operation_id", ["register_program", "replace_files", "validate_upload"])
def test_the_form_tells_how_each_file_may_be_sent(document: Document, operation_id: str) -> None:
    encoding = _form(document, operation_id)["encoding"]
    assert encoding["pgm_ladder_zip_file"]["contentType"] == "application/zip"
    example = encoding["pgm_template_file"]["headers"]["Content-Disposition"]["example"]
    assert example == 'form-data; name="pgm_template_file"; filename="template.xlsx"'


def test_the_bytes_of_a_document_come_in_one_of_the_types_that_are_told(document: Document) -> None:
    told = _operations(document)["get_content"]["responses"]["200"]["content"]
    assert {"application/zip", "text/csv", "application/octet-stream", "application/vnd.ms-excel"} < set(told)


def test_every_link_leads_to_an_operation_and_names_its_parameters(document: Document) -> None:
    operations = _operations(document)
    links = [
        link
        for operation in operations.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    for link in links:
        parameters = {parameter["name"] for parameter in operations[link["operationId"]]["parameters"]}
        assert set(link["parameters"]) <= parameters, link
    assert {"get_program", "replace_files", "delete_program", "get_content", "retry_program"} <= {
        link["operationId"] for link in links
    }


def test_every_operation_has_an_example_of_what_it_is_sent_and_answers(document: Document) -> None:
    for name, operation in _operations(document).items():
        request = operation.get("requestBody", {}).get("content", {})
        told = [(name, content) for media_type, content in request.items() if media_type == "application/json"]
        told += [
            (f"{name} {status}", content)
            for status, answer in operation["responses"].items()
            for media_type, content in answer.get("content", {}).items()
            if media_type.endswith("json")
        ]
        assert [place for place, content in told if "example" not in content] == []


def test_every_example_is_what_its_schema_says(document: Document) -> None:
    checked = 0
    for operation in _operations(document).values():
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (each for one in contents for each in one.get("content", {}).values() if "example" in each):
            (name,) = re.findall(r"/schemas/(\w+)", str(content["schema"]))
            shape = next(getattr(each, name) for each in SHAPES if hasattr(each, name))
            decoded = msgspec.convert(content["example"], shape)
            assert msgspec.json.encode(decoded) == msgspec.json.encode(content["example"])
            checked += 1
    assert checked > 100


def test_nothing_in_an_address_is_null(document: Document) -> None:
    for operation in _operations(document).values():
        for parameter in operation.get("parameters", []):
            assert "null" not in str(parameter["schema"]), parameter["name"]
    filters = {one["name"]: one["schema"] for one in _operations(document)["list_programs"]["parameters"]}
    assert (filters["created_from"]["type"], filters["created_from"]["format"]) == ("string", "date-time")


def test_a_header_of_an_answer_has_a_schema(document: Document) -> None:
    for operation in _operations(document).values():
        for answer in operation["responses"].values():
            assert all("schema" in header for header in answer.get("headers", {}).values())
