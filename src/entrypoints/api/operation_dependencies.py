"""What the operator's handlers ask for, taken from the container anew for each request."""

from collections.abc import Mapping

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from application.retry_documents import RetryDocuments
from application.retry_everywhere import RetryFailed, ReviveDead
from domain.ports.operations import Operations
from entrypoints.container import Container

OperationsDependency = NamedDependency[SkipValidation[Operations]]
"""A port is a Protocol, which no validation by `isinstance` can pass."""


def operation_dependencies_from(container: Container) -> Mapping[str, Provide]:
    """The providers of an application, by the name under which handlers ask for them."""

    async def operations() -> Operations:
        return container.operations()

    async def retry_documents() -> RetryDocuments:
        return container.retry_documents()

    async def retry_failed() -> RetryFailed:
        return container.retry_failed()

    async def revive_dead() -> ReviveDead:
        return container.revive_dead()

    providers = (operations, retry_documents, retry_failed, revive_dead)
    return {provider.__name__: Provide(provider) for provider in providers}
