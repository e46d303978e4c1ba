"""The database knows what a document type looks like; which ones there are, the code knows alone (ADR 16)."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_DROP = "ALTER TABLE documents DROP CONSTRAINT documents_document_type_check"
_ADD = "ALTER TABLE documents ADD CONSTRAINT documents_document_type_check CHECK ({})"


def upgrade() -> None:
    """One step up: what is there passes, and is looked through once."""
    op.execute(_DROP)
    op.execute(_ADD.format("document_type ~ '^[A-Z][A-Z0-9_]*$'"))


def downgrade() -> None:
    """One step down. Fails while there are documents of types that came later."""
    op.execute(_DROP)
    op.execute(
        _ADD.format("document_type IN ('PGM_LADDER_CSV', 'PGM_TEMPLATE_FILE', 'PGM_LADDER_ZIP', 'PGM_COMMENT_CSV')")
    )
