"""Which test stands for which row of the fault matrix, and what is open and why. A test holds this table to the tests.

Rows that are told open with tests beside them are covered in part. Names without a file are of contract classes, which
every adapter and every fake inherit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ROWS = {"A": 8, "B": 10, "C": 9, "D": 12, "E": 7, "F": 8, "G": 11, "H": 10, "J": 8, "W": 33}
"""How many faults a part of the matrix has: A the API, B outbox and relay, C Redis, D worker, E Postgres, F blobs,
G Milvus, H races, J clock and machine, W webhooks (1 to 15), further documents (16 to 26), device uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A fault, the tests that make it happen, and what is not shown by them."""

    fault: str
    tests: tuple[str, ...] = ()
    open: str = ""


MATRIX: Mapping[str, Row] = {
    "A1": Row(
        fault="client disconnects mid-body",
        tests=(
            "test_clients_that_leave_in_the_middle_of_an_upload_leave_nothing",
            "test_a_client_that_goes_away_is_no_bug",
        ),
    ),
    "A2": Row(
        fault="API killed while it stores the upload",
        tests=(
            "test_an_api_that_is_killed_registers_all_or_nothing_and_a_retry_succeeds",
            "test_a_killed_process_leaves_nothing_that_is_listed_and_the_sweep_removes_it",
        ),
    ),
    "A3": Row(
        fault="API killed between blob and COMMIT",
        tests=(
            "test_an_api_that_is_killed_registers_all_or_nothing_and_a_retry_succeeds",
            "test_what_a_killed_api_left_is_removed_when_its_time_is_over",
            "test_what_a_crash_before_the_commit_left_is_swept_up",
            "test_crashes_of_the_api_at_every_point_twenty_times",
        ),
    ),
    "A4": Row(
        fault="API killed between COMMIT and answer",
        tests=("test_an_api_that_is_killed_registers_all_or_nothing_and_a_retry_succeeds",),
    ),
    "A5": Row(
        fault="outcome of COMMIT unknown",
        tests=(
            "test_a_commit_whose_answer_is_lost_is_an_outage_and_loses_nothing",
            "test_an_upload_whose_commit_lost_its_answer_is_found_and_answered",
            "test_without_a_key_a_commit_that_lost_its_answer_keeps_its_blobs",
        ),
    ),
    "A6": Row(fault="same key, other body", tests=("test_another_request_under_the_key_is_a_conflict",)),
    "A7": Row(
        fault="same key, both at once",
        tests=("test_of_fifty_uploads_at_once_one_registers_and_all_are_given_its_answer",),
    ),
    "A8": Row(
        fault="SIGTERM with uploads in flight",
        tests=(
            "test_an_api_that_is_told_to_stop_answers_what_it_has_accepted",
            "test_an_api_that_is_told_to_stop_says_so_before_it_takes_nothing_more",
            "test_an_api_stops_by_itself_when_the_delay_is_over",
            "test_a_service_that_is_about_to_stop_is_not_ready_for_anything",
        ),
    ),
    "B1": Row(
        fault="relay killed after SELECT",
        tests=(
            "test_workers_that_are_killed_at_every_step_lose_nothing_and_double_nothing",
            "test_a_relay_that_rolls_back_releases_its_events",
        ),
    ),
    "B2": Row(
        fault="relay killed after the enqueue",
        tests=(
            "test_workers_that_are_killed_at_every_step_lose_nothing_and_double_nothing",
            "test_jobs_that_killed_workers_left_in_the_queue_do_not_stop_the_flow",
        ),
    ),
    "B3": Row(fault="outcome of the enqueue unknown", tests=("test_an_enqueue_whose_answer_is_lost_is_done_once",)),
    "B4": Row(
        fault="the job's id is taken",
        tests=(
            "test_the_same_claim_twice_waits_once",
            "test_a_new_claim_of_the_same_event_waits_beside_the_old_one",
            "test_what_the_queue_loses_comes_back_when_the_claim_runs_out",
        ),
    ),
    "B5": Row(
        fault="two relays, ten relays",
        tests=(
            "test_ten_relays_give_each_claim_out_once",
            "test_processes_that_claim_at_once_share_the_events_out",
            "test_two_relays_never_hold_the_same_event",
        ),
    ),
    "B6": Row(
        fault="relay stopped for long, then back",
        tests=("test_events_that_wait_for_workers_are_given_out_in_bounded_batches",),
    ),
    "B7": Row(
        fault="LISTEN dies silently",
        tests=(
            "test_a_listener_whose_connection_is_silent_is_replaced_by_the_poll",
            "test_a_listener_that_lost_its_connection_listens_again",
        ),
    ),
    "B8": Row(
        fault="outbox row unreadable",
        tests=(
            "test_an_event_that_nobody_can_read_is_buried_with_a_code_and_holds_nobody_up",
            "test_what_cannot_be_read_says_so",
        ),
    ),
    "B9": Row(fault="row committed late", tests=("test_an_event_that_is_committed_late_is_found",)),
    "B10": Row(
        fault="outbox of a million done rows",
        tests=(
            "test_a_claim_reads_the_pending_alone",
            "test_a_claim_is_quick_behind_many_delayed_events",
            "test_a_million_done_events_slow_down_neither_a_claim_nor_the_sweep",
        ),
    ),
    "C1": Row(
        fault="Redis down at the enqueue",
        tests=(
            "test_uploads_are_accepted_while_the_queue_is_gone_and_indexed_when_it_is_back",
            "test_a_queue_that_is_down_costs_an_event_no_attempt",
        ),
    ),
    "C2": Row(
        fault="FLUSHALL with jobs queued and running",
        tests=(
            "test_a_queue_that_is_emptied_again_and_again_loses_nothing",
            "test_a_hundred_times_the_queue_forgets_everything",
        ),
    ),
    "C3": Row(
        fault="FLUSHALL between enqueue and mark",
        tests=(
            "test_a_queue_that_is_emptied_again_and_again_loses_nothing",
            "test_what_the_queue_loses_comes_back_when_the_claim_runs_out",
        ),
    ),
    "C4": Row(fault="jobs come back", tests=("test_jobs_that_come_back_with_an_old_snapshot_are_no_ops",)),
    "C5": Row(fault="maxmemory reached", tests=("test_a_full_queue_is_an_outage_that_passes",)),
    "C6": Row(
        fault="a policy that evicts",
        tests=(
            "test_a_worker_refuses_a_queue_that_may_forget_and_readiness_says_why",
            "test_a_server_that_forgets_to_make_room_is_refused",
            "test_an_account_that_may_not_ask_is_believed",
        ),
        open="an API goes on, not ready, and a worker that runs already too: what is evicted comes back (C2)",
    ),
    "C7": Row(
        fault="Redis slow or paused",
        tests=("test_a_queue_that_is_silent_for_a_while_costs_no_upload_and_no_search",),
    ),
    "C8": Row(
        fault="garbage under our keys",
        tests=(
            "test_garbage_in_the_queue_is_dropped_and_holds_nobody_up",
            "test_garbage_under_our_keys_is_an_outage_and_no_crash",
        ),
    ),
    "C9": Row(
        fault="Redis dies under the worker",
        tests=(
            "test_uploads_are_accepted_while_the_queue_is_gone_and_indexed_when_it_is_back",
            "test_each_part_that_is_killed_comes_back_where_it_was",
        ),
    ),
    "D1": Row(
        fault="kill -9 at each step",
        tests=(
            "test_workers_that_are_killed_at_every_step_lose_nothing_and_double_nothing",
            "test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_doubles_nothing",
            "test_crashes_at_every_point_twenty_times",
        ),
    ),
    "D2": Row(
        fault="SIGTERM mid-job",
        tests=(
            "test_a_worker_that_is_told_to_stop_hands_its_job_back_at_once_and_uncounted",
            "test_a_worker_that_is_told_to_stop_hands_its_event_back_uncounted",
            "test_a_duty_that_misses_its_cancellation_is_cancelled_again",
            "test_no_worker_of_many_misses_that_it_is_told_to_stop",
        ),
    ),
    "D3": Row(
        fault="a document that explodes",
        tests=(
            "test_a_child_that_exceeds_a_limit_dies_alone",
            "test_only_the_guilty_item_of_a_batch_fails",
            "test_a_document_that_ends_every_worker_is_quarantined",
            "test_an_event_that_ended_three_workers_is_split_and_nothing_fails",
            "test_outages_are_nothing_that_ends_workers",
            "test_a_document_alone_keeps_its_attempts_for_others_may_end_its_workers",
        ),
        open="the third silent end of a worker splits an event; a document alone is given up after 85 starts, for what "
        "ends beside it or with its machine looks the same (ADR 18)",
    ),
    "D4": Row(
        fault="SIGSTOP beyond the lease",
        tests=(
            "test_workers_that_sleep_longer_than_their_leases_record_nothing_when_they_wake_up",
            "test_a_worker_that_sleeps_in_its_transaction_is_waited_for",
            "test_a_worker_that_wakes_after_the_program_was_purged_leaves_no_vectors",
        ),
        open="one that wakes, writes vectors of a purged program and is killed at just that moment leaves them: "
        "nobody is shown them, and only an audit would find them",
    ),
    "D5": Row(
        fault="duplicate delivery",
        tests=(
            "test_a_claim_that_is_delivered_often_is_worked_on_once",
            "test_of_two_that_begin_one_claim_one_wins",
            "test_a_second_delivery_of_one_claim_leaves_at_once",
        ),
    ),
    "D6": Row(
        fault="poison",
        tests=(
            "test_a_bug_fails_the_document_it_meets_and_no_other",
            "test_an_event_splits_until_the_poison_document_stands_alone",
            "test_an_outage_without_end_ends_in_failures_that_can_be_seen",
        ),
    ),
    "D7": Row(
        fault="job longer than its timeout",
        tests=("test_a_heartbeat_keeps_the_lease_of_work_that_takes_long",),
        open="that the time limit of a job resumes at its last checkpoint is not made to happen: ten minutes",
    ),
    "D8": Row(
        fault="an embedder that lies or is down",
        tests=(
            "test_an_embedder_that_answers_too_little_is_never_believed",
            "test_another_count_or_dimension_is_a_misconfiguration",
            "test_a_misconfiguration_fails_no_document_and_all_is_indexed_once_it_is_mended",
            "test_a_wrong_dimension_fails_no_document_and_once_it_is_mended_all_is_indexed_by_itself",
            "test_a_misconfiguration_that_lasts_is_one_line_of_the_history_and_is_tried_four_times_a_minute",
            "test_a_vector_without_direction_is_the_fault_of_its_text",
            "test_a_text_without_direction_is_told_from_a_model_that_finds_none",
            "test_a_text_that_the_model_refuses_fails_its_document_at_once_and_no_neighbour",
            "test_a_text_that_the_new_model_alone_refuses_fails_its_document_and_the_switch_takes_place",
            "test_a_search_on_an_embedder_that_hangs_is_refused_in_time_and_soon_at_once",
            "test_what_passes_is_asked_again",
            "test_an_embedder_that_asks_in_parallel_and_is_down_is_retried_later_and_not_at_once",
            "test_vectors_in_another_order_are_put_back",
            "test_searches_are_answered_by_the_old_index_until_the_new_one_is_whole",
        ),
    ),
    "D9": Row(
        fault="event loop blocked",
        tests=(
            "test_the_loop_stays_free_while_a_child_works",
            "test_the_event_loop_stays_free_while_the_model_loads_and_computes",
        ),
    ),
    "D10": Row(
        fault="a job kind that the worker does not know",
        tests=(
            "test_an_event_of_a_newer_api_is_left_to_a_newer_worker",
            "test_an_event_of_a_newer_version_waits_a_day_for_a_worker_that_knows_it",
            "test_an_event_that_nobody_can_read_is_buried_with_a_code_and_holds_nobody_up",
        ),
        open="after a day it is buried; the workers of release 0.1 bury it at once",
    ),
    "D11": Row(
        fault="old API, new worker",
        tests=("test_an_event_is_stored_in_these_words", "test_a_stored_event_is_read_back"),
    ),
    "D12": Row(
        fault="migration with both versions running",
        tests=(
            "test_a_newer_schema_is_left_alone_and_served",
            "test_two_that_migrate_at_once_take_turns",
            "test_a_migration_does_not_wait_long_for_a_busy_table",
        ),
        open="the version before is not run against the new schema",
    ),
    "E1": Row(
        fault="Postgres down",
        tests=(
            "test_without_postgres_nothing_is_accepted_or_answered_with_nothing",
            "test_nobody_is_busy_while_something_is_away",
            "test_an_upload_is_refused_by_its_head_alone_while_postgres_is_down",
            "test_an_upload_that_cannot_be_recorded_is_refused_before_it_is_read",
        ),
    ),
    "E2": Row(
        fault="Postgres restarts mid-transaction",
        tests=(
            "test_a_postgres_that_restarts_under_load_loses_nothing",
            "test_a_postgres_that_is_slow_or_cut_off_again_and_again_loses_nothing",
            "test_a_connection_cut_in_mid_transaction_means_unavailable_and_then_works_again",
        ),
    ),
    "E3": Row(
        fault="Postgres slow, locks, pool exhausted",
        tests=(
            "test_an_upload_that_waits_for_a_lock_is_refused_in_time_and_others_are_served",
            "test_an_exhausted_pool_means_unavailable_within_the_wait",
            "test_a_statement_that_takes_too_long_means_unavailable",
        ),
    ),
    "E4": Row(
        fault="Postgres' disk full",
        tests=("test_a_full_disk_under_postgres_refuses_uploads_and_leaves_nothing_half",),
        open="skipped where no volume (tmpfs) can be mounted: that takes root",
    ),
    "E5": Row(
        fault="serialization failure, deadlock",
        tests=("test_a_worker_and_a_delete_wait_for_each_other",),
        open="READ COMMITTED and one order of locks leave none to provoke; the error class is retried like any outage",
    ),
    "E6": Row(
        fault="restored from an older backup",
        tests=(
            "test_chunks_of_a_document_that_nobody_knows_are_found_and_go",
            "test_blobs_that_nobody_owns_are_found_once_they_are_old",
            "test_drift_of_every_store_is_found_mended_and_gone",
            "test_what_a_restored_backup_left_apart_is_found_and_mended",
            "test_uploads_after_a_restore_leave_what_stands_under_their_numbers_alone",
            "test_a_backup_that_the_page_takes_is_searchable_on_an_empty_machine",
        ),
    ),
    "E7": Row(
        fault="fsync off",
        tests=(
            "test_a_postgres_that_may_lose_what_it_committed_is_told_of_at_each_start_and_by_readiness",
            "test_the_products_own_server_keeps_everything_until_somebody_says_otherwise",
            "test_a_server_without_fsync_is_told_by_that",
        ),
    ),
    "F1": Row(
        fault="blob store down at the upload",
        tests=(
            "test_a_blob_store_whose_volume_is_away_is_waited_for",
            "test_a_store_that_is_down_is_answered_503_with_a_time_to_come_back",
            "test_a_blob_store_that_fails_midway_leaves_nothing",
        ),
    ),
    "F2": Row(
        fault="blob store down at the worker",
        tests=(
            "test_a_blob_store_whose_volume_is_away_is_waited_for",
            "test_an_outage_is_outlasted",
            "test_a_process_that_starts_while_the_volume_is_away_takes_no_empty_folder_for_it",
            "test_an_empty_folder_is_no_store_where_programs_have_files",
            "test_nothing_is_made_while_nobody_can_tell_whether_there_should_be_something",
            "test_a_store_of_the_release_before_is_known_by_its_programs_and_marked",
        ),
        open="while there is no program, an empty folder is taken for a new store, mounted or not; "
        "the volume of another store is not told from one's own",
    ),
    "F3": Row(
        fault="acknowledged and not what was put",
        tests=(
            "test_an_archive_that_is_not_what_was_sent_is_never_indexed",
            "test_an_acknowledged_object_that_is_missing_is_noticed",
            "test_an_acknowledged_object_that_is_short_or_other_is_noticed_and_taken_away",
        ),
    ),
    "F4": Row(
        fault="read cut short or slow",
        tests=(
            "test_an_archive_that_is_not_what_was_sent_is_never_indexed",
            "test_bytes_that_differ_fail_their_document_alone",
            "test_a_body_that_is_cut_is_unavailable",
            "test_a_body_that_drips_is_given_up",
        ),
    ),
    "F5": Row(
        fault="403, 503, garbage from S3",
        tests=(
            "test_what_passes_is_unavailable",
            "test_what_stays_is_a_misconfiguration_that_names_the_setting",
            "test_an_error_of_one_key_in_a_200_is_noticed",
        ),
    ),
    "F6": Row(
        fault="multipart left open",
        tests=(
            "test_a_killed_process_leaves_nothing_that_is_listed_and_the_sweep_removes_it",
            "test_a_put_in_parts_that_fails_leaves_nothing_and_no_open_upload",
            "test_an_upload_that_could_not_be_aborted_goes_with_its_folder",
        ),
    ),
    "F7": Row(
        fault="key overwritten by somebody",
        tests=(
            "test_an_archive_that_is_not_what_was_sent_is_never_indexed",
            "test_other_bytes_under_a_documents_own_key_fail_it",
        ),
    ),
    "F8": Row(
        fault="object deleted behind our back",
        tests=(
            "test_an_archive_that_is_not_what_was_sent_is_never_indexed",
            "test_an_archive_that_is_gone_fails_its_documents_with_a_code",
            "test_a_ladder_whose_bytes_are_lost_is_found_and_fails_visibly",
            "test_an_uploaded_file_whose_bytes_are_lost_fails_visibly_though_nothing_reads_it",
        ),
    ),
    "G1": Row(
        fault="Milvus down at the indexing",
        tests=(
            "test_without_milvus_uploads_are_accepted_and_searches_refused_and_all_is_indexed_later",
            "test_nobody_is_busy_while_something_is_away",
            "test_the_retry_budget_outlasts_a_quarter_of_an_hour",
        ),
    ),
    "G2": Row(
        fault="Milvus down at a search",
        tests=(
            "test_without_milvus_uploads_are_accepted_and_searches_refused_and_all_is_indexed_later",
            "test_a_search_during_an_outage_is_an_error_and_no_empty_answer",
        ),
    ),
    "G3": Row(
        fault="Milvus paused; an upsert lands late",
        tests=(
            "test_writes_that_are_answered_late_or_never_are_there_once",
            "test_a_milvus_that_sleeps_is_outlasted",
            "test_a_silent_server_is_unavailable_in_time_and_leaves_the_event_loop_free",
        ),
    ),
    "G4": Row(
        fault="Milvus killed",
        tests=(
            "test_a_milvus_that_is_killed_in_the_middle_of_upserts_loses_and_doubles_nothing",
            "test_what_was_acknowledged_is_there_after_a_kill_and_found_soon",
            "test_no_kill_while_it_writes_leaves_a_collection_that_cannot_be_loaded",
        ),
    ),
    "G5": Row(
        fault="all of Milvus' data lost",
        tests=(
            "test_a_collection_that_is_emptied_comes_back_whole",
            "test_a_collection_that_is_lost_comes_back_and_no_search_is_answered_with_nothing",
        ),
    ),
    "G6": Row(
        fault="half of it lost",
        tests=(
            "test_an_index_that_lost_rows_while_it_was_built_is_not_switched_to",
            "test_a_chunk_that_the_index_lost_is_found_and_written_anew",
        ),
        open="it is found by the daily audit, and mended by `ladderbase audit --repair`, not by itself",
    ),
    "G7": Row(
        fault="acknowledged, not visible yet",
        tests=(
            "test_an_index_that_forgets_what_it_acknowledged_is_never_believed",
            "test_ids_are_those_of_the_documents_and_generations_asked_for",
        ),
    ),
    "G8": Row(
        fault="Milvus lies",
        tests=(
            "test_an_index_that_forgets_what_it_acknowledged_is_never_believed",
            "test_an_id_that_an_index_returns_twice_is_one_hit",
            "test_an_index_that_ignores_the_scope_is_corrected",
        ),
    ),
    "G9": Row(
        fault="schema drift",
        tests=("test_a_collection_of_another_shape_is_a_misconfiguration_that_names_it",),
    ),
    "G10": Row(
        fault="collection not loaded",
        tests=("test_a_released_collection_is_loaded_by_whoever_needs_it",),
    ),
    "G11": Row(
        fault="filter injection",
        tests=(
            "test_a_quoted_value_is_one_literal_and_means_the_value",
            "test_a_hostile_id_is_a_value_like_any_other",
            "test_the_server_reads_a_quoted_value_as_a_value",
        ),
    ),
    "H1": Row(
        fault="delete while indexing, at every step",
        tests=(
            "test_a_delete_at_any_step_of_the_indexing_leaves_nothing",
            "test_a_worker_that_waited_for_a_delete_is_refused",
            "test_a_delete_that_overtakes_the_indexing_leaves_nothing_behind",
        ),
    ),
    "H2": Row(
        fault="delete before the job starts",
        tests=("test_deletes_before_the_work_begins_make_it_a_no_op",),
    ),
    "H3": Row(
        fault="delete job overtakes or repeats",
        tests=(
            "test_deletes_before_the_work_begins_make_it_a_no_op",
            "test_a_purge_may_be_repeated_and_leaves_its_neighbours",
        ),
    ),
    "H4": Row(
        fault="upload again while the old one is indexed",
        tests=(
            "test_no_search_meanwhile_sees_a_mixture_or_nothing",
            "test_the_old_revision_answers_until_the_new_one_is_indexed_and_is_purged_then",
        ),
    ),
    "H5": Row(
        fault="the newer one is indexed before the older job starts",
        tests=(
            "test_an_unknown_or_stale_reference_is_not_begun",
            "test_a_stale_generation_is_refused",
            "test_a_revision_that_is_overtaken_while_it_is_indexed_leaves_nothing",
        ),
    ),
    "H6": Row(
        fault="delete, then the same bytes again",
        tests=("test_the_same_bytes_again_are_a_new_program_that_an_old_purge_leaves_alone",),
    ),
    "H7": Row(
        fault="two uploads of one document at once",
        tests=("test_uploads_of_one_program_at_once_leave_the_last_one_waiting_alone",),
    ),
    "H8": Row(
        fault="purge of one generation while another is restored",
        tests=("test_a_live_program_is_not_purged",),
        open="nothing is ever restored: a deleted program's number is not given again",
    ),
    "H9": Row(
        fault="sweeper against a live worker",
        tests=(
            "test_a_heartbeat_keeps_the_lease_of_work_that_takes_long",
            "test_a_heartbeat_keeps_the_event",
            "test_an_uploader_cannot_finish_what_was_taken",
        ),
    ),
    "H10": Row(
        fault="search during a switch of generation",
        tests=(
            "test_searches_are_answered_by_the_old_index_until_the_new_one_is_whole",
            "test_a_stale_generation_is_refused",
            "test_a_search_that_the_switch_overtakes_looks_again",
        ),
    ),
    "J1": Row(
        fault="clocks that differ",
        tests=("test_clocks_of_machines_that_differ_by_hours_delay_nothing_for_long",),
        open="the clock as arq reads it; no libfaketime here to move a whole process",
    ),
    "J2": Row(
        fault="clock skew against S3",
        open="S3's word for it is told to the operator, but no test moves a clock, and no health page shows the skew",
    ),
    "J3": Row(
        fault="a full disk",
        tests=(
            "test_a_full_scratch_disk_is_an_outage_and_no_failure",
            "test_a_file_that_cannot_grow_is_unavailable_and_leaves_nothing",
        ),
        open="a full log volume is the business of whoever collects standard error",
    ),
    "J4": Row(
        fault="no file descriptors left",
        tests=("test_an_api_without_file_descriptors_serves_again_once_it_has_some",),
    ),
    "J5": Row(
        fault="ten times the load",
        tests=(
            "test_ten_times_the_load_is_refused_at_once_or_served_and_what_is_accepted_is_indexed",
            "test_one_caller_cannot_take_all_places_and_another_finds_one",
            "test_an_upload_without_a_place_is_told_to_come_again_before_its_body_is_read",
        ),
        open="five minutes of it",
    ),
    "J6": Row(
        fault="everything killed at once",
        tests=(
            "test_a_machine_that_goes_off_comes_back_with_everything",
            "test_fifty_times_the_machine_goes_off",
            "test_a_supervisor_that_is_killed_leaves_nothing_running_and_can_be_started_again",
        ),
    ),
    "J7": Row(
        fault="everything starts in a wrong order",
        tests=(
            "test_whatever_starts_first_waits_for_the_others",
            "test_not_ready_says_what_it_waits_for",
        ),
    ),
    "J8": Row(
        fault="bad configuration",
        tests=(
            "test_a_missing_setting_is_named",
            "test_a_wrong_value_gives_one_line_that_names_the_setting_and_never_the_value",
            "test_an_address_that_is_no_uri_is_a_misconfiguration",
        ),
    ),
    "W1": Row(
        fault="worker killed before, in or after a delivery",
        tests=(
            "test_workers_that_are_killed_or_asleep_in_a_delivery_lose_none_and_repeat_it_under_its_id",
            "test_a_worker_that_dies_under_way_leaves_its_deliveries_to_the_next",
        ),
    ),
    "W2": Row(
        fault="worker asleep in a delivery beyond its lease",
        tests=(
            "test_workers_that_are_killed_or_asleep_in_a_delivery_lose_none_and_repeat_it_under_its_id",
            "test_a_claim_holds_until_its_lease_ends_and_keeps_the_id",
        ),
    ),
    "W3": Row(
        fault="receiver down for a minute",
        tests=(
            "test_a_receiver_that_is_down_for_a_minute_is_told_everything_once",
            "test_what_a_receiver_that_was_down_missed_arrives_once_by_its_id",
            "test_after_a_day_a_delivery_is_dead_until_somebody_revives_it",
        ),
    ),
    "W4": Row(
        fault="receiver hangs, drips, resets, redirects, says no HTTP",
        tests=(
            "test_a_receiver_that_fails_in_every_way_is_told_everything_in_the_end",
            "test_a_receiver_that_takes_its_time_holds_up_no_other",
            "test_a_receiver_that_drips_is_left_in_time",
            "test_a_receiver_that_is_away_or_says_no_http_gives_no_answer",
            "test_what_is_sent_arrives_once_and_the_status_comes_back",
            "test_of_an_endless_answer_no_more_than_a_piece_is_read",
        ),
    ),
    "W5": Row(
        fault="receiver asks to be left alone for a while",
        tests=(
            "test_a_receiver_says_when_it_may_be_told_again",
            "test_when_a_receiver_may_be_told_again_comes_back_with_its_answer",
            "test_a_receiver_that_fails_in_every_way_is_told_everything_in_the_end",
        ),
        open="each delivery is put off by itself: others to the same receiver are tried once before they wait, too",
    ),
    "W6": Row(
        fault="name server gone or silent",
        tests=(
            "test_a_silent_name_server_holds_one_thread_for_each_name_and_none_of_other_work",
            "test_a_receiver_that_is_away_or_says_no_http_gives_no_answer",
        ),
    ),
    "W7": Row(
        fault="a name or an answer that meets a bug",
        tests=(
            "test_a_bug_that_one_receiver_meets_ends_no_worker_and_keeps_nobody_waiting",
            "test_a_name_that_no_name_server_can_be_asked_for_gives_no_answer",
        ),
    ),
    "W8": Row(
        fault="secret rotated in the midst of a delivery",
        tests=(
            "test_what_was_signed_before_a_rotation_is_signed_anew_when_the_receiver_refuses_it",
            "test_for_a_day_after_a_rotation_both_secrets_sign",
        ),
        open="of two rotations within a day the first secret ends with the second",
    ),
    "W9": Row(
        fault="webhook removed or switched off in the midst of a delivery",
        tests=(
            "test_a_webhook_that_goes_while_it_is_told_is_told_nothing_more",
            "test_a_webhook_that_is_removed_meanwhile_makes_no_registration_fail",
            "test_a_webhook_that_is_removed_takes_what_is_on_its_way_along",
        ),
    ),
    "W10": Row(
        fault="several deliveries answered 410 at once",
        tests=(
            "test_of_several_that_are_answered_at_once_that_nothing_more_is_wanted_none_is_in_another_s_way",
            "test_410_switches_a_webhook_off",
        ),
    ),
    "W11": Row(
        fault="an event kind of a newer version, an old worker",
        tests=(
            "test_what_a_newer_version_tells_ends_no_worker_of_before",
            "test_a_kind_that_only_a_newer_version_knows_is_left_to_its_workers_for_a_while",
            "test_what_a_newer_worker_has_tried_is_not_buried",
        ),
        open="after a day it is buried where no newer worker has come",
    ),
    "W12": Row(
        fault="API killed around what it announces",
        tests=(
            "test_an_api_that_is_killed_has_told_of_what_it_committed_and_of_nothing_else",
            "test_what_was_rolled_back_is_told_nobody",
        ),
    ),
    "W13": Row(
        fault="Postgres restarts, Redis forgets, in the midst of deliveries",
        tests=(
            "test_deliveries_outlast_a_restart_of_postgres_and_a_queue_that_forgets",
            "test_a_record_that_gives_no_answer_is_waited_for",
        ),
    ),
    "W14": Row(
        fault="the end of an indexing met by two, or often",
        tests=(
            "test_of_two_workers_that_fail_the_last_documents_at_once_one_tells_the_end",
            "test_the_end_of_an_indexing_is_told_once_for_each_run",
            "test_two_workers_never_take_the_same_delivery",
        ),
    ),
    "W15": Row(
        fault="a document in the place of one that was removed",
        tests=("test_a_document_that_takes_the_place_of_one_that_is_removed_is_told_of_too",),
        open="the id of a stream's event is by the sum of the generations: who comes back with one of before a removal "
        "and an addition may be told that there is nothing more",
    ),
    "W16": Row(
        fault="API killed while a further document is added",
        tests=(
            "test_an_api_that_is_killed_adds_a_document_whole_or_not_at_all_and_a_retry_succeeds",
            "test_a_repeat_under_one_key_adds_nothing",
        ),
    ),
    "W17": Row(
        fault="what a killed API left of a further document",
        tests=("test_an_api_that_is_killed_adds_a_document_whole_or_not_at_all_and_a_retry_succeeds",),
    ),
    "W18": Row(
        fault="several of one name at once",
        tests=("test_documents_of_one_name_at_once_end_as_one_beside_new_files_of_the_program",),
    ),
    "W19": Row(
        fault="replaced while the one before is indexed",
        tests=(
            "test_a_document_that_is_removed_or_replaced_or_loses_its_program_while_it_is_indexed_leaves_nothing",
            "test_one_of_the_same_name_gives_way_and_leaves_nothing",
        ),
    ),
    "W20": Row(
        fault="removed while it is indexed",
        tests=(
            "test_a_document_that_is_removed_or_replaced_or_loses_its_program_while_it_is_indexed_leaves_nothing",
            "test_what_is_removed_is_gone_at_once_and_purged_soon_after",
        ),
    ),
    "W21": Row(
        fault="program deleted while a further document is uploaded",
        tests=("test_a_program_that_is_deleted_while_a_document_is_uploaded_keeps_nothing_of_it",),
    ),
    "W22": Row(
        fault="program deleted while a further document is indexed",
        tests=(
            "test_a_document_that_is_removed_or_replaced_or_loses_its_program_while_it_is_indexed_leaves_nothing",
            "test_a_worker_whose_attempt_fails_after_its_program_was_purged_leaves_no_vectors",
        ),
    ),
    "W23": Row(
        fault="files uploaded anew beside a further document",
        tests=(
            "test_documents_of_one_name_at_once_end_as_one_beside_new_files_of_the_program",
            "test_it_survives_a_new_revision_of_the_programs_files",
        ),
    ),
    "W24": Row(
        fault="killed while a further document is removed or purged",
        tests=("test_a_removal_that_is_killed_is_carried_out_whole_or_not_at_all",),
    ),
    "W25": Row(
        fault="a further document that costs too much to read",
        tests=(
            "test_a_document_that_costs_too_much_is_refused_and_the_next_one_is_read",
            "test_118_a_pdf_that_unpacks_to_far_more_than_it_is",
        ),
    ),
    "W26": Row(
        fault="further documents without end",
        tests=(
            "test_a_program_has_so_many_and_no_more",
            "test_one_document_too_many_is_refused_and_leaves_nothing",
        ),
    ),
    "W27": Row(
        fault="worker killed between chunks and uses",
        tests=(
            "test_workers_that_are_killed_at_every_step_lose_nothing_and_double_nothing",
            "test_a_transaction_that_rolls_back_leaves_no_uses",
        ),
    ),
    "W28": Row(
        fault="worker killed while uses are recorded anew",
        tests=("test_uses_that_are_recorded_anew_outlast_killed_workers_two_at_once_and_what_is_deleted_meanwhile",),
    ),
    "W29": Row(
        fault="two record uses anew at once",
        tests=("test_uses_that_are_recorded_anew_outlast_killed_workers_two_at_once_and_what_is_deleted_meanwhile",),
    ),
    "W30": Row(
        fault="program deleted while its uses are recorded anew",
        tests=(
            "test_uses_that_are_recorded_anew_outlast_killed_workers_two_at_once_and_what_is_deleted_meanwhile",
            "test_a_deleted_program_has_no_uses_and_a_purge_takes_them_along",
        ),
    ),
    "W31": Row(
        fault="a document on which the reader of uses has a bug, or whose bytes are gone",
        tests=(
            "test_a_document_on_which_the_reader_has_a_bug_costs_no_other_its_uses_and_ends_no_worker",
            "test_a_document_whose_bytes_are_gone_is_answered_as_incomplete_and_not_tried_for_ever",
        ),
    ),
    "W32": Row(
        fault="workers of two versions of the table of instructions",
        tests=(
            "test_what_a_newer_version_recorded_is_left_alone",
            "test_what_an_older_table_of_instructions_said_is_replaced_when_its_turn_comes",
        ),
    ),
    "W33": Row(
        fault="uses changed by hand",
        tests=(
            "test_uses_that_were_changed_by_hand_are_found_by_the_audit_and_recorded_anew",
            "test_uses_of_devices_that_are_lost_or_too_many_are_found_and_recorded_anew",
        ),
        open="found by their number: as many of other devices are not; nor is what an older worker recorded, which "
        "notes no number",
    ),
}
