"""Pure wiring: whatever must be opened or closed is opened in lifespan.py and passed in."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from dependency_injector import containers, providers

from adapters.telemetry.exposition import Exposition
from adapters.telemetry.telemetry import Telemetry
from application.add_document import AddDocument, AddDocumentOnce
from application.amend_answer import AmendAnswer
from application.amend_program import AmendProgram
from application.answer_once import AnswerOnce
from application.audit_blobs import AuditBlobs
from application.audit_by_turns import AuditByTurns
from application.audit_documents import AuditDocuments
from application.audit_stores import AuditStores
from application.audit_vectors import AuditVectors
from application.authenticate import Authenticate
from application.check_readiness import Check, CheckReadiness
from application.collect_garbage import CollectGarbage
from application.create_key import CreateKey
from application.delete_program import DeleteProgram
from application.delete_programs import DeletePrograms
from application.deliver_webhooks import DeliverWebhooks
from application.drop_old_indexes import DropOldIndexes
from application.export_program import ExportProgram
from application.find_orphans import FindOrphans
from application.follow_indexing import FollowIndexing
from application.gather_context import GatherContext
from application.handle_event import HandleEvent
from application.index_documents import IndexDocuments
from application.index_registered import IndexRegistered
from application.indexing import IndexingSteps
from application.indexing_steps import KeepOwnObject, ReadChunks, ReadTemplateRows
from application.indexing_watch import IndexingWatch
from application.keep_index import KeepIndex
from application.known_keys import KnownKeys
from application.limits import Limits
from application.list_keys import ListKeys
from application.manage_webhooks import AddWebhook, ChangeWebhook, RotateWebhookSecret
from application.purge_documents import PurgeDocuments
from application.purge_program import PurgeProgram
from application.purge_revision import PurgeRevision
from application.read_content import ReadContent
from application.rebuild_index import RebuildIndex
from application.record_lacking_uses import RecordLackingUses
from application.register_once import RegisterOnce
from application.register_program import RegisterProgram
from application.relay_outbox import RelayOutbox
from application.remove_document import RemoveDocument
from application.repair_drift import RepairDrift
from application.replace_files import ReplaceFiles
from application.retry_documents import RetryDocuments
from application.retry_everywhere import RetryFailed, ReviveDead
from application.review_devices import ReviewDevices
from application.revoke_key import RevokeKey
from application.search_rungs import SearchRungs
from application.show_rung import ShowRung
from application.sweep_deliveries import SweepDeliveries
from application.sweep_history import SweepHistory
from application.sweep_idempotency_keys import SweepIdempotencyKeys
from application.sweep_uploads import SweepUploads
from application.unwatched import UNWATCHED
from application.validate_upload import ValidateUpload
from application.write_vectors import WriteVectors
from domain.attachments.registry import ATTACHMENTS
from domain.document import DocumentType
from domain.ports.archive_reader import ArchiveReader
from domain.ports.audit_log import AuditLog
from domain.ports.backlog import Backlog
from domain.ports.blob_store import BlobStore
from domain.ports.catalogue import Catalogue
from domain.ports.chunk_reader import ChunkReader
from domain.ports.deliveries import Deliveries
from domain.ports.device_catalogue import DeviceCatalogue
from domain.ports.dispatcher import Dispatcher
from domain.ports.embedder import Embedder
from domain.ports.inventory import Inventory
from domain.ports.key_repo import KeyRepo
from domain.ports.operations import Operations
from domain.ports.ownership import Ownership
from domain.ports.passage_reader import PassageReader
from domain.ports.progress import Progress
from domain.ports.token_verifier import TokenVerifier
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.upload_reader import UploadReader
from domain.ports.vector_index import VectorIndex
from domain.ports.webhook_repo import WebhookRepo
from domain.ports.webhook_sender import WebhookSender
from domain.ports.work_watch import WorkWatch
from domain.upload import UploadLimits
from entrypoints.build import Build, this_build


class Container(containers.DeclarativeContainer):
    """The API and the worker share it; tests build it with fakes."""

    archives: providers.Dependency[ArchiveReader] = providers.Dependency()
    audit_log: providers.Dependency[AuditLog] = providers.Dependency()
    backlog: providers.Dependency[Backlog] = providers.Dependency()
    blobs: providers.Dependency[BlobStore] = providers.Dependency()
    catalogue: providers.Dependency[Catalogue] = providers.Dependency()
    chunk_reader: providers.Dependency[ChunkReader] = providers.Dependency()
    devices: providers.Dependency[DeviceCatalogue] = providers.Dependency()
    dispatcher: providers.Dependency[Dispatcher] = providers.Dependency()
    embedder: providers.Dependency[Embedder] = providers.Dependency()
    query_embedder: providers.Dependency[Embedder] = providers.Dependency(default=embedder)
    index: providers.Dependency[VectorIndex] = providers.Dependency()
    keys: providers.Dependency[KeyRepo] = providers.Dependency()
    known_keys: providers.Dependency[KnownKeys] = providers.Dependency()
    operations: providers.Dependency[Operations] = providers.Dependency()
    inventory: providers.Dependency[Inventory] = providers.Dependency()
    ownership: providers.Dependency[Ownership] = providers.Dependency()
    webhooks: providers.Dependency[WebhookRepo] = providers.Dependency()
    webhook_sender: providers.Dependency[WebhookSender] = providers.Dependency()
    deliveries: providers.Dependency[Deliveries] = providers.Dependency()
    passage_reader: providers.Dependency[PassageReader] = providers.Dependency()
    progress: providers.Dependency[Progress] = providers.Dependency()
    tokens: providers.Dependency[TokenVerifier] = providers.Dependency()
    use_turns: providers.Dependency[AuditLog] = providers.Dependency()
    unit_of_work: providers.Dependency[UnitOfWork] = providers.Dependency()
    work_watch: providers.Dependency[WorkWatch] = providers.Dependency(default=UNWATCHED)
    upload_reader: providers.Dependency[UploadReader] = providers.Dependency()

    auth_required: providers.Dependency[bool] = providers.Dependency(default=True)
    cors_origins: providers.Dependency[tuple[str, ...]] = providers.Dependency(default=())
    metrics_are_open: providers.Dependency[bool] = providers.Dependency(default=False)
    limits: providers.Dependency[Limits] = providers.Dependency()
    webhook_allow_private: providers.Dependency[bool] = providers.Dependency(default=False)
    randomness: providers.Dependency[Callable[[int], bytes]] = providers.Dependency()
    build: providers.Dependency[Build] = providers.Dependency(default=providers.Singleton(this_build))
    clock: providers.Dependency[Callable[[], datetime]] = providers.Dependency()
    scratch: providers.Dependency[Path] = providers.Dependency()
    upload_limits: providers.Dependency[UploadLimits] = providers.Dependency()
    hold_events_for: providers.Dependency[timedelta] = providers.Dependency(default=timedelta(0))
    readiness_checks: providers.Dependency[Mapping[str, Check]] = providers.Dependency()

    # Set by whoever stops the process: no more traffic is wanted from then on.
    stopping = providers.Singleton(asyncio.Event)

    # Whoever looks on: `entrypoints.observed` puts it around the ports.
    telemetry = providers.Singleton(Telemetry)
    exposition = providers.Singleton(
        Exposition, telemetry.provided.metrics, backlog=backlog, audit_log=audit_log, monotonic=time.monotonic
    )

    authenticate = providers.Factory(
        Authenticate, keys=known_keys, strangers=limits.provided.unknown_keys, tokens=tokens, clock=clock
    )
    create_key = providers.Factory(CreateKey, keys=keys, randomness=randomness)
    list_keys = providers.Factory(ListKeys, keys=keys)
    revoke_key = providers.Factory(RevokeKey, keys=keys)

    read_chunks = providers.Factory(ReadChunks, blobs=blobs, reader=chunk_reader)
    # One entry per document type that has something to index; every other type is skipped.
    indexing_steps = providers.Factory(
        IndexingSteps,
        chains=providers.Dict(
            {
                DocumentType.LADDER_CSV: providers.List(
                    read_chunks,
                    providers.Factory(KeepOwnObject, blobs=blobs, unit_of_work=unit_of_work),
                ),
                DocumentType.TEMPLATE: providers.List(providers.Factory(ReadTemplateRows)),
                **dict.fromkeys((*ATTACHMENTS, DocumentType.FURTHER), providers.List(read_chunks)),
            }
        ),
    )

    validate_upload = providers.Factory(ValidateUpload, reader=upload_reader)
    register_program = providers.Factory(
        RegisterProgram,
        reader=upload_reader,
        blobs=blobs,
        unit_of_work=unit_of_work,
        clock=clock,
        indexed_types=indexing_steps.provided.indexed_types,
        hold_events_for=hold_events_for,
    )
    replace_files = providers.Factory(
        ReplaceFiles,
        reader=upload_reader,
        blobs=blobs,
        unit_of_work=unit_of_work,
        clock=clock,
        indexed_types=indexing_steps.provided.indexed_types,
        hold_events_for=hold_events_for,
    )
    answer_once = providers.Factory(AnswerOnce, unit_of_work=unit_of_work)
    amend_answer = providers.Factory(AmendAnswer, unit_of_work=unit_of_work)
    register_once = providers.Factory(RegisterOnce, register_program=register_program, answer_once=answer_once)
    add_document = providers.Factory(
        AddDocument,
        reader=passage_reader,
        blobs=blobs,
        unit_of_work=unit_of_work,
        clock=clock,
        hold_events_for=hold_events_for,
    )
    add_document_once = providers.Factory(AddDocumentOnce, add_document=add_document, answer_once=answer_once)
    remove_document = providers.Factory(RemoveDocument, unit_of_work=unit_of_work)
    amend_program = providers.Factory(AmendProgram, unit_of_work=unit_of_work)
    delete_program = providers.Factory(DeleteProgram, unit_of_work=unit_of_work)
    delete_programs = providers.Factory(DeletePrograms, delete_program=delete_program)
    retry_documents = providers.Factory(
        RetryDocuments, unit_of_work=unit_of_work, indexed_types=indexing_steps.provided.indexed_types
    )
    retry_failed = providers.Factory(RetryFailed, operations=operations, retry_documents=retry_documents)
    revive_dead = providers.Factory(ReviveDead, unit_of_work=unit_of_work, deliveries=deliveries)
    # Followers of one program share its looks.
    indexing_watch = providers.Singleton(IndexingWatch, progress, monotonic=time.monotonic)
    follow_indexing = providers.Factory(
        FollowIndexing, watch=indexing_watch, stopping=stopping, monotonic=time.monotonic
    )
    search_rungs = providers.Factory(SearchRungs, embedder=query_embedder, index=index, catalogue=catalogue)
    gather_context = providers.Factory(GatherContext, search_rungs=search_rungs, catalogue=catalogue, devices=devices)
    show_rung = providers.Factory(ShowRung, catalogue=catalogue, key=index.provided.key)
    review_devices = providers.Factory(ReviewDevices, devices=devices)
    read_content = providers.Factory(ReadContent, catalogue=catalogue, blobs=blobs, archives=archives, scratch=scratch)
    export_program = providers.Factory(
        ExportProgram, catalogue=catalogue, blobs=blobs, archives=archives, scratch=scratch
    )
    readiness = providers.Factory(CheckReadiness, checks=readiness_checks, is_stopping=stopping.provided.is_set)

    add_webhook = providers.Factory(
        AddWebhook, webhooks=webhooks, randomness=randomness, allow_private=webhook_allow_private
    )
    change_webhook = providers.Factory(ChangeWebhook, webhooks=webhooks, allow_private=webhook_allow_private)
    rotate_webhook_secret = providers.Factory(RotateWebhookSecret, webhooks=webhooks, randomness=randomness)
    deliver_webhooks = providers.Factory(DeliverWebhooks, deliveries=deliveries, sender=webhook_sender, clock=clock)

    write_vectors = providers.Factory(WriteVectors, embedder=embedder, index=index)
    index_documents = providers.Factory(
        IndexDocuments,
        unit_of_work=unit_of_work,
        steps=indexing_steps,
        vectors=write_vectors,
        index=index,
        blobs=blobs,
        scratch=scratch,
    )
    purge_documents = providers.Factory(PurgeDocuments, unit_of_work=unit_of_work, blobs=blobs, index=index)
    purge_program = providers.Factory(PurgeProgram, unit_of_work=unit_of_work, blobs=blobs, index=index)
    purge_revision = providers.Factory(PurgeRevision, unit_of_work=unit_of_work, blobs=blobs, index=index)
    handle_event = providers.Factory(
        HandleEvent,
        unit_of_work=unit_of_work,
        index_documents=index_documents,
        purge_documents=purge_documents,
        purge_program=purge_program,
        purge_revision=purge_revision,
        watch=work_watch,
    )
    index_registered = providers.Factory(IndexRegistered, unit_of_work=unit_of_work, handle_event=handle_event)
    keep_index = providers.Factory(KeepIndex, unit_of_work=unit_of_work, index=index)
    rebuild_index = providers.Factory(
        RebuildIndex,
        unit_of_work=unit_of_work,
        catalogue=catalogue,
        steps=indexing_steps,
        vectors=write_vectors,
        index=index,
        scratch=scratch,
    )
    record_lacking_uses = providers.Factory(
        RecordLackingUses, unit_of_work=unit_of_work, steps=indexing_steps, turns=use_turns, scratch=scratch
    )
    drop_old_indexes = providers.Factory(DropOldIndexes, unit_of_work=unit_of_work, index=index)
    relay_outbox = providers.Factory(RelayOutbox, unit_of_work=unit_of_work, dispatcher=dispatcher, watch=work_watch)
    sweep_idempotency_keys = providers.Factory(SweepIdempotencyKeys, unit_of_work=unit_of_work)
    sweep_deliveries = providers.Factory(SweepDeliveries, deliveries=deliveries)
    sweep_history = providers.Factory(SweepHistory, unit_of_work=unit_of_work)
    sweep_uploads = providers.Factory(SweepUploads, unit_of_work=unit_of_work, blobs=blobs)

    find_orphans = providers.Factory(FindOrphans, blobs=blobs, ownership=ownership, clock=clock)
    audit_stores = providers.Factory(
        AuditStores,
        unit_of_work=unit_of_work,
        index=index,
        ownership=ownership,
        documents=providers.Factory(AuditDocuments, inventory=inventory, index=index),
        vectors=providers.Factory(AuditVectors, index=index, ownership=ownership, catalogue=catalogue),
        blobs=providers.Factory(AuditBlobs, catalogue=catalogue, blobs=blobs, clock=clock),
        find_orphans=find_orphans,
    )
    audit_by_turns = providers.Factory(AuditByTurns, audit_stores=audit_stores, log=audit_log)
    repair_drift = providers.Factory(RepairDrift, unit_of_work=unit_of_work)
    collect_garbage = providers.Factory(
        CollectGarbage,
        unit_of_work=unit_of_work,
        ownership=ownership,
        blobs=blobs,
        find_orphans=find_orphans,
        sweep_uploads=sweep_uploads,
        scratch=scratch,
    )
