"""Write the vectors of documents into an index, and prove that they are there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from application.indexing import Workpiece
from application.stages import at
from application.together import both
from domain.chunk import Chunk, chunk_id
from domain.document import Document, Failure
from domain.errors import MisconfiguredError, UnavailableError, UnindexableError
from domain.failures import Reached, Stage
from domain.index_key import IndexKey
from domain.ports.document_repo import IndexedDocument
from domain.ports.embedder import Embedder
from domain.ports.vector_index import IndexEntry, VectorIndex
from domain.vectors import Vectors

CHUNKS_PER_CHECKPOINT = 512
CHUNKS_PER_EMBEDDING = 256
# Of a new revision nearly every vector is held: cut by their number alone, each batch would embed two texts or three.
HELD_CHUNKS_FOR_ONE = 8
_NOTHING: Mapping[bytes, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteVectors:
    """Every method raises UnavailableError when a dependency gives no answer, and may be repeated."""

    embedder: Embedder
    index: VectorIndex

    async def write(
        self,
        pieces: Sequence[Workpiece],
        embedded: Mapping[bytes, str] = _NOTHING,
        *,
        reached: Reached = lambda _: None,
    ) -> list[Workpiece]:
        """Embed the chunks of these documents and upsert them under their deterministic ids.

        `embedded` tells, by the digest of a text, under which chunk's id this index may hold its vector already.
        Returns the pieces, failed where the embedder refuses a text of theirs for good; nothing of those is left here.
        What had failed before passes through.
        """
        try:
            await self._write_all(pieces, embedded, reached)
        except UnindexableError as error:
            if len(pieces) == 1:
                return [await self._given_up(pieces[0], error)]
            middle = len(pieces) // 2  # until the document that is to blame stands alone
            first = await self.write(pieces[:middle], embedded, reached=reached)
            return first + await self.write(pieces[middle:], embedded, reached=reached)
        return list(pieces)

    async def _given_up(self, piece: Workpiece, error: UnindexableError) -> Workpiece:
        """Other texts of the document may stand in the index already."""
        await self.index.remove_documents([piece.document.ref], everywhere=False)
        return piece.failed(Failure(code=error.code, message=str(error)), at=Stage.EMBED)

    async def _write_all(self, pieces: Sequence[Workpiece], embedded: Mapping[bytes, str], reached: Reached) -> None:
        """Embed one batch while the one before is upserted: neither the model nor the index waits for the other."""
        chunks = [(piece.document, chunk) for piece in pieces for chunk in piece.chunks]
        entries: list[IndexEntry] = []
        vectors = Vectors(dimension=self.index.key.model.dimension, buffer=b"")
        for batch in _batches(chunks, embedded):
            reached(Stage.EMBED)
            embedding = self._vectors_of([chunk for _, chunk in batch], embedded)
            next_vectors, _ = await both(
                at(Stage.EMBED, reached, embedding), at(Stage.INDEX, reached, self._upsert(entries, vectors))
            )
            entries, vectors = [_entry(document, chunk) for document, chunk in batch], next_vectors
        reached(Stage.INDEX)
        await self._upsert(entries, vectors)

    async def _upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        if entries:
            await self.index.upsert(entries, vectors)

    async def prove(self, pieces: Sequence[Workpiece]) -> None:
        """Never `indexed` on the index's word alone: read back what it holds."""
        expected = _chunk_ids(pieces)
        held = await self.index.chunk_ids([piece.document.ref for piece in pieces])
        if held - expected:
            # Nothing else would ever take them away; the next attempt writes the rest anew. Not from other indexes:
            # one of them may be the one that is searched.
            await self.index.remove_documents([piece.document.ref for piece in pieces], everywhere=False)
        if held != expected:
            missing, surplus = len(expected - held), len(held - expected)
            raise UnavailableError("milvus", f"of {len(expected)} chunks, {missing} are missing, {surplus} too many")

    async def are_held(self, pieces: Sequence[Workpiece]) -> bool:
        """Whether the index holds just the chunks of these documents already."""
        return await self.index.chunk_ids([piece.document.ref for piece in pieces]) == _chunk_ids(pieces)

    async def _vectors_of(self, chunks: Sequence[Chunk], embedded: Mapping[bytes, str]) -> Vectors:
        """Each distinct text once, and none that has a vector: untitled rungs of one logic often render alike."""
        distinct = {chunk.dense_text: chunk for chunk in chunks}
        rows = await self._held_rows(distinct, embedded)
        rows |= await self._embedded_rows([text for text in distinct if text not in rows])
        dimension = self.index.key.model.dimension
        return Vectors(dimension=dimension, buffer=b"".join(rows[chunk.dense_text] for chunk in chunks))

    async def _held_rows(self, distinct: Mapping[str, Chunk], embedded: Mapping[bytes, str]) -> dict[str, bytes]:
        twins = {text: twin for text, chunk in distinct.items() if (twin := embedded.get(chunk.dense_digest))}
        held = await self.index.vectors(list(set(twins.values()))) if twins else {}
        return {text: held[twin] for text, twin in twins.items() if twin in held}

    async def _embedded_rows(self, texts: Sequence[str]) -> dict[str, bytes]:
        if not texts:
            return {}
        vectors = await self.embedder.embed(texts)
        width = self.index.key.model.dimension
        if (len(vectors), vectors.dimension) != (len(texts), width) or not vectors.are_finite():
            raise MisconfiguredError(
                f"for {len(texts)} texts the embedder answered {len(vectors)} vectors of {vectors.dimension} "
                f"dimensions, not as many of {width} with finite numbers"
            )
        return {text: bytes(vectors.row(place)) for place, text in enumerate(texts)}


