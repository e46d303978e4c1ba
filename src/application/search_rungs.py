"""Find the rung that matters: two lanes, gated and fused, with Postgres deciding what is visible."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from application.together import both, together
from domain.errors import InvalidRequestError, UnavailableError, UnindexableError
from domain.index_key import IndexKey
from domain.normal_forms import compatible
from domain.ports.catalogue import Catalogue
from domain.ports.embedder import Embedder
from domain.ports.vector_index import VectorIndex
from domain.ranking import CANDIDATES_PER_LANE, Question, fuse
from domain.search import Candidate, FoundChunk, Lane, SearchHit, SearchMode, SearchScope
from domain.told import told
from domain.vectors import Vectors

MAX_QUERY_CHARACTERS = 2_000
# Chunks that are deleted and not purged yet, or not recorded as indexed yet, may stand before the visible ones.
_LANES_OF: Mapping[SearchMode, tuple[Lane, ...]] = {
    SearchMode.HYBRID: (Lane.DENSE, Lane.LEXICAL),
    SearchMode.DENSE: (Lane.DENSE,),
    SearchMode.LEXICAL: (Lane.LEXICAL,),
}
_DEPTHS = (CANDIDATES_PER_LANE, 4 * CANDIDATES_PER_LANE, 16 * CANDIDATES_PER_LANE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """What is asked."""

    text: str
    scope: SearchScope = SearchScope()
    mode: SearchMode = SearchMode.HYBRID
    limit: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    """The best hits, best first; the lanes that were searched, and the index that they were searched in."""

    hits: Sequence[SearchHit]
    lanes: tuple[Lane, ...]
    index: IndexKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRungs:
    """Raises UnavailableError when a lane gives no answer or the index is not complete: never an empty list instead."""

    embedder: Embedder
    index: VectorIndex
    catalogue: Catalogue

    async def __call__(self, query: SearchQuery) -> SearchAnswer:
        """Search the lanes that the mode asks for and the index has. Raises InvalidRequestError."""
        text = _checked(query.text)
        lanes = await self._lanes(query.mode)
        hits = await self._hits(text, query, lanes)
        return SearchAnswer(hits=hits, lanes=lanes, index=self.index.key)

    async def _lanes(self, mode: SearchMode) -> tuple[Lane, ...]:
        available = await self.index.lanes()
        lanes = tuple(lane for lane in _LANES_OF[mode] if lane in available)
        if not lanes:
            raise InvalidRequestError(
                "mode", told("this service has no {mode} lane: ask for another mode", mode=mode), code="lane_off"
            )
        return lanes

    async def _hits(self, text: str, query: SearchQuery, lanes: Sequence[Lane]) -> list[SearchHit]:
        question = Question.of(text)
        vector = await self._embedded(text) if Lane.DENSE in lanes else None
        tokens = question.tokens if Lane.LEXICAL in lanes else ()
        for depth in _DEPTHS:
            dense, lexical = await together(
                self._dense(vector, query.scope, depth), self._lexical(tokens, query.scope, depth)
            )
            wanted = {candidate.chunk_id for candidate in (*dense, *lexical)}
            found = await self._visible(list(wanted))
            visible = {chunk_id: chunk for chunk_id, chunk in found.items() if _is_within(chunk, query.scope)}
            hits = fuse(question, dense=dense, lexical=lexical, visible=visible, limit=query.limit)
            is_crowded_out = len(visible) < len(wanted) and max(len(dense), len(lexical)) == depth
            # All of it: a newer revision may have begun to answer between the lanes and the look at what is visible.
            is_replaced = bool(wanted) and not visible and depth == CANDIDATES_PER_LANE
            if len(hits) == query.limit or not (is_crowded_out or is_replaced):
                return hits
        if not hits:
            raise UnavailableError("milvus", "what it finds first is deleted and not purged yet")
        return hits

    async def _embedded(self, text: str) -> Vectors:
        try:
            return await self.embedder.embed([text])
        except UnindexableError as error:
            message = told("the embedding model takes no such text")
            raise InvalidRequestError("query", message, code=error.code) from error

    async def _dense(self, vector: Vectors | None, scope: SearchScope, depth: int) -> list[Candidate]:
        return await self.index.dense(vector, scope, limit=depth) if vector else []

    async def _lexical(self, tokens: Sequence[str], scope: SearchScope, depth: int) -> list[Candidate]:
        return await self.index.lexical(tokens, scope, limit=depth) if tokens else []

    async def _visible(self, chunk_ids: list[str]) -> dict[str, FoundChunk]:
        """Asked after the lanes have answered: an index that was lost before is recorded as incomplete by then."""
        key = self.index.key
        found, index = await both(
            self.catalogue.visible_chunks(chunk_ids, rendering_version=key.rendering_version),
            self.catalogue.index(key),
        )
        if not index.is_complete:
            raise UnavailableError("vector index", f"it is being built: {index.held} of {index.total} documents")
        return found


def _checked(text: str) -> str:
    if len(text) > MAX_QUERY_CHARACTERS:
        raise InvalidRequestError("query", told("a query has at most {most:,} characters", most=MAX_QUERY_CHARACTERS))
    if any(unicodedata.category(character) == "Cs" for character in text):
        raise InvalidRequestError("query", told("the query holds half of a surrogate pair"), code="text_invalid")
    if not text.strip():
        raise InvalidRequestError("query", told("the query is empty"))
    return compatible(text).strip()


def _is_within(chunk: FoundChunk, scope: SearchScope) -> bool:
    """The index is derived and may be stale or lax: the record of truth has the last word on the scope as well."""
    wanted = (scope.pgm_id, scope.folder_id, scope.logic_id, scope.document_type)
    actual = (chunk.pgm_id, chunk.place.folder_id, chunk.place.logic_id, chunk.document_type)
    return all(want is None or want == have for want, have in zip(wanted, actual, strict=True))
