"""Breaks each guard of the product, one at a time, in a copy of the tree, and expects the test of it to fail.

A guard whose test stays green is one that nobody would miss. `make guards` runs all, `make guards WHICH=lease` those
whose name holds the word. To add one, add a line: the fragment must stand in its file exactly once.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builders.real_servers import real_servers

ROOT = Path(__file__).parents[2]
_COPIED = ("src", "tests", "examples", "pyproject.toml")
_WITHIN_S = 240

_RECORDS = "tests/integration/test_postgres_unit_of_work.py::TestPostgresUnitOfWork::"
_CATALOGUE = "tests/integration/test_postgres_unit_of_work.py::TestPostgresCatalogue::"
_INDEXING = "tests/unit/test_indexing_a_program.py::"
_FENCES = "tests/unit/test_leases_and_fences.py::"
_MODELS = "tests/unit/test_changing_the_model.py::"
_RACES = "tests/integration/test_postgres_races.py::"
_KEYS = "tests/unit/test_authenticating.py::"
_ACCESS = "tests/unit/test_api_access.py::"
_TOKENS = "tests/unit/test_jwt_verifier.py::"
_SLOW = "tests/integration/test_slow_clients.py::"
_WEBHOOKS = "tests/unit/test_delivering_webhooks.py::"
_TOLD = "tests/integration/test_postgres_webhooks.py::"
_SENDER = "tests/integration/test_webhook_sender.py::"
_FURTHER = "tests/unit/test_further_hostile.py::"
_USES = "tests/unit/test_api_devices.py::"
_DISK = "tests/integration/test_local_disk_blobs.py::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A fragment of a file, what it is broken into, and the test that must notice."""

    name: str
    file: str
    fragment: str
    broken: str
    test: str


