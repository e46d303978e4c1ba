"""The whole product over fakes: the container that production uses, with nothing behind it but memory."""

import secrets
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from httpx import ASGITransport, AsyncClient

from adapters.identity.no_issuer import NoIssuer
from application.known_keys import KnownKeys
from application.limits import Limits
from application.places import StreamPlaces, UploadPlaces
from application.rate_limiter import RateLimiter
from application.register_program import RegisterCommand, Registered
from application.relay_outbox import RelayOutbox
from application.replace_files import Deduplicated, ReplaceCommand, ReplaceFiles
from builders.uploads import an_upload
from domain.document import DocumentState
from domain.ports.vector_index import IndexEntry
from domain.program import ProgramDetails
from domain.rate import Rate
from domain.search import Candidate, SearchScope
from domain.upload import InspectedUpload, Upload, UploadLimits
from domain.vectors import Vectors
from entrypoints.api.app import create_app
from entrypoints.container import Container
from fakes.audit_log import InMemoryAuditLog
from fakes.backlog import InMemoryBacklog
from fakes.blob_store import InMemoryBlobStore
from fakes.catalogue import InMemoryCatalogue
from fakes.deliveries import InMemoryDeliveries
from fakes.device_catalogue import InMemoryDeviceCatalogue
from fakes.dispatcher import InMemoryDispatcher
from fakes.embedder import HashingEmbedder
from fakes.inventory import InMemoryInventory
from fakes.key_repo import InMemoryKeyRepo
from fakes.operations import InMemoryOperations
from fakes.ownership import InMemoryOwnership
from fakes.progress import InMemoryProgress
from fakes.readers import InProcessArchiveReader, InProcessChunkReader, InProcessPassageReader, ScriptedUploadReader
from fakes.registry import InMemoryRegistry
from fakes.unit_of_work import InMemoryUnitOfWork
from fakes.vector_index import InMemoryVectorIndex
from fakes.webhook_repo import InMemoryWebhookRepo
from fakes.webhook_sender import RecordingWebhookSender

DETAILS = ProgramDetails(pgm_name="셀 라인", create_user="kim")


def some_limits(
    monotonic: Callable[[], float],
    *,
    places: tuple[int, int] = (16, 8),
    uploads: int = 0,
    searches: int = 0,
    unknown_keys: int = 0,
    streams: int = 100,
    streams_of_caller: int = 50,
) -> Limits:
    """Limits that are not in the way; rates are by the minute."""

    def limiter(per_minute: int) -> RateLimiter:
        return RateLimiter(Rate(per_minute=per_minute), monotonic=monotonic)

    total, per_caller = places
    return Limits(
        places=UploadPlaces(total=total, per_caller=per_caller),
        uploads=limiter(uploads),
        searches=limiter(searches),
        unknown_keys=limiter(unknown_keys),
        streams=StreamPlaces(total=streams, per_caller=streams_of_caller),
    )


class WatchedEmbedder(HashingEmbedder):
    """Calls `before` with the texts first: a place for a test to interfere in the middle of the work."""

    before: Callable[[Sequence[str]], Awaitable[None]] | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        if self.before:
            await self.before(texts)
        return await super().embed(texts)


class ForgetfulVectorIndex(InMemoryVectorIndex):
    """Acknowledges what it does not keep while `forgets` is set, and looks everywhere while `ignores_scope` is."""

    forgets = False
    ignores_scope = False

    async def upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        await super().upsert(entries, vectors)
        if self.forgets:
            self.entries.pop(entries[0].chunk_id)

    async def dense(self, vector: Vectors, scope: SearchScope, *, limit: int) -> list[Candidate]:
        return await super().dense(vector, SearchScope() if self.ignores_scope else scope, limit=limit)


