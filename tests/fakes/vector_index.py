"""A vector index in memory, exact where Milvus is approximate, and one that fails as scripted."""

import math
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.document import DocumentRef
from domain.errors import MisconfiguredError, UnavailableError
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel
from domain.ports.vector_index import HeldDocument, IndexEntry, VectorIndex
from domain.search import Candidate, Lane, SearchScope
from domain.vectors import Vectors

_K1, _B = 1.2, 0.75
_ROWS_PER_PAGE = 500


@dataclass(slots=True)
class _Held:
    """What is held under one key."""

    entries: dict[str, IndexEntry] = field(default_factory=dict)
    vectors: "dict[str, array[float]]" = field(default_factory=dict)

    def remove(self, chunk_ids: Iterable[str]) -> None:
        for chunk_id in list(chunk_ids):
            del self.entries[chunk_id], self.vectors[chunk_id]


@dataclass(slots=True)
class VectorServer:
    """What the indexes of several keys share, like one server."""

    indexes: dict[IndexKey, _Held] = field(default_factory=dict)
    published: IndexKey | None = None
    has_bm25: bool = True


class InMemoryVectorIndex(VectorIndex):
    """Cosine and BM25 over all entries, by brute force."""

    def __init__(self, *, dimension: int = 64, key: IndexKey | None = None, server: VectorServer | None = None) -> None:
        self._key = key or IndexKey(model=EmbeddingModel(name="hashing", dimension=dimension), rendering_version=1)
        self.server = server or VectorServer()

    @property
    def key(self) -> IndexKey:
        return self._key

    @property
    def entries(self) -> dict[str, IndexEntry]:
        """A back door to what is held."""
        held = self.server.indexes.get(self._key)
        return held.entries if held else {}

    async def lanes(self) -> frozenset[Lane]:
        return frozenset(Lane) if self.server.has_bm25 else frozenset({Lane.DENSE})

    async def prepare(self) -> None:
        self.server.indexes.setdefault(self._key, _Held())

    async def publish(self) -> None:
        self._held()
        self.server.published = self._key

    async def count(self) -> int | None:
        held = self.server.indexes.get(self._key)
        return None if held is None else len(held.entries)

    async def vectors(self, chunk_ids: Sequence[str]) -> dict[str, bytes]:
        held = self._held()
        return {name: held.vectors[name].tobytes() for name in chunk_ids if name in held.vectors}

    async def upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        held = self._held_for(vectors)
        if len(vectors) != len(entries):
            raise ValueError(f"{len(entries)} entries with {len(vectors)} vectors")
        for place, entry in enumerate(entries):
            held.entries[entry.chunk_id] = entry
            held.vectors[entry.chunk_id] = array("f", bytes(vectors.row(place)))

    async def dense(self, vector: Vectors, scope: SearchScope, *, limit: int) -> list[Candidate]:
        held = self._held_for(vector)
        if len(vector) != 1:
            raise ValueError(f"a search takes one vector, not {len(vector)}")
        wanted = array("f", vector.buffer)
        scored = ((entry, _cosine(wanted, held.vectors[entry.chunk_id])) for entry in _within(held, scope))
        return _best(scored, limit)

    async def lexical(self, tokens: Sequence[str], scope: SearchScope, *, limit: int) -> list[Candidate]:
        held = self._held()
        if not self.server.has_bm25:
            raise MisconfiguredError("the lexical lane is off")
        counts = {chunk_id: Counter(entry.lexical_text.split()) for chunk_id, entry in held.entries.items()}
        scored = ((entry, _bm25(tokens, counts[entry.chunk_id], counts.values())) for entry in _within(held, scope))
        return _best(((entry, score) for entry, score in scored if score > 0), limit)

    async def chunk_ids(self, documents: Sequence[DocumentRef]) -> frozenset[str]:
        held = self._held()
        return frozenset(chunk_id for chunk_id, entry in held.entries.items() if entry.document in documents)

    async def held_documents(self) -> AsyncIterator[HeldDocument]:
        self._held()
        last = ""
        while page := sorted(chunk_id for chunk_id in self.entries if chunk_id > last)[:_ROWS_PER_PAGE]:
            for chunk_id in page:
                entry = self.entries.get(chunk_id)
                if entry is not None:
                    yield HeldDocument(ref=entry.document, pgm_id=entry.pgm_id, chunks=1)
            last = page[-1]

    async def remove_documents(self, documents: Sequence[DocumentRef], *, everywhere: bool = True) -> None:
        own = self._held()
        for held in self.server.indexes.values() if everywhere else [own]:
            held.remove(chunk_id for chunk_id, entry in held.entries.items() if entry.document in documents)

    async def remove_former(self, documents: Sequence[DocumentRef]) -> None:
        self._held()
        generations = {ref.document_id: ref.generation for ref in documents}
        for held in self.server.indexes.values():
            held.remove(
                chunk_id
                for chunk_id, entry in held.entries.items()
                if entry.document.generation < generations.get(entry.document.document_id, 0)
            )

    async def remove_program(self, pgm_id: str) -> None:
        self._held()
        for held in self.server.indexes.values():
            held.remove(chunk_id for chunk_id, entry in held.entries.items() if entry.pgm_id == pgm_id)

    async def drop_others(self) -> int:
        others = [key for key in self.server.indexes if key != self._key]
        for key in others:
            del self.server.indexes[key]
        return len(others)

    def _held_for(self, vectors: Vectors) -> _Held:
        held = self._held()
        if vectors.dimension != self._key.model.dimension:
            raise MisconfiguredError(
                f"vectors of {vectors.dimension} dimensions for an index of {self._key.model.dimension}"
            )
        return held

    def _held(self) -> _Held:
        if self._key not in self.server.indexes:
            raise UnavailableError("milvus", "the index was not prepared")
        return self.server.indexes[self._key]


