"""The registry: programs, their documents and chunks, uploads under way, and the outbox."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    "CREATE SEQUENCE pgm_number_seq AS BIGINT",
    """
    CREATE TABLE outbox (
        event_id BIGINT GENERATED ALWAYS AS IDENTITY,
        kind TEXT NOT NULL,
        payload JSONB NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        next_attempt_at TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        lease_token UUID,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        done_at TIMESTAMP WITH TIME ZONE,
        dead_at TIMESTAMP WITH TIME ZONE,
        last_error TEXT,
        trace_context JSONB,
        CONSTRAINT outbox_pkey PRIMARY KEY (event_id),
        CONSTRAINT outbox_attempts_check CHECK (attempts >= 0),
        CONSTRAINT outbox_ended_check CHECK (done_at IS NULL OR dead_at IS NULL)
    )
    """,
    "CREATE INDEX outbox_pending_idx ON outbox (next_attempt_at, event_id) WHERE done_at IS NULL AND dead_at IS NULL",
    """
    CREATE TABLE programs (
        pgm_id TEXT NOT NULL,
        pgm_number BIGINT NOT NULL,
        pgm_name TEXT NOT NULL,
        create_user TEXT NOT NULL,
        pgm_version TEXT NOT NULL,
        description TEXT NOT NULL,
        notes TEXT NOT NULL,
        revision INTEGER NOT NULL,
        create_dt TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        update_dt TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        deleted_dt TIMESTAMP WITH TIME ZONE,
        purged_dt TIMESTAMP WITH TIME ZONE,
        CONSTRAINT programs_pkey PRIMARY KEY (pgm_id),
        CONSTRAINT programs_pgm_number_check CHECK (pgm_id = 'PGM_' || pgm_number),
        CONSTRAINT programs_revision_check CHECK (revision >= 1),
        CONSTRAINT programs_purged_dt_check CHECK (purged_dt IS NULL OR deleted_dt IS NOT NULL),
        CONSTRAINT programs_pgm_number_key UNIQUE (pgm_number)
    )
    """,
    "CREATE INDEX programs_listing_idx ON programs (pgm_number DESC) WHERE deleted_dt IS NULL",
    """
    CREATE TABLE uploads (
        prefix TEXT NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        taken_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT uploads_pkey PRIMARY KEY (prefix)
    )
    """,
    "CREATE INDEX uploads_started_at_idx ON uploads (started_at)",
    """
    CREATE TABLE revisions (
        pgm_id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        create_user TEXT NOT NULL,
        create_dt TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        CONSTRAINT revisions_pkey PRIMARY KEY (pgm_id, revision),
        CONSTRAINT revisions_pgm_id_fkey FOREIGN KEY (pgm_id) REFERENCES programs (pgm_id)
    )
    """,
    """
    CREATE TABLE device_comments (
        pgm_id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        device TEXT NOT NULL,
        comment TEXT NOT NULL,
        CONSTRAINT device_comments_pkey PRIMARY KEY (pgm_id, revision, ordinal),
        CONSTRAINT device_comments_pgm_id_revision_fkey FOREIGN KEY (pgm_id, revision)
            REFERENCES revisions (pgm_id, revision) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE documents (
        document_id TEXT NOT NULL,
        pgm_id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        document_type TEXT NOT NULL,
        document_name TEXT NOT NULL,
        blob_key TEXT NOT NULL,
        member TEXT,
        size_bytes BIGINT NOT NULL,
        sha256 TEXT NOT NULL,
        create_dt TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        state TEXT NOT NULL,
        generation BIGINT NOT NULL,
        logic_id TEXT NOT NULL,
        logic_name TEXT NOT NULL,
        folder_id TEXT NOT NULL,
        folder_name TEXT NOT NULL,
        sub_folder_name TEXT NOT NULL,
        ladder_encoding TEXT,
        ladder_delimiter TEXT,
        ladder_tool TEXT,
        ladder_cpu TEXT,
        ladder_row_count INTEGER,
        ladder_rung_count INTEGER,
        chunk_count INTEGER NOT NULL,
        failure_code TEXT,
        failure_message TEXT,
        indexed_dt TIMESTAMP WITH TIME ZONE,
        CONSTRAINT documents_pkey PRIMARY KEY (document_id),
        CONSTRAINT documents_pgm_id_revision_fkey FOREIGN KEY (pgm_id, revision)
            REFERENCES revisions (pgm_id, revision) ON DELETE CASCADE,
        CONSTRAINT documents_pgm_id_revision_ordinal_key UNIQUE (pgm_id, revision, ordinal),
        CONSTRAINT documents_document_type_check CHECK (
            document_type IN ('PGM_LADDER_CSV', 'PGM_TEMPLATE_FILE', 'PGM_LADDER_ZIP', 'PGM_COMMENT_CSV')
        ),
        CONSTRAINT documents_state_check CHECK (state IN ('pending', 'indexing', 'indexed', 'failed', 'skipped')),
        CONSTRAINT documents_generation_check CHECK (generation >= 1),
        CONSTRAINT documents_chunk_count_check CHECK (chunk_count >= 0),
        CONSTRAINT documents_failure_code_check CHECK ((state = 'failed') = (failure_code IS NOT NULL)),
        CONSTRAINT documents_failure_message_check CHECK ((failure_code IS NULL) = (failure_message IS NULL)),
        CONSTRAINT documents_ladder_check CHECK (
            num_nulls(ladder_encoding, ladder_delimiter, ladder_tool, ladder_cpu, ladder_row_count, ladder_rung_count)
            IN (0, 6)
        )
    )
    """,
    """
    CREATE TABLE template_rows (
        pgm_id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        row INTEGER NOT NULL,
        folder_id TEXT NOT NULL,
        folder_name TEXT NOT NULL,
        sub_folder_name TEXT NOT NULL,
        logic_id TEXT NOT NULL,
        logic_name TEXT NOT NULL,
        CONSTRAINT template_rows_pkey PRIMARY KEY (pgm_id, revision, ordinal),
        CONSTRAINT template_rows_pgm_id_revision_fkey FOREIGN KEY (pgm_id, revision)
            REFERENCES revisions (pgm_id, revision) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE chunks (
        chunk_id TEXT NOT NULL,
        document_id TEXT NOT NULL,
        generation BIGINT NOT NULL,
        ordinal INTEGER NOT NULL,
        logic_id TEXT NOT NULL,
        logic_name TEXT NOT NULL,
        folder_id TEXT NOT NULL,
        folder_name TEXT NOT NULL,
        sub_folder_name TEXT NOT NULL,
        first_step BIGINT,
        last_step BIGINT,
        title TEXT NOT NULL,
        ladder TEXT NOT NULL,
        devices JSONB NOT NULL,
        CONSTRAINT chunks_pkey PRIMARY KEY (chunk_id),
        CONSTRAINT chunks_document_id_fkey FOREIGN KEY (document_id)
            REFERENCES documents (document_id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX chunks_document_id_idx ON chunks (document_id)",
)
_TABLES = ("chunks", "template_rows", "documents", "device_comments", "revisions", "uploads", "programs", "outbox")


def upgrade() -> None:
    """Make the tables."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Remove them, and everything in them."""
    for table in _TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP SEQUENCE pgm_number_seq")
