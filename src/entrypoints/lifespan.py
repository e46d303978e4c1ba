"""Opens what the processes need and closes it again, in one stack."""

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from arq.connections import ArqRedis

from adapters.blobs.options import StorageOptions
from adapters.blobs.registry import blob_store_named
from adapters.embedding.options import EmbeddingOptions
from adapters.embedding.prompt import PromptEmbedder
from adapters.embedding.registry import embedder_named
from adapters.embedding.remote import RemoteEmbedder
from adapters.identity.jwt_verifier import JwtTokenVerifier, TokenRules
from adapters.identity.key_sources import keys_at, keys_in
from adapters.identity.no_issuer import NoIssuer
from adapters.identity.signing_keys import SigningKeys
from adapters.milvus.vector_index import MilvusVectorIndex
from adapters.plc_files.archive_members import LimitedArchiveReader
from adapters.plc_files.chunk_reader import LimitedChunkReader
from adapters.plc_files.limited_child import ProcessLimits
from adapters.plc_files.limited_process import LimitedProcess
from adapters.plc_files.passage_reader import LimitedPassageReader
from adapters.plc_files.upload_reader import LimitedUploadReader
from adapters.postgres.audit_log import PostgresAuditLog
from adapters.postgres.backlog import PostgresBacklog
from adapters.postgres.catalogue import PostgresCatalogue
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.device_catalogue import PostgresDeviceCatalogue
from adapters.postgres.engine import create_engine
from adapters.postgres.inventory import PostgresInventory
from adapters.postgres.key_repo import PostgresKeyRepo
from adapters.postgres.operations import PostgresOperations
from adapters.postgres.ownership import PostgresOwnership
from adapters.postgres.progress import PostgresProgress
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.webhook_repo import PostgresWebhookRepo
from adapters.queue.arq_dispatcher import ArqDispatcher
from adapters.telemetry.origin import current_origin
from adapters.webhooks.http_sender import HttpWebhookSender
from application.known_keys import KnownKeys
from application.limits import Limits
from application.places import StreamPlaces, UploadPlaces
from application.rate_limiter import RateLimiter
from application.spool import sweep_scratch
from domain.chunking import RENDERING_VERSION
from domain.errors import MisconfiguredError
from domain.events import LEASE
from domain.index_key import IndexKey
from domain.ports.blob_store import BlobStore
from domain.ports.embedder import Embedder
from domain.ports.token_verifier import TokenVerifier
from domain.rate import Rate
from entrypoints.build import this_build
from entrypoints.container import Container
from entrypoints.readiness import readiness_checks
from entrypoints.settings import Settings

# One more than an everyday machine has cores: reading waits for the disk as well.
_READERS = 3
_PRELOAD = ("adapters.plc_files.document_jobs", "adapters.plc_files.upload_jobs")
# For requests, the relay and the sweeps; each job may want two more: its work's and its heartbeat's.
_CONNECTIONS = 8
_LEFTOVERS_AFTER = timedelta(days=1)


@asynccontextmanager
async def opened(settings: Settings, redis: ArqRedis) -> AsyncIterator[Container]:
    """The container with every dependency open. Servers that are down do not keep it from opening.

    Raises MisconfiguredError where the settings contradict each other.
    """
    limits = settings.upload_limits
    await sweep_scratch(settings.scratch, older_than=_LEFTOVERS_AFTER)
    async with AsyncExitStack() as stack:
        engine = create_engine(settings.database_url, pool_size=_CONNECTIONS + 2 * settings.worker_jobs)
        stack.push_async_callback(engine.dispose)
        embedder = await stack.enter_async_context(_embedder(settings))
        index = _vector_index(settings, embedder)
        stack.push_async_callback(index.aclose)
        ownership = PostgresOwnership(engine)
        blobs = await stack.enter_async_context(_blob_store(settings, is_in_use=ownership.has_programs))
        process = await stack.enter_async_context(LimitedProcess(ProcessLimits(), slots=_READERS, preload=_PRELOAD))
        dispatcher = ArqDispatcher(redis)
        catalogue = PostgresCatalogue(engine)
        keys = PostgresKeyRepo(engine)
        yield Container(
            archives=LimitedArchiveReader(process, limits),
            audit_log=PostgresAuditLog(engine),
            backlog=PostgresBacklog(engine),
            blobs=blobs,
            catalogue=catalogue,
            chunk_reader=LimitedChunkReader(process, limits),
            devices=PostgresDeviceCatalogue(engine),
            dispatcher=dispatcher,
            embedder=embedder,
            query_embedder=_query_embedder(settings, embedder),
            index=index,
            keys=keys,
            known_keys=KnownKeys(keys, monotonic=time.monotonic),
            tokens=await _token_verifier(settings, stack),
            operations=PostgresOperations(engine),
            inventory=PostgresInventory(engine),
            ownership=ownership,
            webhooks=PostgresWebhookRepo(engine),
            webhook_sender=HttpWebhookSender(allow_private=settings.webhook_allow_private),
            webhook_allow_private=settings.webhook_allow_private,
            deliveries=PostgresDeliveries(engine),
            passage_reader=LimitedPassageReader(process, limits),
            progress=PostgresProgress(engine),
            unit_of_work=PostgresUnitOfWork(engine, origin=current_origin),
            use_turns=PostgresAuditLog(engine, name="uses"),
            upload_reader=LimitedUploadReader(process, limits),
            auth_required=settings.auth == "required",
            build=this_build(settings.build_commit),
            cors_origins=settings.cors_origins,
            metrics_are_open=settings.metrics_access == "open",
            limits=_limits(settings),
            randomness=secrets.token_bytes,
            clock=_now,
            scratch=settings.scratch,
            upload_limits=limits,
            hold_events_for=timedelta(0) if settings.async_milvus_processing else LEASE,
            readiness_checks=readiness_checks(
                engine=engine,
                dispatcher=dispatcher,
                index=index,
                key=index.key,
                embedder=embedder,
                blobs=blobs,
                scratch=settings.scratch,
                catalogue=catalogue,
            ),
        )


