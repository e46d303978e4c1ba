"""What handlers ask for, taken from the container anew for each request.

A provider object itself is nothing that Litestar can call, and `@inject` does not go with its signatures: hence
a function around each, which says what it gives.
"""

from collections.abc import Callable, Mapping
from functools import partial

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from adapters.telemetry.exposition import Exposition
from application.add_document import AddDocumentOnce
from application.amend_answer import AmendAnswer
from application.amend_program import AmendProgram
from application.check_readiness import CheckReadiness
from application.delete_program import DeleteProgram
from application.delete_programs import DeletePrograms
from application.export_program import ExportProgram
from application.follow_indexing import FollowIndexing
from application.read_content import ReadContent
from application.register_once import RegisterOnce
from application.remove_document import RemoveDocument
from application.replace_files import ReplaceFiles
from application.search_rungs import SearchRungs
from application.validate_upload import ValidateUpload
from domain.ports.catalogue import Catalogue
from entrypoints.api.inline_indexing import Indexing
from entrypoints.api.readiness_log import ReadinessLog
from entrypoints.api.receive_document import DocumentReception
from entrypoints.api.receive_upload import UploadReception
from entrypoints.build import Build
from entrypoints.container import Container

CatalogueDependency = NamedDependency[SkipValidation[Catalogue]]
"""A port is a Protocol, which no validation by `isinstance` can pass."""


def dependencies_from(container: Container) -> Mapping[str, Provide]:
    """The providers of an application, by the name under which handlers ask for them."""
    readiness_log = ReadinessLog()
    return {
        "add_document_once": _provided(AddDocumentOnce, container.add_document_once),
        "amend_answer": _provided(AmendAnswer, container.amend_answer),
        "amend_program": _provided(AmendProgram, container.amend_program),
        "build": _provided(Build, container.build),
        "catalogue": _provided(Catalogue, container.catalogue),
        "check_readiness": _provided(CheckReadiness, container.readiness),
        "delete_program": _provided(DeleteProgram, container.delete_program),
        "document_reception": _provided(DocumentReception, partial(_document_reception, container)),
        "delete_programs": _provided(DeletePrograms, container.delete_programs),
        "export_program": _provided(ExportProgram, container.export_program),
        "exposition": _provided(Exposition, container.exposition),
        "follow_indexing": _provided(FollowIndexing, container.follow_indexing),
        "indexing": _provided(Indexing, partial(_indexing, container)),
        "read_content": _provided(ReadContent, container.read_content),
        "readiness_log": _provided(ReadinessLog, lambda: readiness_log),
        "reception": _provided(UploadReception, partial(_reception, container)),
        "register_once": _provided(RegisterOnce, container.register_once),
        "remove_document": _provided(RemoveDocument, container.remove_document),
        "replace_files": _provided(ReplaceFiles, container.replace_files),
        "search_rungs": _provided(SearchRungs, container.search_rungs),
        "validate_upload": _provided(ValidateUpload, container.validate_upload),
    }


def _provided(kind: object, factory: Callable[[], object]) -> Provide:
    async def provide() -> object:
        return factory()

    provide.__annotations__["return"] = kind
    return Provide(provide)


def _indexing(container: Container) -> Indexing:
    is_inline = bool(container.hold_events_for())
    return Indexing(index_registered=container.index_registered() if is_inline else None)


def _reception(container: Container) -> UploadReception:
    return UploadReception(
        scratch=container.scratch(), limits=container.upload_limits(), require_record=partial(_reach_record, container)
    )


def _document_reception(container: Container) -> DocumentReception:
    return DocumentReception(
        scratch=container.scratch(), limits=container.upload_limits(), require_record=partial(_reach_record, container)
    )


async def _reach_record(container: Container) -> None:
    async with container.unit_of_work().begin():
        pass  # it is reached: that is all
