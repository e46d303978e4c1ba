"""The history of failures, and indexes for what an operator asks and the sweep removes."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE failures (
        failure_id BIGINT GENERATED ALWAYS AS IDENTITY,
        pgm_id TEXT NOT NULL,
        documents JSONB NOT NULL,
        event_id BIGINT NOT NULL,
        attempt INTEGER NOT NULL,
        stage TEXT NOT NULL,
        code TEXT NOT NULL,
        message TEXT NOT NULL,
        is_final BOOLEAN NOT NULL,
        failed_dt TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        CONSTRAINT failures_pkey PRIMARY KEY (failure_id),
        CONSTRAINT failures_pgm_id_fkey FOREIGN KEY (pgm_id) REFERENCES programs (pgm_id),
        CONSTRAINT failures_stage_check CHECK (stage IN ('read', 'embed', 'index', 'prove', 'record', 'unknown'))
    )
    """,
    "CREATE INDEX failures_pgm_id_idx ON failures (pgm_id, failure_id)",
    "CREATE INDEX outbox_done_idx ON outbox (done_at) WHERE done_at IS NOT NULL",
    "CREATE INDEX outbox_dead_idx ON outbox (event_id) WHERE dead_at IS NOT NULL",
    "CREATE INDEX documents_state_idx ON documents (state, pgm_id, revision)",
)


def upgrade() -> None:
    """One step up."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """One step down: the history is lost."""
    op.execute("DROP INDEX documents_state_idx")
    op.execute("DROP INDEX outbox_dead_idx")
    op.execute("DROP INDEX outbox_done_idx")
    op.execute("DROP TABLE failures")
