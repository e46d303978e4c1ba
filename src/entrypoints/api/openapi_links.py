"""The links of the OpenAPI document: what one answer names, and which operations take it."""

from collections.abc import Mapping
from dataclasses import dataclass

from litestar.openapi.spec import Link, OpenAPIResponse

from entrypoints.api.languages import SpokenOperation

_OF_A_PROGRAM = (
    "get_program",
    "list_documents",
    "get_template",
    "get_indexing",
    "list_failures",
    "list_devices",
    "get_warnings",
    "replace_files",
    "delete_program",
)
_OF_A_DOCUMENT = ("get_document", "get_content")


_RETRY = Link(
    operation_id="retry_program", parameters={"pgm_id": "$response.body#/pgm_id"}, request_body={"include": "all"}
)


def _links(parameter: str, expression: str, operation_ids: tuple[str, ...]) -> Mapping[str, Link]:
    return {name: Link(operation_id=name, parameters={parameter: expression}) for name in operation_ids}


# operation -> status of its answer -> links
_LINKS: Mapping[str, Mapping[str, Mapping[str, Link]]] = {
    "register_program": {
        "201": {
            **_links("pgm_id", "$response.body#/pgm_id", _OF_A_PROGRAM),
            **_links("document_id", "$response.body#/documents/0/document_id", _OF_A_DOCUMENT),
            "retry_program": _RETRY,
        }
    },
    "replace_files": {
        "201": {**_links("pgm_id", "$response.body#/pgm_id", _OF_A_PROGRAM), "retry_program": _RETRY},
    },
    "add_document": {"201": _links("document_id", "$response.body#/document_id", _OF_A_DOCUMENT)},
    "retry_program": {"202": _links("pgm_id", "$response.body#/pgm_id", ("get_indexing",))},
    "delete_program": {"204": _links("pgm_id", "$request.path.pgm_id", ("get_program",))},
}


@dataclass
class LinkedOperation(SpokenOperation):
    """An operation whose answers name what others take, if `_LINKS` says so."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for status, links in _LINKS.get(self.operation_id or "", {}).items():
            answer = (self.responses or {}).get(status)
            if isinstance(answer, OpenAPIResponse):
                answer.links = dict(links)