GUARDS: Sequence[Guard] = (
    Guard(
        name="what stands under a number that comes again is left alone",
        file="src/application/store_upload.py",
        fragment="            if await self._is_free(drawn.prefix):",
        broken="            if True:",
        test="tests/unit/test_registering_a_program.py"
        "::test_what_stands_under_its_number_already_is_left_alone_and_another_number_is_drawn",
    ),
    Guard(
        name="a lease token holds an event",
        file="src/adapters/postgres/outbox.py",
        fragment="                outbox.c.lease_token.cast(Text) == held.lease_token,\n",
        broken="",
        test=_RECORDS + "test_work_that_was_taken_over_cannot_be_finished",
    ),
    Guard(
        name="a lease that has ended holds nothing",
        file="src/adapters/postgres/outbox.py",
        fragment="                outbox.c.next_attempt_at > NOW,\n",
        broken="",
        test=_RECORDS + "test_an_expired_lease_is_worth_nothing_even_if_nobody_else_came",
    ),
    Guard(
        name="the start exchanges the token",
        file="src/adapters/postgres/outbox.py",
        fragment="            attempts=outbox.c.attempts + 1,\n            lease_token=func.gen_random_uuid(),\n",
        broken="            attempts=outbox.c.attempts + 1,\n",
        test=_RECORDS + "test_a_second_delivery_of_one_claim_conflicts",
    ),
    Guard(
        name="two relays pass over each other's events",
        file="src/adapters/postgres/outbox.py",
        fragment='            .with_for_update(skip_locked=True)\n            .cte("due")\n',
        broken='            .with_for_update()\n            .cte("due")\n',
        test=_RECORDS + "test_two_relays_never_hold_the_same_event",
    ),
    Guard(
        name="what is done is never claimed",
        file="src/adapters/postgres/outbox.py",
        fragment=".where(IS_PENDING, outbox.c.next_attempt_at <= NOW)",
        broken=".where(outbox.c.next_attempt_at <= NOW)",
        test=_RECORDS + "test_a_finished_event_never_comes_back",
    ),
    Guard(
        name="work handed back is not counted",
        file="src/adapters/postgres/outbox.py",
        fragment=", attempts=outbox.c.attempts - 1)",
        broken=")",
        test=_RECORDS + "test_work_handed_back_at_shutdown_does_not_count",
    ),
    Guard(
        name="only the present generation is written to",
        file="src/adapters/postgres/document_repo.py",
        fragment=" & (stored.c.generation == wanted.c.generation)\n",
        broken="\n",
        test=_RECORDS + "test_a_stale_generation_is_refused",
    ),
    Guard(
        name="what is terminal is not begun",
        file="src/adapters/postgres/document_repo.py",
        fragment="await self._lock_current(refs, stored.c.state.in_(_UNFINISHED))",
        broken="await self._lock_current(refs)",
        test=_RECORDS + "test_a_terminal_document_is_not_begun",
    ),
    Guard(
        name="what is indexed does not fail afterwards",
        file="src/adapters/postgres/document_repo.py",
        fragment="await self._lock_current(list(by_ref), stored.c.state.in_(_UNFINISHED))",
        broken="await self._lock_current(list(by_ref))",
        test=_RECORDS + "test_what_is_indexed_does_not_fail_afterwards",
    ),
    Guard(
        name="a restart raises the generation",
        file="src/adapters/postgres/document_repo.py",
        fragment="generation=stored.c.generation + 1,",
        broken="generation=stored.c.generation,",
        test=_RECORDS + "test_indexing_a_document_anew_replaces_its_old_renderings",
    ),
    Guard(
        name="a delete raises the generation",
        file="src/adapters/postgres/program_repo.py",
        fragment=".values(generation=documents.c.generation + 1)",
        broken=".values(generation=documents.c.generation)",
        test="tests/integration/test_postgres_races.py::test_a_worker_that_waited_for_a_delete_is_refused",
    ),
    Guard(
        name="only a deleted program is purged",
        file="src/adapters/postgres/program_repo.py",
        fragment=".where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_not(None))",
        broken=".where(programs.c.pgm_id == pgm_id)",
        test=_RECORDS + "test_a_live_program_is_not_purged",
    ),
    Guard(
        name="a deleted program's documents are unknown",  # their chunks are of an old generation besides
        file="src/adapters/postgres/catalogue.py",
        fragment=".where(documents.c.document_id == document_id, is_live(documents.c.revision))",
        broken=".where(documents.c.document_id == document_id)",
        test=_CATALOGUE + "test_a_deleted_program_is_gone_from_every_answer",
    ),
    Guard(
        name="a chunk of another generation is not visible",
        file="src/adapters/postgres/catalogue.py",
        fragment=", documents.c.generation == asked.c.generation)",
        broken=")",
        test=_CATALOGUE + "test_the_chunks_of_a_document_that_moved_on_are_not_visible",
    ),
    Guard(
        name="a document that is not indexed is not visible",
        file="src/adapters/postgres/catalogue.py",
        fragment=".where(documents.c.state == DocumentState.INDEXED.value),\n        name=",
        broken=",\n        name=",
        test=_CATALOGUE + "test_the_chunks_of_a_document_that_moved_on_are_not_visible",
    ),
    Guard(
        name="documents are indexed into the current index alone",
        file="src/application/index_documents.py",
        fragment="            await transaction.indexes.hold_current(self.index.key)\n",
        broken="",
        test=_MODELS + "test_who_indexes_into_the_old_index_is_refused_after_the_switch_and_loses_nothing",
    ),
    Guard(
        name="an index that lacks something is not switched to",
        file="src/adapters/postgres/index_registry.py",
        fragment="        if is_known is None or await self.lacking(key, limit=1):\n",
        broken="        if is_known is None:\n",
        test=_RECORDS + "test_an_index_that_lacks_something_is_not_completed",
    ),
    Guard(
        name="an upload that a sweeper took cannot finish",
        file="src/adapters/postgres/upload_log.py",
        fragment=".where(uploads.c.prefix == prefix, uploads.c.taken_at.is_(None))",
        broken=".where(uploads.c.prefix == prefix)",
        test=_RECORDS + "test_an_uploader_cannot_finish_what_was_taken",
    ),
    Guard(
        name="the lease is renewed in the transaction of the documents",
        file="src/application/index_documents.py",
        fragment="            await transaction.outbox.extend(started, lease=lease)  # refuses the commit",
        broken="            pass  # refuses the commit",
        test=_FENCES + "test_a_worker_that_lost_its_lease_records_nothing",
    ),
    Guard(
        name="what is stale is removed after the work",
        file="src/application/index_documents.py",
        fragment="        await self.remove_what_is_stale(event)\n        reached",
        broken="        reached",
        test=_INDEXING + "test_a_delete_that_overtakes_the_indexing_leaves_nothing_behind",
    ),
    Guard(
        name="a checkpoint renews the lease of its worker",
        file="src/application/handle_event.py",
        fragment="reached=progress.reach, lease=self.lease)",
        broken="reached=progress.reach)",
        test=_FENCES + "test_a_checkpoint_holds_the_event_for_the_lease_of_its_worker",
    ),
    Guard(
        name="an API that is about to stop is not ready",
        file="src/application/check_readiness.py",
        fragment="        if self.is_stopping():\n",
        broken="        if False:\n",
        test="tests/unit/test_readiness.py::test_a_service_that_is_about_to_stop_is_not_ready_for_anything",
    ),
    Guard(
        name="an event of a newer version is left to its workers",
        file="src/application/handle_event.py",
        fragment=", if_older_than=UNKNOWN_WAITS_FOR\n",
        broken="\n",
        test=_FENCES + "test_an_event_of_a_newer_version_waits_a_day_for_a_worker_that_knows_it",
    ),
    Guard(
        name="an empty folder is no store where programs have files",
        file="src/adapters/blobs/local_disk.py",
        fragment="        if is_in_use:\n",
        broken="        if False:\n",
        test=_DISK + "test_an_empty_folder_is_no_store_where_programs_have_files",
    ),
    Guard(
        name="an upload that cannot be recorded is not read",
        file="src/entrypoints/api/receive_upload.py",
        fragment="            await self.require_record()",
        broken="            pass",
        test="tests/unit/test_api_manners.py::test_an_upload_that_cannot_be_recorded_is_refused_before_it_is_read",
    ),
    Guard(
        name="a queue that may forget is refused",
        file="src/adapters/queue/arq_dispatcher.py",
        fragment="        if policy != _KEEPS_ALL:\n",
        broken="        if False:\n",
        test="tests/integration/test_arq_dispatcher.py::test_a_server_that_forgets_to_make_room_is_refused",
    ),
    Guard(
        name="what was written after the lease was lost is removed",
        file="src/application/handle_event.py",
        fragment="            await self._clean_up_after_losing(started)\n            return",
        broken="            return",
        test=_FENCES + "test_a_worker_that_wakes_after_the_program_was_purged_leaves_no_vectors",
    ),
    Guard(
        name="an outage is tried again",
        file="src/application/handle_event.py",
        fragment="except (UnavailableError, MisconfiguredError, OSError) as error:  # OSError",
        broken="except (MisconfiguredError, OSError) as error:  # OSError",
        test=_INDEXING + "test_an_outage_is_outlasted",
    ),
    Guard(
        name="a document that ends every worker is given up",
        file="src/application/handle_event.py",
        fragment="if started.attempts > self.retry.max_attempts and",
        broken="if started.attempts > 10**9 and",
        test=_FENCES + "test_a_document_that_ends_every_worker_is_quarantined",
    ),
    Guard(
        name="an event that ends its workers is split",
        file="src/application/handle_event.py",
        fragment="        if await self._ended_its_workers(started):\n",
        broken="        if False:\n",
        test=_FENCES + "test_an_event_that_ended_three_workers_is_split_and_nothing_fails",
    ),
    Guard(
        name="a recorded outage is no silent end of a worker",
        file="src/application/handle_event.py",
        fragment="        return started.attempts - 1 - told >= SILENT_ENDS\n",
        broken="        return started.attempts - 1 >= SILENT_ENDS\n",
        test=_FENCES + "test_outages_are_nothing_that_ends_workers",
    ),
    Guard(
        name="a purge is never given up",
        file="src/application/handle_event.py",
        fragment="await self._release(failed, started, delay=self.retry.longest_delay, reason=failure.code)",
        broken="await self._drop(started)",
        test=_FENCES + "test_a_bug_in_a_purge_does_not_end_it",
    ),
    Guard(
        name="a lost lease ends the work",
        file="src/application/handle_event.py",
        fragment="                        worker.cancel()\n",
        broken="                        pass\n",
        test=_FENCES + "test_work_ends_when_its_heartbeat_finds_the_lease_lost",
    ),
    Guard(
        name="a worker that stops hands its work back",
        file="src/application/handle_event.py",
        fragment="            await asyncio.shield(self._hand_back(started))\n            raise\n",
        broken="            raise\n",
        test=_FENCES + "test_a_worker_that_is_told_to_stop_hands_its_event_back_uncounted",
    ),
    Guard(
        name="a failed document has nothing in the index",
        file="src/application/handle_event.py",
        fragment="                await self.index_documents.forget(started, event, lease=self.lease)\n",
        broken="                pass\n",
        test=_FENCES + "test_a_failed_document_leaves_nothing_in_the_index",
    ),
    Guard(
        name="a purge takes former generations too",
        file="src/application/remove_vectors.py",
        fragment="    await remove_former(index, documents)\n",
        broken="",
        test="tests/unit/test_purging.py::test_a_removed_document_leaves_nothing_of_a_former_generation",
    ),
    Guard(
        name="what is indexed keeps its vectors when its event is given up",
        file="src/application/index_documents.py",
        fragment="        await self.index.remove_documents([document.ref for document in unfinished])\n",
        broken="        await self.index.remove_documents(event.documents)\n",
        test="tests/unit/test_purging.py::test_what_is_indexed_keeps_its_vectors_when_its_event_is_given_up",
    ),
    Guard(
        name="a repair keeps revisions apart",
        file="src/application/repair_drift.py",
        fragment="groupby(sorted(refs, key=revision_of), key=revision_of)",
        broken="groupby(refs, key=lambda _: 0)",
        test="tests/unit/test_purging.py::test_a_repair_names_the_documents_of_one_revision_in_an_event",
    ),
    Guard(
        name="what an index acknowledges is read back",
        file="src/application/write_vectors.py",
        fragment="        if held != expected:\n",
        broken="        if False:\n",
        test=_INDEXING + "test_an_index_that_forgets_what_it_acknowledged_is_never_believed",
    ),
    Guard(
        name="a chunk too many is removed",
        file="src/application/write_vectors.py",
        fragment="        if held - expected:\n",
        broken="        if False:\n",
        test=_FENCES + "test_a_chunk_too_many_is_removed_by_the_next_attempt",
    ),
    Guard(
        name="vectors are counted",
        file="src/application/write_vectors.py",
        fragment="if (len(vectors), vectors.dimension) != (len(texts), width) or not vectors.are_finite():",
        broken="if False:",
        test=_FENCES + "test_an_embedder_that_answers_too_little_is_never_believed",
    ),
    Guard(
        name="an index that is not complete is not searched",
        file="src/application/search_rungs.py",
        fragment="        if not index.is_complete:\n",
        broken="        if False:\n",
        test=_MODELS + "test_a_lost_index_is_noticed_and_built_again_and_never_answers_with_nothing",
    ),
    Guard(
        name="the scope of a hit is checked again",
        file="src/application/search_rungs.py",
        fragment=" if _is_within(chunk, query.scope)}",
        broken="}",
        test=_FENCES + "test_an_index_that_ignores_the_scope_is_corrected",
    ),
    Guard(
        name="a loss is recorded before the index is made anew",
        file="src/application/keep_index.py",
        fragment="                await transaction.indexes.lost(self.index.key)\n",
        broken="                pass\n",
        test=_MODELS + "test_a_loss_is_recorded_before_the_index_is_made_anew",
    ),
    Guard(
        name="a queue that is down gives the claims back",
        file="src/application/relay_outbox.py",
        fragment="                await self._give_back(claimed[position:])\n",
        broken="",
        test=_INDEXING + "test_a_queue_that_is_down_costs_an_event_no_attempt",
    ),
    Guard(
        name="an upload is announced before its first blob",
        file="src/application/store_upload.py",
        fragment="            await transaction.uploads.begin(drawn.prefix)\n",
        broken="",
        test="tests/faults/test_api_crashes.py::test_what_a_killed_api_left_is_removed_when_its_time_is_over",
    ),
    Guard(
        name="bytes that are not those that were sent are not indexed",
        file="src/adapters/plc_files/document_jobs.py",
        fragment="if content is None or hashlib.sha256(content).hexdigest() != document.sha256:",
        broken="if content is None:",
        test="tests/integration/test_chunk_reader.py::test_bytes_that_differ_fail_their_document_alone",
    ),
    Guard(
        name="other bytes under a document's own key fail it",
        file="src/application/indexing_steps.py",
        fragment="            return piece.failed(Failure(code=STORAGE_CORRUPT",
        broken="            piece.failed(Failure(code=STORAGE_CORRUPT",
        test=_FENCES + "test_other_bytes_under_a_documents_own_key_fail_it",
    ),
    Guard(
        name="a blob is never overwritten",
        file="src/adapters/blobs/disk_files.py",
        fragment="if target.is_dir() or _sha256(target) != sha256:",
        broken="if target.is_dir():",
        test=_DISK + "TestLocalDiskBlobStore::test_other_content_under_a_taken_key_conflicts",
    ),
    Guard(
        name="a blob folder that is gone is an outage",
        file="src/adapters/blobs/local_disk.py",
        fragment="if not (self._marker.exists() and self._objects.is_dir()):",
        broken="if False:",
        test=_DISK + "test_a_folder_that_is_gone_is_an_outage_and_neither_empty_nor_made_anew",
    ),
    Guard(
        name="a folder that is not the store any more is an outage",
        file="src/adapters/blobs/local_disk.py",
        fragment="(self._marker.exists() and self._objects.is_dir())",
        broken="self._objects.is_dir()",
        test=_DISK + "test_an_empty_store_in_the_place_of_the_store_is_an_outage",
    ),
    Guard(
        name="what killed workers left never stops the relay",
        file="src/adapters/queue/arq_dispatcher.py",
        fragment="return max(1, _WAITING_JOBS - waiting)",
        broken="return _WAITING_JOBS - waiting",
        test="tests/integration/test_arq_dispatcher.py::TestArqDispatcher::test_what_killed_workers_left_never_stops_the_flow",
    ),
    Guard(
        name="what killed workers left is dropped soon",
        file="src/entrypoints/worker.py",
        fragment="    worker.in_progress_timeout_s = BEGUN_JOBS_STAY_S\n",
        broken="",
        test="tests/faults/test_queue_faults.py::test_jobs_that_killed_workers_left_in_the_queue_do_not_stop_the_flow",
    ),
    Guard(
        name="a duty that missed its cancellation is cancelled again",
        file="src/entrypoints/worker.py",
        fragment="await _cancelled(pending, again_s=_CANCEL_AGAIN_S)",
        broken="await _cancelled(pending, again_s=1e9)",
        test="tests/unit/test_worker_duties.py::test_a_duty_that_misses_its_cancellation_is_cancelled_again",
    ),
    Guard(
        name="a collection that is not loaded is loaded",
        file="src/adapters/milvus/open_collection.py",
        fragment="            if error.code != COLLECTION_NOT_LOADED:\n",
        broken="            if error:\n",
        test="tests/integration/test_milvus_vector_index.py::test_a_released_collection_is_loaded_by_whoever_needs_it",
    ),
    Guard(
        name="a value is quoted in a filter",
        file="src/adapters/milvus/filters.py",
        fragment="        value = value.replace(character, escape)\n",
        broken="        pass\n",
        test="tests/unit/test_milvus_filters.py::test_a_quoted_value_is_one_literal_and_means_the_value",
    ),
    Guard(
        name="a wrong setting spends no attempt",
        file="src/application/handle_event.py",
        fragment="        if isinstance(error, MisconfiguredError):\n",
        broken="        if False:\n",
        test="tests/unit/test_indexing_a_program.py::"
        "test_a_misconfiguration_fails_no_document_and_all_is_indexed_once_it_is_mended",
    ),
    Guard(
        name="the breaker opens",
        file="src/adapters/breaker.py",
        fragment="        if self._in_a_row < self._failures:\n",
        broken="        if self:\n",
        test="tests/unit/test_breaker.py::test_after_three_calls_without_an_answer_the_next_fails_at_once",
    ),
    Guard(
        name="one probe at a time asks a silent server",
        file="src/adapters/breaker.py",
        fragment="        if self._is_probing or self._clock()",
        broken="        if self._clock()",
        test="tests/unit/test_breaker.py::test_one_call_at_a_time_is_the_probe",
    ),
    Guard(
        name="a cancellation that a client answers with an error hands the work back",
        file="src/application/handle_event.py",
        fragment="            if _is_told_to_stop():",
        broken="            if False:",
        test=_FENCES + "test_a_cancellation_that_a_client_turns_into_an_error_hands_the_event_back",
    ),
    Guard(
        name="a superseded revision is current for nobody",
        file="src/adapters/postgres/document_repo.py",
        fragment="        .where(is_live(stored.c.revision))\n",
        broken="        .where(programs.c.deleted_dt.is_(None))\n",
        test=_RECORDS + "test_a_revision_that_waits_is_superseded_by_the_next",
    ),
    Guard(
        name="a revision answers only when all of it is indexed",
        file="src/adapters/postgres/program_repo.py",
        fragment=".where(programs.c.pgm_id == pgm_id, ~is_unfinished)",
        broken=".where(programs.c.pgm_id == pgm_id)",
        test=_RECORDS + "test_the_old_revision_answers_until_all_of_the_new_one_is_indexed",
    ),
    Guard(
        name="two workers that finish a revision wait for each other",
        file="src/adapters/postgres/program_repo.py",
        fragment="            .with_for_update(key_share=True)\n        )\n        return found.one_or_none()",
        broken="        )\n        return found.one_or_none()",
        test=_RACES + "test_of_two_workers_that_index_the_last_documents_one_lets_the_revision_answer",
    ),
    Guard(
        name="a search that the switch of a revision overtook looks again",
        file="src/application/search_rungs.py",
        fragment="not (is_crowded_out or is_replaced)",
        broken="not is_crowded_out",
        test="tests/unit/test_replacing_files.py::test_a_search_that_the_switch_overtakes_looks_again",
    ),
    Guard(
        name="a foreign row in a new index costs the serving one nothing",
        file="src/application/write_vectors.py",
        fragment="for piece in pieces], everywhere=False)",
        broken="for piece in pieces])",
        test=_MODELS + "test_a_foreign_row_in_the_new_index_costs_the_old_one_nothing",
    ),
    Guard(
        name="ids are compared before an index is switched to",
        file="src/application/rebuild_index.py",
        fragment="if not document.is_whole_among(found)]:",
        broken="if False]:",
        test=_MODELS + "test_what_a_deleted_program_left_does_not_make_up_for_rows_that_are_missing",
    ),
    Guard(
        name="a caller is refused by a route that declares nothing",
        file="src/entrypoints/api/access.py",
        fragment='        if needed == "undeclared":\n',
        broken='        if needed == "never":\n',
        test=_ACCESS + "test_a_route_that_says_nothing_is_served_to_nobody",
    ),
    Guard(
        name="a caller needs the scope of the route",
        file="src/domain/caller.py",
        fragment="        return any(scope.level >= needed.level for scope in self.scopes)\n",
        broken="        return bool(self.scopes)\n",
        test=_ACCESS + "test_every_route_lets_in_whom_it_says_and_nobody_else",
    ),
    Guard(
        name="a caller of more than loopback is asked for a key",
        file="src/entrypoints/settings.py",
        fragment='    if settings.auth == "off" and not settings.listens_on_loopback:\n',
        broken='    if settings.auth == "off" and not settings.host:\n',
        test="tests/unit/test_settings.py::test_more_than_loopback_needs_keys",
    ),
    Guard(
        name="a caller's idempotency keys are their own",
        file="src/entrypoints/api/idempotency.py",
        fragment="client=request.user.identity, ",
        broken="",
        test=_ACCESS + "test_an_idempotency_key_is_its_caller_s_own",
    ),
    Guard(
        name="a caller's secret is compared",
        file="src/application/authenticate.py",
        fragment="        if not key.is_of(text):\n",
        broken="        if not prefix:\n",
        test=_KEYS + "test_a_secret_of_another_key_opens_nothing",
    ),
    Guard(
        name="a caller's key ends when it expires",
        file="src/domain/api_key.py",
        fragment="KeyStanding.LIVE if now < self.expires_at else",
        broken="KeyStanding.LIVE if now else",
        test=_KEYS + "test_an_expired_key_opens_nothing_from_that_moment",
    ),
    Guard(
        name="a caller's key is not believed for long",
        file="src/application/known_keys.py",
        fragment="(asked_at + REMEMBERED_S, found)",
        broken="(asked_at + 1e9, found)",
        test=_KEYS + "test_a_revoked_key_opens_nothing_anywhere_within_a_minute",
    ),
    Guard(
        name="a caller's keys are counted one after the other",
        file="src/adapters/postgres/key_repo.py",
        fragment="                await connection.execute(select(lock))\n",
        broken="",
        test=(
            "tests/integration/test_postgres_keys.py::TestPostgresKeyRepo::"
            "test_of_many_that_are_added_at_once_only_so_many_are_kept"
        ),
    ),
    Guard(
        name="a caller's token brings no key along",
        file="src/adapters/identity/jwt_verifier.py",
        fragment="    if _REFUSED_HEADERS & header.keys():\n",
        broken="    if not header:\n",
        test=_TOKENS + "test_a_key_that_the_token_brings_along_is_refused",
    ),
    Guard(
        name="a caller's token is of an algorithm that is taken",
        file="src/adapters/identity/jwt_verifier.py",
        fragment="    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS.values():\n",
        broken="    if not isinstance(algorithm, str):\n",
        test=_TOKENS + "test_the_public_key_is_no_secret_to_sign_with",
    ),
    Guard(
        name="a caller's token does not make us ask without end",
        file="src/adapters/identity/signing_keys.py",
        fragment=" and since_tried_s >= ASKED_AGAIN_S",
        broken="",
        test=_TOKENS + "test_unknown_ids_do_not_make_us_ask_without_end",
    ),
    Guard(
        name="a caller's token waits for an issuer that is away",
        file="src/adapters/identity/signing_keys.py",
        fragment="        if key is None and self._failure is not None:\n",
        broken="        if key is None and self._failure is None:\n",
        test=_TOKENS + "test_keys_are_kept_through_an_outage_and_not_for_ever",
    ),
    Guard(
        name="a place comes back",
        file="src/application/places.py",
        fragment="            self._taken[caller] -= 1\n",
        broken="",
        test="tests/unit/test_limits.py::test_places_are_given_until_there_is_none_and_come_back",
    ),
    Guard(
        name="places are asked for before the body is read",
        file="src/entrypoints/api/app.py",
        fragment=", admission_from(container)]",
        broken="]",
        test="tests/unit/test_api_limits.py::test_an_upload_without_a_place_is_told_to_come_again_before_its_body_is_read",
    ),
    Guard(
        name="a body has a clock that its bytes do not set back",
        file="src/entrypoints/api/request_body.py",
        fragment="        left_s -= clock() - asked_at\n",
        broken="",
        test=_SLOW + "test_a_body_that_comes_byte_by_byte_is_a_408_and_the_connection_ends",
    ),
    Guard(
        name="a head has a clock",
        file="src/entrypoints/api/http_protocol.py",
        fragment="        self._start(self._give_up)\n\n    def data_received",
        broken="\n    def data_received",
        test=_SLOW + "test_a_client_that_says_nothing_is_cut_off",
    ),
    Guard(
        name="an answer has a clock",
        file="src/entrypoints/api/http_protocol.py",
        fragment="        super().pause_writing()\n        self._stall = ",
        broken="        super().pause_writing()\n        return\n        self._stall = ",
        test=_SLOW + "test_a_client_that_does_not_read_its_answer_is_cut_off",
    ),
    Guard(
        name="a registration is announced in its transaction",
        file="src/application/register_program.py",
        fragment="            await transaction.announcements.registered(",
        broken="            _ = (",
        test=_WEBHOOKS + "test_a_program_is_told_of_from_its_registration_to_its_deletion",
    ),
    Guard(
        name="the end of an indexing is announced with its last event",
        file="src/application/index_documents.py",
        fragment="            await transaction.announcements.ended(event.pgm_id)\n",
        broken="",
        test=_WEBHOOKS + "test_a_program_is_told_of_from_its_registration_to_its_deletion",
    ),
    Guard(
        name="a failed end is announced with the burial of its event",
        file="src/application/handle_event.py",
        fragment="            await transaction.announcements.ended(event.pgm_id)\n",
        broken="",
        test=_WEBHOOKS + "test_a_program_whose_last_document_fails_for_good_is_told_of",
    ),
    Guard(
        name="of two that end an indexing one waits for the other",
        file="src/adapters/postgres/announcements.py",
        fragment=".with_for_update(key_share=True)",
        broken="",
        test=_TOLD + "test_of_two_workers_that_fail_the_last_documents_at_once_one_tells_the_end",
    ),
    Guard(
        name="the end of a run is told once",
        file="src/adapters/postgres/announcements.py",
        fragment="run=standing.run)",
        broken="run=str(__import__('time').time_ns()))",
        test=_TOLD + "TestPostgresWebhooks::test_the_end_of_an_indexing_is_told_once_for_each_run",
    ),
    Guard(
        name="a token holds a delivery",
        file="src/adapters/postgres/deliveries.py",
        fragment="            _ROW.lease_token.cast(Text) == delivery.lease_token,\n",
        broken="",
        test=_TOLD + "TestPostgresWebhooks::test_a_claim_holds_until_its_lease_ends_and_keeps_the_id",
    ),
    Guard(
        name="two workers pass over each other's deliveries",
        file="src/adapters/postgres/deliveries.py",
        fragment="            .limit(limit)\n            .with_for_update(skip_locked=True)\n            .cte(",
        broken="            .limit(limit)\n            .cte(",
        test=_TOLD + "test_two_workers_never_take_the_same_delivery",
    ),
    Guard(
        name="where a webhook's name leads to is looked at before it is connected to",
        file="src/adapters/webhooks/http_sender.py",
        fragment="if not all(may_be_told(",
        broken="if None in (may_be_told(",
        test="tests/integration/test_webhook_sender.py"
        "::test_a_name_that_leads_to_a_private_address_is_not_connected_to",
    ),
    Guard(
        name="an IPv4 address in disguise is taken for what it is",
        file="src/domain/webhook.py",
        fragment="    meant = _meant(address)\n",
        broken="    meant = address\n",
        test=_WEBHOOKS + "test_a_private_address_is_told_only_where_the_operator_allows_it",
    ),
    Guard(
        name="a state that went by between two looks is told",
        file="src/domain/indexing_standing.py",
        fragment="            missed.append(self._at_first(DocumentState.INDEXING))\n",
        broken="            pass\n",
        test="tests/unit/test_following_an_indexing.py"
        "::test_a_state_that_went_by_between_two_looks_is_told_all_the_same",
    ),
    Guard(
        name="a stream ends with its process",
        file="src/application/follow_indexing.py",
        fragment="standing.has_ended or await self._is_to_stop() or",
        broken="standing.has_ended or await asyncio.sleep(self.watch.every_s) or",
        test="tests/unit/test_following_an_indexing.py::test_streams_end_and_none_begins_when_the_process_is_to_stop",
    ),
    Guard(
        name="a webhook's place is given before its deliveries'",
        file="src/adapters/postgres/deliveries.py",
        fragment="webhooks.c.webhook_id == webhook_id).with_for_update()",
        broken="webhooks.c.webhook_id == webhook_id)",
        test=_TOLD + "test_of_several_that_are_answered_at_once_that_nothing_more_is_wanted_none_is_in_another_s_way",
    ),
    Guard(
        name="a webhook's event of a kind of tomorrow is left alone",
        file="src/adapters/postgres/deliveries.py",
        fragment="_ROW.next_attempt_at <= NOW, _IS_KNOWN)",
        broken="_ROW.next_attempt_at <= NOW)",
        test=_TOLD
        + "TestPostgresWebhooks::test_a_kind_that_only_a_newer_version_knows_is_left_to_its_workers_for_a_while",
    ),
    Guard(
        name="a webhook's event that a newer worker has tried is not buried",
        file="src/adapters/postgres/deliveries.py",
        fragment="~_IS_KNOWN, _ROW.attempts == 0, ",
        broken="~_IS_KNOWN, ",
        test=_TOLD + "TestPostgresWebhooks::test_what_a_newer_worker_has_tried_is_not_buried",
    ),
    Guard(
        name="a webhook on which we have a bug ends no worker",
        file="src/application/deliver_webhooks.py",
        fragment="        except Exception as error:  # noqa: BLE001",
        broken="        except OverflowError as error:  # noqa: BLE001",
        test=_WEBHOOKS + "test_a_bug_that_one_receiver_meets_ends_no_worker_and_keeps_nobody_waiting",
    ),
    Guard(
        name="a webhook says when it may be told again",
        file="src/application/deliver_webhooks.py",
        fragment=", asked=answer.retry_after)",
        broken=")",
        test=_WEBHOOKS + "test_a_receiver_says_when_it_may_be_told_again",
    ),
    Guard(
        name="a webhook's wish to be left alone has an end",
        file="src/domain/events.py",
        fragment="return max(delay, min(asked, self.longest_delay)) if asked",
        broken="return max(delay, asked) if asked",
        test=_WEBHOOKS + "test_a_receiver_says_when_it_may_be_told_again",
    ),
    Guard(
        name="a webhook's name is looked up by nobody else's thread",
        file="src/adapters/webhooks/name_lookup.py",
        fragment='        threading.Thread(target=look, name="name lookup", daemon=True).start()\n',
        broken="        loop.run_in_executor(None, look)\n",
        test=_SENDER + "test_a_silent_name_server_holds_one_thread_for_each_name_and_none_of_other_work",
    ),
    Guard(
        name="a webhook's name is looked up once at a time",
        file="src/adapters/webhooks/name_lookup.py",
        fragment="        if (host, port) not in self._under_way:\n",
        broken="        if (host, port):\n",
        test=_SENDER + "test_a_silent_name_server_holds_one_thread_for_each_name_and_none_of_other_work",
    ),
    Guard(
        name="a run is told from another by its documents",
        file="src/domain/indexing_standing.py",
        fragment='-g{self.generations}-{self.fingerprint % 2**64:016x}"',
        broken='-g{self.generations}"',
        test=_WEBHOOKS + "test_a_document_that_takes_the_place_of_one_that_is_removed_is_told_of_too",
    ),
    Guard(
        name="who fails after his lease passed on cleans up",
        file="src/application/handle_event.py",
        fragment="            await self._clean_up_after_losing(started)\n\n\n",
        broken="\n\n",
        test=_FENCES + "test_a_worker_whose_attempt_fails_after_its_program_was_purged_leaves_no_vectors",
    ),
    Guard(
        name="uses of a newer table are left alone",
        file="src/adapters/postgres/use_repo.py",
        fragment="used_documents.c.uses_version >= version",
        broken="used_documents.c.uses_version == version",
        test="tests/integration/test_postgres_unit_of_work.py::TestPostgresDevices::test_what_a_newer_version_recorded_is_left_alone",
    ),
    Guard(
        name="uses that meet a bug end no worker",
        file="src/application/record_lacking_uses.py",
        fragment="        except Exception as error:  # noqa: BLE001",
        broken="        except OverflowError as error:  # noqa: BLE001",
        test=_USES + "test_a_document_on_which_the_reader_has_a_bug_costs_no_other_its_uses_and_ends_no_worker",
    ),
    Guard(
        name="uses are counted by the audit",
        file="src/application/audit_documents.py",
        fragment="    if stocked.use_count not in {None, stocked.use_rows}:",
        broken="    if False:",
        test="tests/unit/test_audit.py::test_uses_of_devices_that_are_lost_or_too_many_are_found_and_recorded_anew",
    ),
    Guard(
        name="further documents have an end",
        file="src/adapters/postgres/document_repo.py",
        fragment=" >= at_most:",
        broken=" >= 9_999:",
        test="tests/integration/test_postgres_unit_of_work.py::TestPostgresUnitOfWork::test_a_program_has_so_many_and_no_more",
    ),
    Guard(
        name="a PDF's streams unpack to so much together",
        file="src/adapters/plc_files/pdf_pages.py",
        fragment="        if unpacked_bytes < 0:",
        broken="        if False:",
        test=_FURTHER + "test_a_stream_that_many_pages_show_counts_for_each",
    ),
    Guard(
        name="libraries are not heard at DEBUG",
        file="src/entrypoints/logs.py",
        fragment="max(logging.getLevelName(level), logging.INFO)",
        broken="level",
        test="tests/unit/test_logs.py::test_debug_is_for_our_own_lines",
    ),
)


