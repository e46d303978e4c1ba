"""Webhooks, and what is on its way to them. A process of before tells nobody, and is in nobody's way."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_UP = (
    """
    CREATE TABLE webhooks (
        webhook_id TEXT NOT NULL,
        url TEXT NOT NULL,
        kinds TEXT[] NOT NULL,
        secret TEXT NOT NULL,
        former_secret TEXT,
        former_until TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        disabled_at TIMESTAMP WITH TIME ZONE,
        disabled_reason TEXT,
        CONSTRAINT webhooks_pkey PRIMARY KEY (webhook_id),
        CONSTRAINT webhooks_kinds_check CHECK (kinds <> '{}'),
        CONSTRAINT webhooks_disabled_check CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
        CONSTRAINT webhooks_former_check CHECK ((former_secret IS NULL) = (former_until IS NULL))
    )
    """,
    """
    CREATE TABLE webhook_deliveries (
        delivery_id TEXT NOT NULL,
        webhook_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        pgm_id TEXT NOT NULL,
        run TEXT NOT NULL,
        pgm_name TEXT NOT NULL,
        revision INTEGER NOT NULL,
        status TEXT NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        next_attempt_at TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        lease_token UUID,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        done_at TIMESTAMP WITH TIME ZONE,
        dead_at TIMESTAMP WITH TIME ZONE,
        last_error TEXT,
        CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (delivery_id),
        CONSTRAINT webhook_deliveries_webhook_id_pgm_id_kind_run_key UNIQUE (webhook_id, pgm_id, kind, run),
        CONSTRAINT webhook_deliveries_ended_check CHECK (done_at IS NULL OR dead_at IS NULL)
    )
    """,
    """
    CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (next_attempt_at, webhook_id)
        WHERE done_at IS NULL AND dead_at IS NULL
    """,
    "CREATE INDEX webhook_deliveries_dead_idx ON webhook_deliveries (dead_at) WHERE dead_at IS NOT NULL",
    "CREATE INDEX webhook_deliveries_done_idx ON webhook_deliveries (done_at) WHERE done_at IS NOT NULL",
)
_DOWN = ("DROP TABLE webhook_deliveries", "DROP TABLE webhooks")


def upgrade() -> None:
    """One step up."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """One step down: every webhook is gone."""
    for statement in _DOWN:
        op.execute(statement)
