"""Progress on Postgres."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, Select, Text, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.error_translation import translated_errors
from adapters.postgres.program_rows import is_of
from adapters.postgres.tables import documents, programs
from domain.document import DocumentState
from domain.errors import NotFoundError
from domain.indexing_standing import IndexingStanding
from domain.ports.progress import Progress
from domain.program import IndexingProgress

# Of a document at a generation; in a sum, whatever its order.
_MARK = func.hashtextextended(documents.c.document_id, documents.c.generation, type_=BigInteger)
_OF_LATEST = and_(documents.c.pgm_id == programs.c.pgm_id, is_of(programs.c.latest_revision, documents.c.revision))


class PostgresProgress(Progress):
    """One statement: a row for each state of the documents."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, pgm_id: str) -> IndexingStanding:
        """See the port."""
        with translated_errors():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(select_standing(pgm_id))).all()
        standing = standing_of_rows(pgm_id, rows)
        if standing is None:
            raise NotFoundError("program", pgm_id)
        return standing


def select_standing(pgm_id: str) -> Select[Any]:
    """A row for each state; the outer join tells a program without documents from no program."""
    return (
        select(
            programs.c.revision,
            programs.c.latest_revision,
            documents.c.state,
            func.count(documents.c.document_id).label("how_many"),
            # A sum of bigints is a numeric, which would come back as a Decimal.
            cast(func.coalesce(func.sum(documents.c.generation), 0), Text).label("generations"),
            cast(func.coalesce(func.sum(_MARK), 0), Text).label("marks"),
        )
        .select_from(programs.outerjoin(documents, _OF_LATEST))
        .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
        .group_by(programs.c.revision, programs.c.latest_revision, documents.c.state)
    )


def standing_of_rows(pgm_id: str, rows: Sequence[Row[Any]]) -> IndexingStanding | None:
    """The standing of what select_standing gave; None for an unknown program."""
    if not rows:
        return None
    counts = {DocumentState(row.state): int(row.how_many) for row in rows if row.state is not None}
    return IndexingStanding(
        pgm_id=pgm_id,
        revision=rows[0].latest_revision,
        answering=rows[0].revision,
        generations=sum(int(row.generations) for row in rows),
        fingerprint=sum(int(row.marks) for row in rows),
        progress=IndexingProgress(counts=counts),
    )
