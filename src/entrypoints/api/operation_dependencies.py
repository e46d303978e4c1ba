"""What the operator's handlers ask for, taken from the container anew for each request."""

from collections.abc import Mapping

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from domain.ports.operations import Operations
from entrypoints.container import Container

OperationsDependency = NamedDependency[SkipValidation[Operations]]
"""A port is a Protocol, which no validation by `isinstance` can pass."""


def operation_dependencies_from(container: Container) -> Mapping[str, Provide]:
    """The providers of an application, by the name under which handlers ask for them."""

    async def operations() -> Operations:
        return container.operations()

    return {provider.__name__: Provide(provider) for provider in (operations,)}
