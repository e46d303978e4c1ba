"""API keys, and idempotency keys that are each caller's own."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UP = (
    """
    CREATE TABLE api_keys (
        prefix TEXT NOT NULL,
        owner TEXT NOT NULL,
        digest BYTEA NOT NULL,
        scopes TEXT[] NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        revoked_at TIMESTAMP WITH TIME ZONE,
        last_used_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT api_keys_pkey PRIMARY KEY (prefix),
        CONSTRAINT api_keys_scopes_check CHECK (scopes <> '{}' AND scopes <@ ARRAY['read', 'write', 'admin'])
    )
    """,
    "CREATE INDEX api_keys_owner_idx ON api_keys (owner, prefix)",
    # An API of before names no client: its keys stay those of whoever need not say who they are.
    "ALTER TABLE idempotency_keys ADD COLUMN client TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey",
    "ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (client, operation, key)",
)
_DOWN = (
    # Two clients may have used one name; an answer must never reach the other.
    "DELETE FROM idempotency_keys WHERE client <> ''",
    "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey",
    "ALTER TABLE idempotency_keys DROP COLUMN client",
    "ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (operation, key)",
    "DROP TABLE api_keys",
)


def upgrade() -> None:
    """One step up."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """One step down: every key is gone."""
    for statement in _DOWN:
        op.execute(statement)
