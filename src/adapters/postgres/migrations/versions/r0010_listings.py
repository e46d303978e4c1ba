"""What the listing of programs is filtered and ordered by, and what counts documents without reading them."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UP = (
    # Made by the database, so that an API of before, which does not know it, may go on writing.
    """
    ALTER TABLE programs ADD COLUMN name_key TEXT COLLATE "C"
    GENERATED ALWAYS AS (left(lower(normalize(pgm_name, NFKC)), 200)) STORED
    """,
    "CREATE INDEX programs_name_key_idx ON programs (name_key, pgm_number) WHERE deleted_dt IS NULL",
    "CREATE INDEX programs_create_user_idx ON programs (create_user, pgm_number) WHERE deleted_dt IS NULL",
    "CREATE INDEX programs_create_dt_idx ON programs (create_dt) WHERE deleted_dt IS NULL",
    # Nobody bounds what stands in a cell, and an index row is at most 2,704 bytes.
    "CREATE INDEX template_rows_folder_id_idx ON template_rows (left(folder_id, 255), pgm_id, revision)",
    "CREATE INDEX template_rows_folder_name_idx ON template_rows (left(folder_name, 255), pgm_id, revision)",
    "DROP INDEX documents_state_idx",
    "CREATE INDEX documents_state_idx ON documents (state, pgm_id, revision) INCLUDE (chunk_count, size_bytes)",
)
_DOWN = (
    "DROP INDEX documents_state_idx",
    "CREATE INDEX documents_state_idx ON documents (state, pgm_id, revision)",
    "DROP INDEX template_rows_folder_name_idx",
    "DROP INDEX template_rows_folder_id_idx",
    "DROP INDEX programs_create_dt_idx",
    "DROP INDEX programs_create_user_idx",
    "DROP INDEX programs_name_key_idx",
    "ALTER TABLE programs DROP COLUMN name_key",
)


def upgrade() -> None:
    """One step up."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """One step down: nothing is lost."""
    for statement in _DOWN:
        op.execute(statement)
