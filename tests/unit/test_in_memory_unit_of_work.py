"""The in-memory record keeps the promises of the real one."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.audit_log import AuditLogContract
from contracts.backlog import BacklogContract
from contracts.catalogue import CatalogueContract, ReopenDocument
from contracts.devices import DevicesContract
from contracts.inventory import InventoryContract
from contracts.operations import OperationsContract
from contracts.outbox import begun
from contracts.ownership import OwnershipContract
from contracts.progress import ProgressContract
from contracts.records import a_document, register
from contracts.unit_of_work import UnitOfWorkContract
from domain.document import DocumentState, Failure
from fakes.audit_log import InMemoryAuditLog
from fakes.backlog import InMemoryBacklog
from fakes.catalogue import InMemoryCatalogue
from fakes.device_catalogue import InMemoryDeviceCatalogue
from fakes.inventory import InMemoryInventory
from fakes.operations import InMemoryOperations
from fakes.ownership import InMemoryOwnership
from fakes.progress import InMemoryProgress
from fakes.registry import InMemoryRegistry
from fakes.unit_of_work import InMemoryUnitOfWork


@pytest.fixture
def registry() -> InMemoryRegistry:
    return InMemoryRegistry()


@pytest.fixture
def unit_of_work(registry: InMemoryRegistry) -> InMemoryUnitOfWork:
    return InMemoryUnitOfWork(registry)


@pytest.fixture
def catalogue(registry: InMemoryRegistry) -> InMemoryCatalogue:
    return InMemoryCatalogue(registry)


@pytest.fixture
def operations(registry: InMemoryRegistry) -> InMemoryOperations:
    return InMemoryOperations(registry)


@pytest.fixture
def backlog(registry: InMemoryRegistry) -> InMemoryBacklog:
    return InMemoryBacklog(registry)


@pytest.fixture
def time_passes(registry: InMemoryRegistry) -> Callable[[timedelta], Awaitable[None]]:
    return registry.clock.advance


@pytest.fixture
def spoil_event(registry: InMemoryRegistry) -> Callable[[int], Awaitable[None]]:
    async def spoil(event_id: int) -> None:
        registry.committed.events[event_id] = replace(registry.committed.events[event_id], event=None)

    return spoil


@pytest.fixture
def write_as_newer(registry: InMemoryRegistry) -> Callable[[int], Awaitable[None]]:
    async def write(event_id: int) -> None:
        registry.committed.events[event_id] = replace(registry.committed.events[event_id], is_newer=True)

    return write


class TestInMemoryUnitOfWork(UnitOfWorkContract):
    pass


class TestInMemoryOperations(OperationsContract):
    pass


class TestInMemoryInventory(InventoryContract):
    @pytest.fixture
    def inventory(self, registry: InMemoryRegistry) -> InMemoryInventory:
        return InMemoryInventory(registry)


class TestInMemoryDevices(DevicesContract):
    @pytest.fixture
    def devices(self, registry: InMemoryRegistry) -> InMemoryDeviceCatalogue:
        return InMemoryDeviceCatalogue(registry)

    @pytest.fixture
    def age_uses(self, registry: InMemoryRegistry) -> Callable[..., Awaitable[None]]:
        async def age(document_id: str, version: int = 0) -> None:
            uses = registry.committed.uses
            uses[document_id] = replace(uses[document_id], uses_version=version)

        return age


class TestInMemoryAuditLog(AuditLogContract):
    @pytest.fixture
    def audit_log(self, registry: InMemoryRegistry) -> InMemoryAuditLog:
        return InMemoryAuditLog(registry.clock)


class TestInMemoryOwnership(OwnershipContract):
    @pytest.fixture
    def ownership(self, registry: InMemoryRegistry) -> InMemoryOwnership:
        return InMemoryOwnership(registry)


class TestInMemoryProgress(ProgressContract):
    @pytest.fixture
    def progress(self, registry: InMemoryRegistry) -> InMemoryProgress:
        return InMemoryProgress(registry)


class TestInMemoryBacklog(BacklogContract):
    pass


class TestInMemoryCatalogue(CatalogueContract):
    @pytest.fixture
    def reopen_document(self, registry: InMemoryRegistry) -> ReopenDocument:
        async def reopen(document_id: str, generation: int, state: DocumentState) -> None:
            documents = registry.committed.documents
            documents[document_id] = replace(documents[document_id], generation=generation, state=state)

        return reopen


async def test_an_event_comes_back_with_where_it_came_from(registry: InMemoryRegistry) -> None:
    registry.origin = lambda: {"request_id": "r-1"}
    assert (await begun(InMemoryUnitOfWork(registry))).origin == {"request_id": "r-1"}


async def test_two_open_writers_of_one_row_are_no_accident_the_fake_hides(unit_of_work: InMemoryUnitOfWork) -> None:
    document = a_document()
    await register(unit_of_work, document)
    failure = Failure(code="csv_invalid", message="")
    with pytest.raises(AssertionError, match="one of them wait"):  # noqa: PT012 - it is raised where a transaction ends
        async with unit_of_work.begin() as first, unit_of_work.begin() as second:
            await first.documents.mark_failed([(document.ref, failure)])
            await second.documents.begin_indexing([document.ref])
