"""Who reads and writes which device. What was indexed before gets its uses from a worker, without being embedded."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UP = (
    """
    CREATE TABLE used_documents (
        set_id BIGINT GENERATED ALWAYS AS IDENTITY,
        document_id TEXT NOT NULL,
        generation BIGINT NOT NULL,
        uses_version INTEGER NOT NULL,
        is_unreadable BOOLEAN NOT NULL,
        CONSTRAINT used_documents_pkey PRIMARY KEY (set_id),
        CONSTRAINT used_documents_document_id_key UNIQUE (document_id),
        CONSTRAINT used_documents_document_id_fkey
            FOREIGN KEY (document_id) REFERENCES documents (document_id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE device_uses (
        set_id BIGINT NOT NULL,
        use_id BIGINT GENERATED ALWAYS AS IDENTITY,
        pgm_number BIGINT NOT NULL,
        rung INTEGER NOT NULL,
        step INTEGER,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        bit SMALLINT NOT NULL,
        is_open BOOLEAN NOT NULL,
        is_shifted BOOLEAN NOT NULL,
        space TEXT COLLATE "C" NOT NULL,
        role TEXT NOT NULL,
        mnemonic TEXT NOT NULL,
        operand TEXT NOT NULL,
        CONSTRAINT device_uses_pkey PRIMARY KEY (set_id, use_id),
        CONSTRAINT device_uses_set_id_fkey FOREIGN KEY (set_id) REFERENCES used_documents (set_id) ON DELETE CASCADE,
        CONSTRAINT device_uses_role_check
            CHECK (role IN ('read', 'write', 'set', 'reset', 'preset', 'pulse', 'unknown')),
        CONSTRAINT device_uses_first_check CHECK (first >= 0 AND first <= last)
    )
    """,
    "CREATE INDEX device_uses_device_idx ON device_uses (space, first, use_id)",
    "CREATE INDEX device_uses_program_idx ON device_uses (pgm_number, space, first, bit, use_id)",
    "CREATE INDEX device_uses_program_ranges_idx ON device_uses (pgm_number, space, first, last) WHERE last > first",
    "CREATE INDEX device_uses_ranges_idx ON device_uses USING gist (int4range(first, last, '[]')) WHERE last > first",
    # Over what is there already: read once, while registrations wait.
    'CREATE INDEX device_comments_device_idx ON device_comments (pgm_id, revision, "left"(device, 64))',
)
_DOWN = (
    "DROP INDEX device_comments_device_idx",
    "DROP TABLE device_uses",
    "DROP TABLE used_documents",
)


def upgrade() -> None:
    """One step up."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """One step down: every use is gone, and is recorded anew after the next step up."""
    for statement in _DOWN:
        op.execute(statement)
