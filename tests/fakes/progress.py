"""Progress in memory, over what the in-memory unit of work committed."""

from collections import Counter
from zlib import crc32

from domain.errors import NotFoundError
from domain.further.further_document import PROGRAM_ITSELF
from domain.indexing_standing import IndexingStanding
from domain.ports.progress import Progress
from domain.program import IndexingProgress
from fakes.registry import InMemoryRegistry, Tables


class InMemoryProgress(Progress):
    """Counts its looks; raises `fails_with` where that is set."""

    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry
        self.looks = 0
        self.fails_with: Exception | None = None

    async def of(self, pgm_id: str) -> IndexingStanding:
        self.looks += 1
        if self.fails_with:
            raise self.fails_with
        standing = standing_in(self._registry.committed, pgm_id)
        if standing is None:
            raise NotFoundError("program", pgm_id)
        return standing


def standing_in(tables: Tables, pgm_id: str) -> IndexingStanding | None:
    """None for a program that is unknown or deleted."""
    stored = tables.live(pgm_id)
    if stored is None:
        return None
    revisions = {stored.latest_revision, PROGRAM_ITSELF}
    documents = [d for d in tables.documents.values() if d.pgm_id == pgm_id and d.revision in revisions]
    return IndexingStanding(
        pgm_id=pgm_id,
        revision=stored.latest_revision,
        answering=stored.program.revision,
        generations=sum(each.generation for each in documents),
        fingerprint=sum(crc32(f"{each.document_id}:{each.generation}".encode()) for each in documents),
        progress=IndexingProgress(counts=dict(Counter(each.state for each in documents))),
    )
