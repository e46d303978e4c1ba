"""Documents that belong to a program and to none of its revisions (ADR 29)."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step up. An API of before draws no documents, and gives none a title."""
    op.execute("ALTER TABLE programs ADD COLUMN drawn_document INTEGER DEFAULT 0 NOT NULL")
    op.execute("ALTER TABLE documents ADD COLUMN title TEXT DEFAULT '' NOT NULL")
    op.execute("ALTER TABLE documents ADD COLUMN description TEXT DEFAULT '' NOT NULL")


def downgrade() -> None:
    """One step down: the further documents are gone with their chunks, and their files stay in the blob store."""
    op.execute("DELETE FROM revisions WHERE revision = 0")
    op.execute("ALTER TABLE documents DROP COLUMN title, DROP COLUMN description")
    op.execute("ALTER TABLE programs DROP COLUMN drawn_document")
