"""The keys under which requests were carried out, and what they were answered."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE idempotency_keys (
        operation TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        pgm_id TEXT NOT NULL,
        answer BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        CONSTRAINT idempotency_keys_pkey PRIMARY KEY (operation, key)
    )
    """,
    "CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at)",
)


def upgrade() -> None:
    """One step up."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """One step down."""
    op.execute("DROP TABLE idempotency_keys")
