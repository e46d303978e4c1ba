"""A vector index in memory, exact where Milvus is approximate, and one that fails as scripted."""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

from domain.document import DocumentRef
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.vector_index import IndexEntry, VectorIndex
from domain.search import Candidate, SearchScope
from domain.vectors import Vectors

_K1, _B = 1.2, 0.75


class InMemoryVectorIndex(VectorIndex):
    """Cosine and BM25 over all entries, by brute force."""

    def __init__(self, *, dimension: int = 64) -> None:
        self._dimension = dimension
        self._prepared = False
        self.entries: dict[str, IndexEntry] = {}
        self._vectors: dict[str, array[float]] = {}

    async def prepare(self) -> None:
        self._prepared = True

    async def upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        self._check(vectors)
        if len(vectors) != len(entries):
            raise ValueError(f"{len(entries)} entries with {len(vectors)} vectors")
        for place, entry in enumerate(entries):
            self.entries[entry.chunk_id] = entry
            self._vectors[entry.chunk_id] = array("f", bytes(vectors.row(place)))

    async def dense(self, vector: Vectors, scope: SearchScope, *, limit: int) -> list[Candidate]:
        self._check(vector)
        if len(vector) != 1:
            raise ValueError(f"a search takes one vector, not {len(vector)}")
        wanted = array("f", vector.buffer)
        scored = ((entry, _cosine(wanted, self._vectors[entry.chunk_id])) for entry in self._within(scope))
        return _best(scored, limit)

    async def lexical(self, tokens: Sequence[str], scope: SearchScope, *, limit: int) -> list[Candidate]:
        self._check_prepared()
        counts = {chunk_id: Counter(entry.lexical_text.split()) for chunk_id, entry in self.entries.items()}
        scored = ((entry, _bm25(tokens, counts[entry.chunk_id], counts.values())) for entry in self._within(scope))
        return _best(((entry, score) for entry, score in scored if score > 0), limit)

    async def chunk_ids(self, documents: Sequence[DocumentRef]) -> frozenset[str]:
        self._check_prepared()
        return frozenset(chunk_id for chunk_id, entry in self.entries.items() if entry.document in documents)

    async def remove_documents(self, documents: Sequence[DocumentRef]) -> None:
        self._check_prepared()
        self._remove(chunk_id for chunk_id, entry in self.entries.items() if entry.document in documents)

    async def remove_program(self, pgm_id: str) -> None:
        self._check_prepared()
        self._remove(chunk_id for chunk_id, entry in self.entries.items() if entry.pgm_id == pgm_id)

    def _remove(self, chunk_ids: Iterable[str]) -> None:
        for chunk_id in list(chunk_ids):
            del self.entries[chunk_id], self._vectors[chunk_id]

    def _within(self, scope: SearchScope) -> list[IndexEntry]:
        return [
            entry
            for entry in self.entries.values()
            if scope.pgm_id in {None, entry.pgm_id}
            and scope.folder_id in {None, entry.folder_id}
            and scope.logic_id in {None, entry.logic_id}
            and scope.document_type in {None, entry.document_type}
        ]

    def _check(self, vectors: Vectors) -> None:
        self._check_prepared()
        if vectors.dimension != self._dimension:
            raise MisconfiguredError(f"vectors of {vectors.dimension} dimensions for an index of {self._dimension}")

    def _check_prepared(self) -> None:
        if not self._prepared:
            raise UnavailableError("milvus", "the index was not prepared")


class UnavailableVectorIndex(VectorIndex):
    """Another index that fails its first `failures` calls; `acting` ones do their work before they fail.

    That is a timeout: the outcome of a write is unknown to the caller.
    """

    def __init__(self, index: VectorIndex, *, failures: int, acting: bool = False) -> None:
        self._index = index
        self._acting = acting
        self.failures_left = failures

    async def prepare(self) -> None:
        if self._may_act():
            await self._index.prepare()
        self._fail_as_scripted()

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

    async def remove_documents(self, documents: Sequence[DocumentRef]) -> None:
        if self._may_act():
            await self._index.remove_documents(documents)
        self._fail_as_scripted()

    async def remove_program(self, pgm_id: str) -> None:
        if self._may_act():
            await self._index.remove_program(pgm_id)
        self._fail_as_scripted()

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