def checkpoints(pieces: Sequence[Workpiece], embedded: Mapping[bytes, str] = _NOTHING) -> Iterator[list[Workpiece]]:
    """Whole documents, as many as hold CHUNKS_PER_CHECKPOINT chunks together, at least one.

    Eight chunks with texts that are embedded already count as one.
    """
    checkpoint: list[Workpiece] = []
    size = 0.0
    for piece in sorted(pieces, key=lambda piece: piece.document.ordinal):
        checkpoint.append(piece)
        size += sum(_size(chunk, embedded) for chunk in piece.chunks)
        if size >= CHUNKS_PER_CHECKPOINT:
            yield checkpoint
            checkpoint, size = [], 0.0
    if checkpoint:
        yield checkpoint


def indexed_documents(pieces: Sequence[Workpiece], key: IndexKey) -> list[IndexedDocument]:
    """What is recorded of documents once their vectors stand."""
    return [
        IndexedDocument(ref=piece.document.ref, chunks=piece.chunks, rendering_version=key.rendering_version)
        for piece in pieces
    ]


def _batches(
    chunks: Sequence[tuple[Document, Chunk]], embedded: Mapping[bytes, str]
) -> Iterator[list[tuple[Document, Chunk]]]:
    batch: list[tuple[Document, Chunk]] = []
    size = 0.0
    for document, chunk in chunks:
        batch.append((document, chunk))
        size += _size(chunk, embedded)
        if size >= CHUNKS_PER_EMBEDDING:
            yield batch
            batch, size = [], 0.0
    if batch:
        yield batch


def _size(chunk: Chunk, embedded: Mapping[bytes, str]) -> float:
    return 1 / HELD_CHUNKS_FOR_ONE if embedded and chunk.dense_digest in embedded else 1


def _chunk_ids(pieces: Sequence[Workpiece]) -> frozenset[str]:
    return frozenset(chunk_id(piece.document.ref, chunk.ordinal) for piece in pieces for chunk in piece.chunks)


def _entry(document: Document, chunk: Chunk) -> IndexEntry:
    return IndexEntry(
        chunk_id=chunk_id(document.ref, chunk.ordinal),
        pgm_id=document.pgm_id,
        document=document.ref,
        document_type=document.document_type,
        folder_id=chunk.place.folder_id,
        logic_id=chunk.place.logic_id,
        lexical_text=chunk.lexical_text,
    )
