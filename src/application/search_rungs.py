"""Find the rung that matters: two lanes, gated and fused, with Postgres deciding what is visible."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from application.together import together
from domain.errors import InvalidRequestError
from domain.ports.catalogue import Catalogue
from domain.ports.embedder import Embedder
from domain.ports.vector_index import VectorIndex
from domain.ranking import CANDIDATES_PER_LANE, Question, fuse
from domain.search import Candidate, FoundChunk, SearchHit, SearchMode, SearchScope

MAX_QUERY_CHARACTERS = 2_000


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
        dense, lexical = await together(self._dense(text, query), self._lexical(question.tokens, query))
        candidates = [*dense, *lexical]
        found = await self.catalogue.visible_chunks([candidate.chunk_id for candidate in candidates])
        visible = {chunk_id: chunk for chunk_id, chunk in found.items() if _is_within(chunk, query.scope)}
        return fuse(question, dense=dense, lexical=lexical, visible=visible, limit=query.limit)

    async def _dense(self, text: str, query: SearchQuery) -> list[Candidate]:
        if query.mode is SearchMode.LEXICAL:
            return []
        vector = await self.embedder.embed([text])
        return await self.index.dense(vector, query.scope, limit=CANDIDATES_PER_LANE)

    async def _lexical(self, tokens: Sequence[str], query: SearchQuery) -> list[Candidate]:
        if query.mode is SearchMode.DENSE or not tokens:
            return []
        return await self.index.lexical(tokens, query.scope, limit=CANDIDATES_PER_LANE)


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