def _now() -> datetime:
    return datetime.now(tz=UTC)


def _limits(settings: Settings) -> Limits:
    def by_the_minute(per_minute: int) -> RateLimiter:
        return RateLimiter(Rate(per_minute=per_minute), monotonic=time.monotonic)

    return Limits(
        places=UploadPlaces(total=settings.uploads_at_once, per_caller=settings.uploads_at_once_per_caller),
        uploads=by_the_minute(settings.uploads_per_minute),
        searches=by_the_minute(settings.searches_per_minute),
        unknown_keys=by_the_minute(settings.unknown_keys_per_minute),
        streams=StreamPlaces(total=settings.streams_at_once, per_caller=settings.streams_at_once_per_caller),
    )


async def _token_verifier(settings: Settings, stack: AsyncExitStack) -> TokenVerifier:
    if not settings.oidc_issuer:
        return NoIssuer()
    if settings.oidc_jwks_url:
        source = await stack.enter_async_context(keys_at(settings.oidc_jwks_url))
    else:
        source = keys_in(Path(settings.oidc_jwks_file))
    rules = TokenRules(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        scope_claim=settings.oidc_scope_claim,
        scope_names=settings.oidc_scope_names,
        name_claim=settings.oidc_name_claim,
    )
    return JwtTokenVerifier(SigningKeys(source, monotonic=time.monotonic), rules)


def _embedder(settings: Settings) -> AbstractAsyncContextManager[Embedder]:
    return embedder_named(
        settings.embedding_model,
        EmbeddingOptions(
            model_name=settings.embedding_model_name,
            base_url=settings.embedding_base_url,
            api_key=settings.embedding_key,
            dimension=settings.milvus_embedding_dim,
            batch_size=settings.embedding_batch_size,
            concurrency=settings.embedding_concurrency,
            timeout_s=settings.embedding_timeout_s,
            max_characters=settings.embedding_max_characters,
        ),
    )


def _query_embedder(settings: Settings, embedder: Embedder) -> Embedder:
    """A model on this machine never falls silent, and is waited for while it is loaded."""
    if isinstance(embedder, RemoteEmbedder):
        return PromptEmbedder(embedder, timeout_s=settings.embedding_query_timeout_s)
    return embedder


def _vector_index(settings: Settings, embedder: Embedder) -> MilvusVectorIndex:
    if settings.milvus_embedding_dim not in {None, embedder.model.dimension}:
        raise MisconfiguredError(
            f"the setting MILVUS_EMBEDDING_DIM is not the dimension of the embedding model, {embedder.model.dimension}"
        )
    return MilvusVectorIndex(
        uri=settings.milvus_address,
        token=settings.milvus_token,
        database=settings.milvus_database,
        ca_file=settings.milvus_ca_file,
        alias=settings.milvus_collection_name,
        key=IndexKey(model=embedder.model, rendering_version=RENDERING_VERSION),
    )


def _blob_store(
    settings: Settings, *, is_in_use: Callable[[], Awaitable[bool]]
) -> AbstractAsyncContextManager[BlobStore]:
    return blob_store_named(
        settings.storage_type,
        StorageOptions(
            local_root=settings.storage_local_root,
            bucket=settings.s3_bucket_name,
            endpoint_url=settings.s3_endpoint_url,
            use_path_style=settings.s3_use_path_style,
            server_side_encryption=settings.s3_server_side_encryption,
            kms_key_id=settings.s3_kms_key_id,
            checksum_mode=settings.s3_checksum_mode,
            max_connections=settings.s3_max_connections,
            connect_timeout_s=settings.s3_connect_timeout_s,
            timeout_s=settings.s3_timeout_s,
            region=settings.aws_region,
            access_key_id=settings.aws_access_key_id,
            secret_access_key=settings.aws_secret_access_key,
            session_token=settings.aws_session_token,
            is_in_use=is_in_use,
        ),
    )
