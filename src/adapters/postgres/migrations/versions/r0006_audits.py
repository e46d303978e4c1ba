"""When the stores were last audited, by whose turn, and what was found."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_AUDITS = """
    CREATE TABLE audits (
        name TEXT NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        counts JSONB,
        CONSTRAINT audits_pkey PRIMARY KEY (name)
    )
"""


def upgrade() -> None:
    """One step up."""
    op.execute(_AUDITS)


def downgrade() -> None:
    """One step down."""
    op.execute("DROP TABLE audits")