@dataclass
class Service:
    """Holds the fakes for back doors, and the container for use cases. `overrides` replaces any dependency."""

    folder: Path
    upload: Upload
    inspected: InspectedUpload
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.registry = InMemoryRegistry()
        self.blobs = InMemoryBlobStore()
        self.index = ForgetfulVectorIndex()
        self.embedder = WatchedEmbedder()
        self.upload_reader = ScriptedUploadReader(self.inspected)
        self.dispatcher = InMemoryDispatcher()
        self.catalogue = InMemoryCatalogue(self.registry)
        self.operations = InMemoryOperations(self.registry)
        self.progress = InMemoryProgress(self.registry)
        self.receiver = RecordingWebhookSender()
        self.keys = InMemoryKeyRepo(self.registry.clock)
        dependencies: dict[str, Any] = {
            "archives": InProcessArchiveReader(),
            "auth_required": False,
            "audit_log": InMemoryAuditLog(self.registry.clock),
            "backlog": InMemoryBacklog(self.registry),
            "blobs": self.blobs,
            "catalogue": self.catalogue,
            "chunk_reader": InProcessChunkReader(),
            "clock": self.registry.clock,
            "devices": InMemoryDeviceCatalogue(self.registry),
            "dispatcher": self.dispatcher,
            "embedder": self.embedder,
            "index": self.index,
            "keys": self.keys,
            "known_keys": KnownKeys(self.keys, monotonic=lambda: self.registry.clock().timestamp()),
            "limits": some_limits(lambda: self.registry.clock().timestamp()),
            "randomness": secrets.token_bytes,
            "tokens": NoIssuer(),
            "operations": self.operations,
            "inventory": InMemoryInventory(self.registry),
            "ownership": InMemoryOwnership(self.registry),
            "passage_reader": InProcessPassageReader(),
            "progress": self.progress,
            "webhooks": InMemoryWebhookRepo(self.registry),
            "webhook_sender": self.receiver,
            "deliveries": InMemoryDeliveries(self.registry),
            "readiness_checks": {},
            "scratch": self.folder,
            "unit_of_work": InMemoryUnitOfWork(self.registry),
            "upload_limits": UploadLimits(),
            "use_turns": InMemoryAuditLog(self.registry.clock),
            "upload_reader": self.upload_reader,
        }
        self.container = Container(**dependencies | self.overrides)

    async def register(self) -> Registered:
        """Register the upload."""
        return await self.container.register_program()(RegisterCommand(details=DETAILS, upload=self.upload))

    async def replace(self, bodies: Mapping[str, str], pgm_id: str = "PGM_1") -> Registered | Deduplicated:
        """Upload other logics into a program, as a revision of it."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        upload, self.upload_reader.inspected = an_upload(folder, bodies)
        replace_files: ReplaceFiles = self.container.replace_files()
        return await replace_files(ReplaceCommand(pgm_id=pgm_id, create_user="lee", upload=upload))

    async def relay(self) -> int:
        """One pass of the relay."""
        relay: RelayOutbox = self.container.relay_outbox()
        return await relay()

    async def work(self) -> None:
        """Relay and handle what is due now, once."""
        await self.index.prepare()
        await self.relay()
        waiting = list(self.dispatcher.waiting.values())
        self.dispatcher.lose_everything()
        for claimed in waiting:
            await self.container.handle_event()(claimed)

    async def work_for(self, time: timedelta, *, step: timedelta = timedelta(seconds=30)) -> None:
        """Work again and again while the database's clock moves on."""
        for _ in range(int(time / step)):
            await self.work()
            await self.registry.clock.advance(step)

    @property
    def states(self) -> dict[str, DocumentState]:
        """Document name -> state."""
        documents = self.registry.committed.documents.values()
        return {document.document_name: document.state for document in documents}


def connected(service: Service) -> AsyncClient:
    """A client of the service's API in the event loop of the test, where requests run side by side."""
    app: Any = create_app(service.container)  # an ASGI application, though httpx and Litestar spell its type apart
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://ladderbase.test")


async def a_service(folder: Path, bodies: dict[str, str] | None = None, **overrides: Any) -> Service:
    """A service, its index ready, and an upload for it."""
    upload, inspected = an_upload(folder, bodies)
    service = Service(folder=folder, upload=upload, inspected=inspected, overrides=overrides)
    await service.index.prepare()
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.indexes.adopt(service.container.index().key)
    return service
