"""Which vector index is current, what each holds, and chunks of several renderings side by side.

What was indexed before is in no index's record: the worker checks it against the vectors once, and embeds
only what is missing.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE vector_indexes (
        index_id INTEGER GENERATED ALWAYS AS IDENTITY,
        model_name TEXT NOT NULL,
        dimension INTEGER NOT NULL,
        rendering_version INTEGER NOT NULL,
        is_current BOOLEAN NOT NULL,
        is_complete BOOLEAN NOT NULL,
        builder UUID,
        builder_until TIMESTAMP WITH TIME ZONE,
        create_dt TIMESTAMP WITH TIME ZONE DEFAULT statement_timestamp() NOT NULL,
        CONSTRAINT vector_indexes_pkey PRIMARY KEY (index_id),
        CONSTRAINT vector_indexes_model_name_dimension_rendering_version_key
            UNIQUE (model_name, dimension, rendering_version)
    )
    """,
    "CREATE UNIQUE INDEX vector_indexes_current_idx ON vector_indexes (is_current) WHERE is_current",
    """
    CREATE TABLE indexed_documents (
        index_id INTEGER NOT NULL,
        document_id TEXT NOT NULL,
        generation BIGINT NOT NULL,
        CONSTRAINT indexed_documents_pkey PRIMARY KEY (index_id, document_id),
        CONSTRAINT indexed_documents_index_id_fkey FOREIGN KEY (index_id)
            REFERENCES vector_indexes (index_id) ON DELETE CASCADE,
        CONSTRAINT indexed_documents_document_id_fkey FOREIGN KEY (document_id)
            REFERENCES documents (document_id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX indexed_documents_document_id_idx ON indexed_documents (document_id)",
    # Every chunk of before is of rendering 2, and so are those that a worker of before writes meanwhile.
    "ALTER TABLE chunks ADD COLUMN rendering_version INTEGER DEFAULT 2 NOT NULL",
    "ALTER TABLE chunks DROP CONSTRAINT chunks_pkey",
    "ALTER TABLE chunks ADD CONSTRAINT chunks_pkey PRIMARY KEY (chunk_id, rendering_version)",
)


def upgrade() -> None:
    """One step up."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """One step down: of the chunks, those of the newest rendering stay."""
    op.execute(
        "DELETE FROM chunks older USING chunks newer"
        " WHERE older.chunk_id = newer.chunk_id AND older.rendering_version < newer.rendering_version"
    )
    op.execute("ALTER TABLE chunks DROP CONSTRAINT chunks_pkey")
    op.execute("ALTER TABLE chunks ADD CONSTRAINT chunks_pkey PRIMARY KEY (chunk_id)")
    op.execute("ALTER TABLE chunks DROP COLUMN rendering_version")
    op.execute("DROP TABLE indexed_documents")
    op.execute("DROP TABLE vector_indexes")
