"""From a multipart request to one further document and what is said of it, on disk for just as long."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from application.spool import scratch_folder
from domain.further.further_document import DocumentDetails
from domain.told import told
from domain.upload import MEBIBYTE, SpooledFile, UploadLimits
from entrypoints.api.multipart_form import FormShape, receive_form
from entrypoints.api.receive_upload import file_of, text_of, translated_disk_errors
from entrypoints.api.refusals import FieldProblem, InvalidFieldsError, RefusedRequestError
from entrypoints.api.request_body import ApiRequest, body_pieces

FILE_FIELD = "file"
TITLE_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 4_000
_PDF = "application/pdf"
_OVERHEAD_BYTES = MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedDocument:
    """A document on disk, and what its sender says about it."""

    file: SpooledFile
    details: DocumentDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReception:
    """`scratch` is a folder on a real disk. `require_record` raises where nothing can be recorded now."""

    scratch: Path
    limits: UploadLimits
    require_record: Callable[[], Awaitable[None]]

    @asynccontextmanager
    async def receive(self, request: ApiRequest) -> AsyncIterator[ReceivedDocument]:
        """The document, on disk for the block. Raises RefusedRequestError and InvalidFieldsError.

        Raises UnavailableError, nothing read yet, where it could not be recorded.
        """
        content_type, options = request.content_type
        if content_type != "multipart/form-data":
            raise RefusedRequestError("media_type_unsupported", told("a document is sent as multipart/form-data"))
        await self.require_record()
        shape = FormShape(
            texts=frozenset({"title", "description"}),
            files={FILE_FIELD: self.limits.document_bytes},
            also_declared=frozenset({_PDF}),
        )
        async with scratch_folder(self.scratch) as folder:
            pieces = body_pieces(request, limit_bytes=self.limits.document_bytes + _OVERHEAD_BYTES)
            with translated_disk_errors():
                form = await receive_form(pieces, options.get("boundary"), shape=shape, folder=folder)
            problems: list[FieldProblem] = list(form.problems)
            details = DocumentDetails(
                title=text_of("title", form, problems, most=TITLE_CHARACTERS),
                description=text_of("description", form, problems, most=DESCRIPTION_CHARACTERS, lines=True),
            )
            file = file_of(FILE_FIELD, form, problems)
            if file is None or problems:
                raise InvalidFieldsError(tuple(problems))
            yield ReceivedDocument(file=file, details=details)
