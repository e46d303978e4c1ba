"""What handlers ask for, taken from the container anew for each request.

A provider object itself is nothing that Litestar can call, and `@inject` does not go with its signatures: hence
one typed function each.
"""

from collections.abc import Mapping

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from application.amend_answer import AmendAnswer
from application.check_readiness import CheckReadiness
from application.delete_program import DeleteProgram
from application.read_content import ReadContent
from application.register_once import RegisterOnce
from application.search_rungs import SearchRungs
from application.validate_upload import ValidateUpload
from domain.ports.catalogue import Catalogue
from entrypoints.api.inline_indexing import Indexing
from entrypoints.api.receive_upload import UploadReception
from entrypoints.container import Container

CatalogueDependency = NamedDependency[SkipValidation[Catalogue]]
"""A port is a Protocol, which no validation by `isinstance` can pass."""


def dependencies_from(container: Container) -> Mapping[str, Provide]:  # noqa: C901 - a list, whatever its length
    """The providers of an application, by the name under which handlers ask for them."""

    async def amend_answer() -> AmendAnswer:
        return container.amend_answer()

    async def catalogue() -> Catalogue:
        return container.catalogue()

    async def check_readiness() -> CheckReadiness:
        return container.readiness()

    async def delete_program() -> DeleteProgram:
        return container.delete_program()

    async def indexing() -> Indexing:
        is_inline = bool(container.hold_events_for())
        return Indexing(index_registered=container.index_registered() if is_inline else None)

    async def read_content() -> ReadContent:
        return container.read_content()

    async def reception() -> UploadReception:
        return UploadReception(scratch=container.scratch(), limits=container.upload_limits())

    async def register_once() -> RegisterOnce:
        return container.register_once()

    async def search_rungs() -> SearchRungs:
        return container.search_rungs()

    async def validate_upload() -> ValidateUpload:
        return container.validate_upload()

    providers = (
        amend_answer,
        catalogue,
        check_readiness,
        delete_program,
        indexing,
        read_content,
        reception,
        register_once,
        search_rungs,
        validate_upload,
    )
    return {provider.__name__: Provide(provider) for provider in providers}
