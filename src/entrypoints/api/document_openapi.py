"""The form of a further document in the OpenAPI document: its handler reads it from the stream by itself."""

from dataclasses import dataclass

from litestar.openapi.spec import Encoding, OpenAPIHeader, OpenAPIMediaType, OpenAPIType, RequestBody, Schema

from domain.further.further_document import SUFFIXES
from entrypoints.api.idempotency import KEY_PARAMETER
from entrypoints.api.openapi import BINARY, FILE_NAMES
from entrypoints.api.openapi_links import LinkedOperation
from entrypoints.api.receive_document import DESCRIPTION_CHARACTERS, FILE_FIELD, TITLE_CHARACTERS
from entrypoints.api.texts import LINE, LINES


@dataclass
class DocumentOperation(LinkedOperation):
    """An operation that takes one file and two texts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.request_body = _form()
        self.parameters = [*(self.parameters or ()), KEY_PARAMETER]


def _form() -> RequestBody:
    file = Schema(
        type=OpenAPIType.STRING,
        format=BINARY,
        content_media_type="application/octet-stream",
        description=f"One file: {', '.join(SUFFIXES)}.",
    )
    texts = {
        "title": Schema(type=OpenAPIType.STRING, max_length=TITLE_CHARACTERS, pattern=LINE),
        "description": Schema(type=OpenAPIType.STRING, max_length=DESCRIPTION_CHARACTERS, pattern=LINES),
    }
    schema = Schema(
        type=OpenAPIType.OBJECT,
        properties={FILE_FIELD: file, **texts},
        required=[FILE_FIELD],
        additional_properties=False,
    )
    sent_as = Encoding(
        content_type="text/markdown",
        headers={
            "Content-Disposition": OpenAPIHeader(
                schema=Schema(type=OpenAPIType.STRING),
                example=f'form-data; name="{FILE_FIELD}"; filename="notes.md"',
            )
        },
    )
    return RequestBody(
        required=True,
        description=FILE_NAMES,
        content={"multipart/form-data": OpenAPIMediaType(schema=schema, encoding={FILE_FIELD: sent_as})},
    )
