"""Vectors are written once for each text, and a document is believed to stand only when just its chunks are held."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from application.indexing import Workpiece
from application.write_vectors import (
    CHUNKS_PER_CHECKPOINT,
    CHUNKS_PER_EMBEDDING,
    WriteVectors,
    checkpoints,
    indexed_documents,
)
from contracts.records import a_chunk, a_document
from domain.chunk import chunk_id
from domain.document import DocumentRef, Failure
from domain.errors import MisconfiguredError, UnavailableError, UnindexableError
from domain.failures import Stage
from domain.ports.embedder import TEXT_REFUSED
from domain.ports.vector_index import IndexEntry
from domain.vectors import Vectors
from fakes.embedder import HashingEmbedder
from fakes.vector_index import InMemoryVectorIndex, UnavailableVectorIndex


class CountingEmbedder(HashingEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        return await super().embed(texts)


def a_piece(ordinal: int = 0, chunks: int = 2) -> Workpiece:
    return Workpiece(
        document=a_document(ordinal),
        chunks=tuple(
            replace(a_chunk(number), dense_text=f"렁 {ordinal} {number}", lexical_text=f"x{number}")
            for number in range(chunks)
        ),
    )


@pytest.fixture
async def index() -> InMemoryVectorIndex:
    index = InMemoryVectorIndex()
    await index.prepare()
    return index


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def write_vectors(index: InMemoryVectorIndex, embedder: CountingEmbedder) -> WriteVectors:
    return WriteVectors(embedder=embedder, index=index)


async def put(index: InMemoryVectorIndex, like: IndexEntry, chunk_id: str) -> None:
    """A row that this code did not write."""
    await index.upsert([replace(like, chunk_id=chunk_id)], await HashingEmbedder().embed(["foreign"]))


async def test_what_was_written_is_held_and_proven(write_vectors: WriteVectors) -> None:
    pieces = [a_piece(0), a_piece(1, chunks=0)]
    await write_vectors.write(pieces)
    await write_vectors.prove(pieces)
    assert await write_vectors.are_held(pieces)


async def test_nothing_is_held_before_it_is_written(write_vectors: WriteVectors) -> None:
    assert not await write_vectors.are_held([a_piece()])
    with pytest.raises(UnavailableError, match="of 2 chunks, 2 are missing, 0 too many"):
        await write_vectors.prove([a_piece()])


async def test_one_chunk_that_is_missing_is_not_believed_and_what_is_there_stays(
    write_vectors: WriteVectors, index: InMemoryVectorIndex
) -> None:
    pieces = [a_piece(0), a_piece(1)]
    await write_vectors.write(pieces)
    index.entries.pop("PGM_1.r1.1.g1.1")
    assert not await write_vectors.are_held(pieces)
    with pytest.raises(UnavailableError, match="of 4 chunks, 1 are missing, 0 too many"):
        await write_vectors.prove(pieces)
    assert set(index.entries) == {"PGM_1.r1.0.g1.0", "PGM_1.r1.0.g1.1", "PGM_1.r1.1.g1.0"}


async def test_one_chunk_too_many_is_not_believed_and_the_next_attempt_heals_it(
    write_vectors: WriteVectors, index: InMemoryVectorIndex
) -> None:
    pieces = [a_piece()]
    await write_vectors.write(pieces)
    await put(index, next(iter(index.entries.values())), "PGM_1.r1.0.g1.7")
    assert not await write_vectors.are_held(pieces)
    with pytest.raises(UnavailableError, match="of 2 chunks, 0 are missing, 1 too many"):
        await write_vectors.prove(pieces)
    await write_vectors.write(pieces)
    await write_vectors.prove(pieces)
    assert set(index.entries) == {"PGM_1.r1.0.g1.0", "PGM_1.r1.0.g1.1"}


async def test_a_chunk_exchanged_for_another_is_both_missing_and_too_many(
    write_vectors: WriteVectors, index: InMemoryVectorIndex
) -> None:
    pieces = [a_piece()]
    await write_vectors.write(pieces)
    await put(index, index.entries.pop("PGM_1.r1.0.g1.1"), "PGM_1.r1.0.g1.7")
    assert not await write_vectors.are_held(pieces)
    with pytest.raises(UnavailableError, match="of 2 chunks, 1 are missing, 1 too many"):
        await write_vectors.prove(pieces)


async def test_chunks_of_another_generation_or_document_are_none_of_its_own(
    write_vectors: WriteVectors, index: InMemoryVectorIndex
) -> None:
    pieces = [a_piece()]
    await write_vectors.write([*pieces, a_piece(1)])
    older = DocumentRef(document_id="PGM_1.r1.0", generation=9)
    await put(index, replace(index.entries["PGM_1.r1.0.g1.0"], document=older), "PGM_1.r1.0.g9.0")
    await write_vectors.prove(pieces)
    assert await write_vectors.are_held(pieces)


async def test_no_documents_are_held_and_proven_by_nothing(write_vectors: WriteVectors) -> None:
    await write_vectors.write([])
    await write_vectors.prove([])
    assert await write_vectors.are_held([])


async def test_an_index_that_gives_no_answer_proves_nothing(
    write_vectors: WriteVectors, index: InMemoryVectorIndex
) -> None:
    await write_vectors.write([a_piece()])
    silent = replace(write_vectors, index=UnavailableVectorIndex(index, failures=2))
    with pytest.raises(UnavailableError, match="as scripted"):
        await silent.are_held([a_piece()])
    with pytest.raises(UnavailableError, match="as scripted"):
        await silent.prove([a_piece()])


async def test_texts_that_are_alike_are_embedded_once_and_each_chunk_gets_its_vector(
    write_vectors: WriteVectors, index: InMemoryVectorIndex, embedder: CountingEmbedder
) -> None:
    chunks = tuple(replace(a_chunk(number), dense_text=text) for number, text in enumerate(["가", "나", "가", "다"]))
    await write_vectors.write([Workpiece(document=a_document(), chunks=chunks)])
    assert embedder.calls == [["가", "나", "다"]]
    held = index.server.indexes[index.key].vectors
    assert held["PGM_1.r1.0.g1.0"] == held["PGM_1.r1.0.g1.2"]
    assert bytes(held["PGM_1.r1.0.g1.3"]) == bytes((await HashingEmbedder().embed(["다"])).buffer)


async def test_many_chunks_are_embedded_in_batches(write_vectors: WriteVectors, embedder: CountingEmbedder) -> None:
    await write_vectors.write([a_piece(0, chunks=200), a_piece(1, chunks=200)])
    assert [len(call) for call in embedder.calls] == [CHUNKS_PER_EMBEDDING, 400 - CHUNKS_PER_EMBEDDING]


async def test_a_batch_is_embedded_while_the_one_before_is_written(index: InMemoryVectorIndex) -> None:
    embedder = CountingEmbedder()
    embedded_meanwhile: list[int] = []

    class SlowIndex(InMemoryVectorIndex):
        async def upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
            await asyncio.sleep(0)  # the other one's turn
            embedded_meanwhile.append(len(embedder.calls))
            await super().upsert(entries, vectors)

    slow = SlowIndex()
    await slow.prepare()
    await WriteVectors(embedder=embedder, index=slow).write([a_piece(0, chunks=3 * CHUNKS_PER_EMBEDDING)])
    assert embedded_meanwhile == [2, 3, 3]
    assert await slow.count() == 3 * CHUNKS_PER_EMBEDDING


@pytest.mark.parametrize("lie", [b"", bytes(4 * 64), b"\x00\x00\xc0\x7f" * 64 * 2])
async def test_too_few_vectors_or_numbers_that_are_none_reach_no_index(index: InMemoryVectorIndex, lie: bytes) -> None:
    class Lying(HashingEmbedder):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            return Vectors(dimension=64, buffer=lie)

    with pytest.raises(MisconfiguredError, match="embedder"):
        await WriteVectors(embedder=Lying(), index=index).write([a_piece()])
    assert index.entries == {}


async def test_vectors_of_another_dimension_reach_no_index_even_where_their_bytes_would_fit(
    index: InMemoryVectorIndex,
) -> None:
    with pytest.raises(MisconfiguredError, match="for 2 texts the embedder answered 2 vectors of 128 dimensions"):
        await WriteVectors(embedder=HashingEmbedder(dimension=128), index=index).write([a_piece()])
    assert index.entries == {}


class RefusingEmbedder(CountingEmbedder):
    """Takes any text but those that begin with one of `refused`."""

    refused: tuple[str, ...] = ()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        if any(text.startswith(self.refused) for text in texts):
            raise UnindexableError(TEXT_REFUSED, "one of the texts is refused")
        return await super().embed(texts)


async def test_of_many_documents_those_with_a_refused_text_fail_and_the_others_are_written(
    index: InMemoryVectorIndex,
) -> None:
    embedder = RefusingEmbedder()
    embedder.refused = ("렁 2 ", "렁 5 ")
    pieces = [a_piece(ordinal) for ordinal in range(8)]
    written = await WriteVectors(embedder=embedder, index=index).write(pieces)
    assert [piece.document.ordinal for piece in written] == list(range(8))
    failed = {piece.document.ordinal: piece for piece in written if piece.failure is not None}
    assert set(failed) == {2, 5}
    assert failed[2].failure == Failure(code="text_refused", message="one of the texts is refused")
    assert (failed[2].failed_at, failed[2].chunks) == (Stage.EMBED, ())
    assert {entry.document.document_id for entry in index.entries.values()} == {
        piece.document.document_id for piece in written if piece.failure is None
    }


async def test_nothing_is_left_of_a_document_whose_last_text_is_refused(index: InMemoryVectorIndex) -> None:
    embedder = RefusingEmbedder()
    embedder.refused = (f"렁 0 {CHUNKS_PER_EMBEDDING}",)
    (piece,) = await WriteVectors(embedder=embedder, index=index).write([a_piece(0, chunks=CHUNKS_PER_EMBEDDING + 1)])
    assert piece.failure is not None
    assert len(embedder.calls) == 1
    assert index.entries == {}


def test_checkpoints_are_whole_documents_in_their_order() -> None:
    sizes = {0: 300, 1: 300, 2: 1, 3: 2_000, 4: 0, 5: 1}
    pieces = [a_piece(ordinal, chunks) for ordinal, chunks in sizes.items()]
    found = [[piece.document.ordinal for piece in checkpoint] for checkpoint in checkpoints(pieces[::-1])]
    assert found == [[0, 1], [2, 3], [4, 5]]
    assert all(sum(sizes[ordinal] for ordinal in group) >= CHUNKS_PER_CHECKPOINT for group in found[:-1])


def test_nothing_makes_no_checkpoint_and_a_document_without_chunks_one() -> None:
    assert list(checkpoints([])) == []
    assert [len(checkpoint) for checkpoint in checkpoints([a_piece(chunks=0)])] == [1]


def test_what_is_recorded_bears_the_rendering_of_the_index(index: InMemoryVectorIndex) -> None:
    (recorded,) = indexed_documents([a_piece()], replace(index.key, rendering_version=9))
    assert (recorded.ref, recorded.rendering_version, len(recorded.chunks)) == (a_document().ref, 9, 2)


async def test_the_few_new_texts_of_a_revision_share_a_call(
    write_vectors: WriteVectors, embedder: CountingEmbedder
) -> None:
    former = a_piece(0, chunks=4 * CHUNKS_PER_CHECKPOINT)
    await write_vectors.write([former])
    held = {chunk.dense_digest: chunk_id(former.document.ref, chunk.ordinal) for chunk in former.chunks}
    changed = tuple(
        replace(chunk, dense_text=f"바뀐 렁 {chunk.ordinal}") if chunk.ordinal % 100 == 0 else chunk
        for chunk in former.chunks
    )
    pieces = [
        replace(former, document=a_document(ordinal, revision=2), chunks=changed[ordinal - 1 :: 8])
        for ordinal in range(1, 9)
    ]
    embedder.calls.clear()
    for checkpoint in checkpoints(pieces, held):
        await write_vectors.write(checkpoint, held)
    assert [len(call) for call in embedder.calls] == [21]
    await write_vectors.prove(pieces)
