"""How many uses of devices were recorded of a document. A process of before leaves it open, and is not audited."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step up."""
    op.execute("ALTER TABLE used_documents ADD COLUMN use_count INTEGER")


def downgrade() -> None:
    """One step down: the uses stay."""
    op.execute("ALTER TABLE used_documents DROP COLUMN use_count")
