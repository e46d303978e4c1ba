"""The vector index in Milvus 2.3 or later (without its lexical lane before 2.5), Zilliz, or a Milvus Lite server."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from adapters.breaker import Breaker
from adapters.milvus import filters
from adapters.milvus.collection import ChunkCollection
from adapters.milvus.connection import MilvusConnection
from adapters.milvus.errors import COLLECTION_NOT_FOUND, INDEX_NOT_FOUND, NoAnswerError, translated_errors
from adapters.milvus.names import CollectionNames
from adapters.milvus.open_collection import OpenCollection
from adapters.milvus.rows import candidates, floats, held_documents, rows
from adapters.milvus.texts import clipped_tokens
from domain.document import DocumentRef
from domain.errors import MisconfiguredError
from domain.index_key import IndexKey
from domain.ports.vector_index import HeldDocument, IndexEntry, VectorIndex
from domain.search import Candidate, Lane, SearchScope
from domain.vectors import Vectors

ROWS_PER_CALL = 250  # pymilvus packs rows on the event loop: 25 ms for so many of 512 dimensions
DOCUMENTS_PER_CALL = 64
ROWS_PER_PAGE = 4_000
PING_TIMEOUT_S = 2.0

# Gone, or left by somebody who died before it could be loaded: nothing was ever written to it or found in it.
_NO_INDEX = {COLLECTION_NOT_FOUND, INDEX_NOT_FOUND}

T = TypeVar("T")
Work = Callable[[OpenCollection], Awaitable[T]]


class MilvusVectorIndex(VectorIndex):
    """Rows of one collection, which belongs to the key it was made for (see CollectionNames).

    Calls name the collection, not its alias: during a change of model each process goes on with the
    vectors it can compare, and the alias, moved by `publish`, tells others which one is current.
    `timeout_s` bounds one call to the server, `search_timeout_s` a search together with the connection it may
    need; after three searches without an answer the next ones fail at once for a while (see Breaker). Nothing
    is connected before the first call; `aclose` ends the connection.
    """

    def __init__(
        self,
        uri: str,
        *,
        token: str = "",
        database: str = "",
        ca_file: str = "",
        alias: str,
        key: IndexKey,
        timeout_s: float = 10.0,
        search_timeout_s: float = 2.0,
    ) -> None:
        self._key = key
        self._names = CollectionNames(alias=alias, key=key)
        self._collection = ChunkCollection(names=self._names)
        self._connection = MilvusConnection(uri, token=token, database=database, ca_file=ca_file)
        self._breaker = Breaker("milvus", clock=time.monotonic, silence=NoAnswerError)
        self._timeout_s = timeout_s
        self._search_timeout_s = search_timeout_s
        self._is_unsealed = False

    @property
    def key(self) -> IndexKey:
        """See the port."""
        return self._key

    async def lanes(self) -> frozenset[Lane]:
        """What the server said of itself when it was connected: as a rule this asks nobody."""
        if (known := self._connection.known) is not None:
            return known.kind.lanes
        with self._breaker.call(proves=False):
            async with self._connection.session(timeout_s=self._search_timeout_s) as session:
                return session.kind.lanes

    async def prepare(self) -> None:
        """Create, check, load.

        By the blocking client: the asynchronous one cannot make indexes on Milvus Lite (pymilvus issue 3711).
        """
        await self._administer(self._collection.prepare)

    async def publish(self) -> None:
        """Point the alias at this collection."""
        await self._administer(self._collection.publish)

    async def drop_others(self) -> int:
        """Drop the other collections behind this alias, and the aliases that point at them."""
        return await self._administer(self._collection.drop_others)

    async def count(self) -> int | None:
        """Count by a strongly consistent read. A collection that was never finished is none."""

        async def counted(collection: OpenCollection) -> int | None:
            return await _unless_none(collection.answering(OpenCollection.count))

        return await self._call(counted)

    async def ping(self) -> str:
        """What does not work on this server, else ''; within 2 s.

        Raises UnavailableError unless the collection is loaded and answers.
        """

        async def look(collection: OpenCollection) -> str:
            await collection.look()
            return collection.session.kind.notice

        return await self._call(look, timeout_s=min(PING_TIMEOUT_S, self._timeout_s))

    async def aclose(self) -> None:
        """Close the connection when the calls under way are done."""
        await self._connection.aclose()

    async def upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        """Calls of at most 250 rows. Raises ValueError unless there is one vector per entry."""
        if len(vectors) != len(entries):
            raise ValueError(f"{len(entries)} entries with {len(vectors)} vectors")
        self._check_dimension(vectors)
        for start in range(0, len(entries), ROWS_PER_CALL):
            batch = rows(entries[start : start + ROWS_PER_CALL], vectors, start=start)
            await self._call(partial(OpenCollection.upsert, rows=batch))
        self._is_unsealed |= bool(entries)

    async def dense(self, vector: Vectors, scope: SearchScope, *, limit: int) -> list[Candidate]:
        """The score is the cosine. By HNSW, so approximate; exact on Milvus Lite."""
        self._check_dimension(vector)
        if len(vector) != 1:
            raise ValueError(f"a search takes one vector, not {len(vector)}")

        async def search(collection: OpenCollection) -> list[Candidate]:
            hits = await collection.search("dense", floats(vector, 0), scope, limit)
            return candidates(hits, scope, sign=1, limit=limit)

        return await self._call_unless_silent(search)

    async def lexical(self, tokens: Sequence[str], scope: SearchScope, *, limit: int) -> list[Candidate]:
        """BM25 over the tokens as they were indexed. The score is positive.

        Raises MisconfiguredError where `lanes` does not name this one.
        """
        query = clipped_tokens(" ".join(tokens))

        async def search(collection: OpenCollection) -> list[Candidate]:
            kind = collection.session.kind
            if Lane.LEXICAL not in kind.lanes:
                raise MisconfiguredError(kind.notice)
            hits = await collection.search("lexical", query, scope, limit)
            # Milvus Lite calls the negated score a distance.
            return candidates(hits, scope, sign=-1 if kind.is_lite else 1, limit=limit)

        return await self._call_unless_silent(search) if query.strip() else []

    async def chunk_ids(self, documents: Sequence[DocumentRef]) -> frozenset[str]:
        """A strongly consistent read, without a limit.

        Not paged: an iterator's pages are read at the collection's default consistency whatever one asks
        for (pymilvus 3.0, construct_guarantee_ts), and the server's limit of 16,384 binds only those who
        name a limit. This read also carries every later search past these writes on each shard, which is
        why searches may do with bounded staleness once a document is marked as indexed.
        """
        if self._is_unsealed:  # not after each write: every flush of Milvus Lite makes a segment that it merges later
            self._is_unsealed = False
            await self._call(OpenCollection.seal)
        found: set[str] = set()
        for expression in _in_slices(documents, filters.of_documents):
            found.update(await self._call(partial(OpenCollection.ids, expression=expression)))
        return frozenset(found)

    async def vectors(self, chunk_ids: Sequence[str]) -> Mapping[str, bytes]:
        """Calls of at most 250 rows, like the writes."""
        found: dict[str, bytes] = {}
        for start in range(0, len(chunk_ids), ROWS_PER_CALL):
            asked = chunk_ids[start : start + ROWS_PER_CALL]
            found |= await self._call(partial(OpenCollection.vectors, chunk_ids=asked))
        return found

    async def held_documents(self) -> AsyncIterator[HeldDocument]:
        """Pages of 4,000 rows in the order of the chunk ids. The count carries them past every write before it."""
        await self.count()
        last = ""
        while page := await self._call(partial(OpenCollection.page_after, chunk_id=last, limit=ROWS_PER_PAGE)):
            for held in held_documents(page):
                yield held
            last = str(page[-1]["chunk_id"])

    async def remove_documents(self, documents: Sequence[DocumentRef], *, everywhere: bool = True) -> None:
        """Delete by filter, 64 documents a call."""
        for expression in _in_slices(documents, filters.of_documents):
            await self._remove(expression, everywhere=everywhere)

    async def remove_former(self, documents: Sequence[DocumentRef]) -> None:
        """Delete by filter, 64 documents a call."""
        for expression in _in_slices(documents, filters.before_documents):
            await self._remove(expression)

    async def remove_program(self, pgm_id: str) -> None:
        """Delete by filter."""
        await self._remove(filters.of_program(pgm_id))

    async def _remove(self, expression: str, *, everywhere: bool = True) -> None:
        """In our own collection, which must be there, and in all others behind our alias."""

        async def remove(own: OpenCollection) -> list[str]:
            await own.delete(expression)
            if not everywhere:
                return []
            names = await own.session.client.list_collections(timeout=own.timeout_s)
            return [name for name in self._names.among(names) if name != own.name]

        async def remove_if_there(other: OpenCollection) -> None:
            await _unless_none(other.answering(lambda collection: collection.delete(expression)))

        for name in await self._call(remove):
            await self._call(remove_if_there, name=name)

    async def _call_unless_silent(self, work: Work[T]) -> T:
        """A call of a search: it fails at once where the server was silent a moment ago."""
        with self._breaker.call():
            return await self._call(work, timeout_s=self._search_timeout_s)

    async def _call(self, work: Work[T], *, timeout_s: float | None = None, name: str | None = None) -> T:
        """Do some work on our own collection, or on the one that is named."""
        timeout_s = timeout_s or self._timeout_s
        async with self._connection.session(timeout_s=timeout_s) as session:
            name = name or self._names.of(session.kind)
            return await OpenCollection(session=session, name=name, timeout_s=timeout_s).answering(work)

    async def _administer(self, work: Callable[..., T]) -> T:
        def run() -> T:
            client = MilvusClient(**self._connection.arguments, timeout=self._timeout_s)
            try:
                return work(client, timeout_s=self._timeout_s)
            finally:
                client.close()

        with translated_errors():
            return await asyncio.to_thread(run)

    def _check_dimension(self, vectors: Vectors) -> None:
        if vectors.dimension != self._key.model.dimension:
            raise MisconfiguredError(
                f"vectors of {vectors.dimension} dimensions for an index of {self._key.model.dimension}"
            )


async def _unless_none(answer: Awaitable[T]) -> T | None:
    try:
        return await answer
    except MilvusException as error:
        if error.code not in _NO_INDEX:
            raise
        return None


def _in_slices(documents: Sequence[DocumentRef], expression: Callable[[Sequence[DocumentRef]], str]) -> Iterator[str]:
    for start in range(0, len(documents), DOCUMENTS_PER_CALL):
        yield expression(documents[start : start + DOCUMENTS_PER_CALL])
