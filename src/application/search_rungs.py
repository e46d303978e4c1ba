"""Find the rung that matters: two lanes, gated and fused, with Postgres deciding what is visible."""

import unicodedata
from dataclasses import dataclass

from application.together import together
from domain.errors import InvalidRequestError, UnavailableError
from domain.ports.catalogue import Catalogue
from domain.ports.embedder import Embedder
from domain.ports.vector_index import VectorIndex
from domain.ranking import CANDIDATES_PER_LANE, Question, fuse
from domain.search import Candidate, FoundChunk, SearchHit, SearchMode, SearchScope
from domain.vectors import Vectors

MAX_QUERY_CHARACTERS = 2_000
# Chunks that are deleted and not purged yet, or not recorded as indexed yet, may stand before the visible ones.
_DEPTHS = (CANDIDATES_PER_LANE, 4 * CANDIDATES_PER_LANE, 16 * CANDIDATES_PER_LANE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """What is asked."""

    text: str
    scope: SearchScope = SearchScope()
    mode: SearchMode = SearchMode.HYBRID
    limit: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRungs:
    """Raises UnavailableError when a lane gives no answer: never an empty list instead."""

    embedder: Embedder
    index: VectorIndex
    catalogue: Catalogue

    async def __call__(self, query: SearchQuery) -> list[SearchHit]:
        """The best hits, best first."""
        text = _checked(query.text)
        question = Question.of(text)
        vector = None if query.mode is SearchMode.LEXICAL else await self.embedder.embed([text])
        for depth in _DEPTHS:
            dense, lexical = await together(
                self._dense(vector, query.scope, depth), self._lexical(question, query, depth)
            )
            wanted = {candidate.chunk_id for candidate in (*dense, *lexical)}
            found = await self.catalogue.visible_chunks(list(wanted))
            visible = {chunk_id: chunk for chunk_id, chunk in found.items() if _is_within(chunk, query.scope)}
            hits = fuse(question, dense=dense, lexical=lexical, visible=visible, limit=query.limit)
            crowded_out = len(visible) < len(wanted) and max(len(dense), len(lexical)) == depth
            if len(hits) == query.limit or not crowded_out:
                return hits
        if not hits:
            raise UnavailableError("milvus", "what it finds first is deleted and not purged yet")
        return hits

    async def _dense(self, vector: Vectors | None, scope: SearchScope, depth: int) -> list[Candidate]:
        return await self.index.dense(vector, scope, limit=depth) if vector else []

    async def _lexical(self, question: Question, query: SearchQuery, depth: int) -> list[Candidate]:
        if query.mode is SearchMode.DENSE or not question.tokens:
            return []
        return await self.index.lexical(question.tokens, query.scope, limit=depth)


def _checked(text: str) -> str:
    if len(text) > MAX_QUERY_CHARACTERS:
        raise InvalidRequestError("query", f"a query has at most {MAX_QUERY_CHARACTERS:,} characters")
    if any(unicodedata.category(character) == "Cs" for character in text):
        raise InvalidRequestError("query", "the query holds half of a surrogate pair", code="text_invalid")
    if not text.strip():
        raise InvalidRequestError("query", "the query is empty")
    return unicodedata.normalize("NFKC", text).strip()


def _is_within(chunk: FoundChunk, scope: SearchScope) -> bool:
    """The index is derived and may be stale or lax: the record of truth has the last word on the scope as well."""
    wanted = (scope.pgm_id, scope.folder_id, scope.logic_id, scope.document_type)
    actual = (chunk.pgm_id, chunk.place.folder_id, chunk.place.logic_id, chunk.document_type)
    return all(want is None or want == have for want, have in zip(wanted, actual, strict=True))