def main(words: Sequence[str]) -> int:
    """How many guards nobody would miss."""
    chosen = [guard for guard in GUARDS if all(word in guard.name for word in words)]
    with _copied() as tree, real_servers() as servers:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tree / "src"), str(tree / "tests")]),
            "TEST_DATABASE_URL": servers.postgres.url,
            "TEST_REDIS_URL": servers.valkey.url,
            "TEST_MILVUS_URI": servers.milvus.url,
        }
        green = _tested(tree, sorted({guard.test for guard in chosen}), environment)
        if not green:
            _say("the tests do not pass as they are: nothing is shown by breaking anything")
            return 1
        missed = [guard for guard in chosen if not _is_noticed(tree, guard, environment)]
    _say(f"{len(chosen) - len(missed)} of {len(chosen)} guards turn their test red when they are broken")
    return len(missed)


def _is_noticed(tree: Path, guard: Guard, environment: dict[str, str]) -> bool:
    file = tree / guard.file
    whole = file.read_text("utf-8")
    if whole.count(guard.fragment) != 1:
        _say(f"STALE       {guard.name}: its fragment stands {whole.count(guard.fragment)} times in {guard.file}")
        return False
    begun = time.monotonic()
    file.write_text(whole.replace(guard.fragment, guard.broken), "utf-8")
    try:
        is_green = _tested(tree, [guard.test], environment)
    finally:
        file.write_text(whole, "utf-8")
    _say(f"{'STILL GREEN' if is_green else 'red        '} {guard.name} ({time.monotonic() - begun:.0f} s)")
    return not is_green


def _tested(tree: Path, tests: Sequence[str], environment: dict[str, str]) -> bool:
    command = [sys.executable, "-P", "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly"]
    ended = subprocess.run(
        [*command, *tests],
        cwd=tree,
        env=environment,
        timeout=_WITHIN_S,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode not in {0, 1}:
        _say(ended.stdout[-2_000:] + ended.stderr[-2_000:])
        raise SystemExit(f"pytest could not run {' '.join(tests)}")
    return ended.returncode == 0


@contextmanager
def _copied() -> Iterator[Path]:
    tree = Path(tempfile.mkdtemp(prefix="ladderbase-guards-"))
    try:
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, tree / name)
        yield tree
    finally:
        shutil.rmtree(tree)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
