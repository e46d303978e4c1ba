"""A newer revision of a program beside the one that answers, and what tells which of its texts are new."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # Every program of before has one revision, and so has one that an API of before records meanwhile.
    "ALTER TABLE programs ADD COLUMN latest_revision INTEGER DEFAULT 1 NOT NULL",
    "ALTER TABLE programs ADD COLUMN drawn_revision INTEGER DEFAULT 1 NOT NULL",
    """
    ALTER TABLE programs ADD CONSTRAINT programs_latest_revision_check
        CHECK (revision <= latest_revision AND latest_revision <= drawn_revision)
    """,
    "ALTER TABLE chunks ADD COLUMN dense_digest BYTEA",
)


def upgrade() -> None:
    """One step up."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """One step down: what waits to answer is given up with its chunks, and its files stay in the blob store."""
    op.execute(
        "DELETE FROM revisions USING programs"
        " WHERE revisions.pgm_id = programs.pgm_id AND revisions.revision <> programs.revision"
    )
    op.execute("ALTER TABLE chunks DROP COLUMN dense_digest")
    op.execute("ALTER TABLE programs DROP COLUMN latest_revision, DROP COLUMN drawn_revision")