def _within(held: _Held, scope: SearchScope) -> list[IndexEntry]:
    return [
        entry
        for entry in held.entries.values()
        if scope.pgm_id in {None, entry.pgm_id}
        and scope.folder_id in {None, entry.folder_id}
        and scope.logic_id in {None, entry.logic_id}
        and scope.document_type in {None, entry.document_type}
    ]


class UnavailableVectorIndex(VectorIndex):
    """Another index that fails its first `failures` calls; `acting` ones do their work before they fail.

    That is a timeout: the outcome of a write is unknown to the caller.
    """

    def __init__(self, index: VectorIndex, *, failures: int, acting: bool = False) -> None:
        self._index = index
        self._acting = acting
        self.failures_left = failures

    @property
    def key(self) -> IndexKey:
        return self._index.key

    async def lanes(self) -> frozenset[Lane]:
        self._fail_as_scripted()
        return await self._index.lanes()

    async def prepare(self) -> None:
        if self._may_act():
            await self._index.prepare()
        self._fail_as_scripted()

    async def publish(self) -> None:
        if self._may_act():
            await self._index.publish()
        self._fail_as_scripted()

    async def count(self) -> int | None:
        self._fail_as_scripted()
        return await self._index.count()

    async def vectors(self, chunk_ids: Sequence[str]) -> Mapping[str, bytes]:
        self._fail_as_scripted()
        return await self._index.vectors(chunk_ids)

    async def upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        if self._may_act():
            await self._index.upsert(entries, vectors)
        self._fail_as_scripted()

    async def dense(self, vector: Vectors, scope: SearchScope, *, limit: int) -> list[Candidate]:
        self._fail_as_scripted()
        return await self._index.dense(vector, scope, limit=limit)

    async def lexical(self, tokens: Sequence[str], scope: SearchScope, *, limit: int) -> list[Candidate]:
        self._fail_as_scripted()
        return await self._index.lexical(tokens, scope, limit=limit)

    async def chunk_ids(self, documents: Sequence[DocumentRef]) -> frozenset[str]:
        self._fail_as_scripted()
        return await self._index.chunk_ids(documents)

    async def held_documents(self) -> AsyncIterator[HeldDocument]:
        self._fail_as_scripted()
        async for held in self._index.held_documents():
            yield held

    async def remove_documents(self, documents: Sequence[DocumentRef], *, everywhere: bool = True) -> None:
        if self._may_act():
            await self._index.remove_documents(documents, everywhere=everywhere)
        self._fail_as_scripted()

    async def remove_former(self, documents: Sequence[DocumentRef]) -> None:
        if self._may_act():
            await self._index.remove_former(documents)
        self._fail_as_scripted()

    async def remove_program(self, pgm_id: str) -> None:
        if self._may_act():
            await self._index.remove_program(pgm_id)
        self._fail_as_scripted()

    async def drop_others(self) -> int:
        self._fail_as_scripted()
        return await self._index.drop_others()

    def _may_act(self) -> bool:
        return self._acting or not self.failures_left

    def _fail_as_scripted(self) -> None:
        if self.failures_left > 0:
            self.failures_left -= 1
            raise UnavailableError("milvus", "as scripted")


def _cosine(left: "array[float]", right: "array[float]") -> float:
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return product / ((math.hypot(*left) * math.hypot(*right)) or 1.0)


def _bm25(tokens: Sequence[str], counts: Counter[str], everything: Iterable[Counter[str]]) -> float:
    everything = list(everything)
    average = sum(other.total() for other in everything) / len(everything) or 1.0
    score = 0.0
    for token in tokens:
        if frequency := counts[token]:
            holding = sum(1 for other in everything if token in other)
            rarity = math.log(1 + (len(everything) - holding + 0.5) / (holding + 0.5))
            score += rarity * frequency * (_K1 + 1) / (frequency + _K1 * (1 - _B + _B * counts.total() / average))
    return score


def _best(scored: Iterable[tuple[IndexEntry, float]], limit: int) -> list[Candidate]:
    candidates = [
        Candidate(chunk_id=entry.chunk_id, score=score, lexical_text=entry.lexical_text) for entry, score in scored
    ]
    return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.chunk_id))[:limit]
