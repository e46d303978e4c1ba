"""What the statements about vector indexes have in common."""

from sqlalchemy import exists, select
from sqlalchemy.sql import ColumnElement

from adapters.postgres.program_rows import is_live
from adapters.postgres.tables import documents, indexed_documents, programs, vector_indexes
from domain.document import DocumentState
from domain.index_key import IndexKey

IS_INDEXED = (documents.c.state == DocumentState.INDEXED.value) & exists().where(
    programs.c.pgm_id == documents.c.pgm_id, is_live(documents.c.revision)
).correlate(documents)
"""Whether a document is one that searches may find, now or once its revision answers."""


def is_index(key: IndexKey) -> ColumnElement[bool]:
    """Whether a row of `vector_indexes` is the one of this key."""
    return (
        (vector_indexes.c.model_name == key.model.name)
        & (vector_indexes.c.dimension == key.model.dimension)
        & (vector_indexes.c.rendering_version == key.rendering_version)
    )


def is_held_by(key: IndexKey) -> ColumnElement[bool]:
    """Whether a document is held at its present generation."""
    index_id = select(vector_indexes.c.index_id).where(is_index(key)).correlate(None).scalar_subquery()
    is_held = exists().where(
        indexed_documents.c.index_id == index_id,
        indexed_documents.c.document_id == documents.c.document_id,
        indexed_documents.c.generation == documents.c.generation,
    )
    return is_held.correlate(documents)
