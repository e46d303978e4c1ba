"""Progress on Postgres."""

from sqlalchemy import Text, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.error_translation import translated_errors
from adapters.postgres.program_rows import is_of
from adapters.postgres.tables import documents, programs
from domain.document import DocumentState
from domain.errors import NotFoundError
from domain.indexing_standing import IndexingStanding
from domain.ports.progress import Progress
from domain.program import IndexingProgress

_OF_LATEST = and_(documents.c.pgm_id == programs.c.pgm_id, is_of(programs.c.latest_revision, documents.c.revision))


class PostgresProgress(Progress):
    """One statement: a row for each state of the documents."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, pgm_id: str) -> IndexingStanding:
        """See the port. The outer join tells a program without documents from no program."""
        by_state = (
            select(
                programs.c.revision,
                programs.c.latest_revision,
                documents.c.state,
                func.count(documents.c.document_id).label("how_many"),
                # A sum of bigints is a numeric, which would come back as a Decimal.
                cast(func.coalesce(func.sum(documents.c.generation), 0), Text).label("generations"),
            )
            .select_from(programs.outerjoin(documents, _OF_LATEST))
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
            .group_by(programs.c.revision, programs.c.latest_revision, documents.c.state)
        )
        with translated_errors():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(by_state)).all()
        if not rows:
            raise NotFoundError("program", pgm_id)
        counts = {DocumentState(row.state): int(row.how_many) for row in rows if row.state is not None}
        return IndexingStanding(
            pgm_id=pgm_id,
            revision=rows[0].latest_revision,
            answering=rows[0].revision,
            generations=sum(int(row.generations) for row in rows),
            progress=IndexingProgress(counts=counts),
        )
