"""What every vector index promises, whichever lanes it has (see contracts.lexical_lane).

The fixtures give one that is prepared and empty, and a neighbour: the index of another key on the same server
behind the same name, which nobody has prepared.
"""

import math
from array import array
from collections import Counter
from collections.abc import Sequence

import pytest

from domain.chunk import chunk_id
from domain.document import DocumentRef, DocumentType
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.vector_index import IndexEntry, VectorIndex
from domain.search import Candidate, SearchScope
from domain.vectors import Vectors

DIMENSION = 8
EVERYTHING = SearchScope()
HOSTILE = [
    'a" or 1 == 1 or pgm_id == "',
    "it's",
    "back\\slash",
    'ends with a backslash and a quote \\"',
    "\\",
    '"',
    "라인 3 (공급)",
    "two\nlines\r\nand\ta tab",
    "%_[]{}",
    "𝒳 👷",
    "\x01\x7f",
    "가" * 2_000,
]


def document(document_id: str = "D1", generation: int = 1) -> DocumentRef:
    return DocumentRef(document_id=document_id, generation=generation)


def entry(
    ordinal: int = 0,
    text: str = "모터",
    *,
    ref: DocumentRef | None = None,
    pgm_id: str = "PGM_1",
    folder_id: str = "F1",
    logic_id: str = "0000_11",
    document_type: DocumentType = DocumentType.LADDER_CSV,
) -> IndexEntry:
    ref = ref or document()
    return IndexEntry(
        chunk_id=chunk_id(ref, ordinal),
        pgm_id=pgm_id,
        document=ref,
        document_type=document_type,
        folder_id=folder_id,
        logic_id=logic_id,
        lexical_text=text,
    )


def vectors(*rows: Sequence[float]) -> Vectors:
    """Vectors of unit length; missing values are zero."""
    padded = [[*row, *([0.0] * (DIMENSION - len(row)))] for row in rows]
    values = (value / math.hypot(*row) for row in padded for value in row)
    return Vectors(dimension=DIMENSION, buffer=array("f", values).tobytes())


def alike(count: int) -> Vectors:
    return vectors(*([1.0] for _ in range(count)))


def ids(candidates: Sequence[Candidate]) -> list[str]:
    return [candidate.chunk_id for candidate in candidates]


async def held(index: VectorIndex) -> Counter[tuple[DocumentRef, str]]:
    """How many chunks are held of which document and program."""
    counted: Counter[tuple[DocumentRef, str]] = Counter()
    async for each in index.held_documents():
        counted[each.ref, each.pgm_id] += each.chunks
    return counted


async def write(index: VectorIndex, entries: Sequence[IndexEntry], written: Vectors) -> None:
    """Write and look: searches are promised to see what a strong read has seen."""
    await index.upsert(entries, written)
    await index.count()


async def add(index: VectorIndex, *entries: IndexEntry) -> None:
    await write(index, entries, alike(len(entries)))


class VectorIndexContract:
    async def test_preparing_again_keeps_what_is_there(self, vector_index: VectorIndex) -> None:
        await add(vector_index, entry())
        await vector_index.prepare()
        assert await vector_index.chunk_ids([document()]) == {"D1.g1.0"}

    async def test_the_nearest_vectors_come_first_scored_by_cosine(self, vector_index: VectorIndex) -> None:
        entries = [entry(0), entry(1), entry(2), entry(3)]
        await write(vector_index, entries, vectors([1], [0, 1], [1, 1], [-1]))
        found = await vector_index.dense(vectors([1, 0.1]), EVERYTHING, limit=3)
        assert ids(found) == ["D1.g1.0", "D1.g1.2", "D1.g1.1"]
        assert found[0].score == pytest.approx(1 / math.hypot(1, 0.1), abs=1e-3)
        assert found[0].lexical_text == "모터"

    async def test_a_search_of_an_empty_index_finds_nothing(self, vector_index: VectorIndex) -> None:
        assert await vector_index.dense(vectors([1]), EVERYTHING, limit=5) == []

    async def test_a_search_keeps_to_the_scope(self, vector_index: VectorIndex) -> None:
        await add(
            vector_index,
            entry(ref=document("A")),
            entry(ref=document("B"), logic_id="0001_11"),
            entry(ref=document("C"), folder_id="F2", document_type=DocumentType.TEMPLATE),
            entry(ref=document("D"), pgm_id="PGM_2"),
        )
        for scope, expected in (
            (SearchScope(pgm_id="PGM_1"), {"A.g1.0", "B.g1.0", "C.g1.0"}),
            (SearchScope(pgm_id="PGM_2"), {"D.g1.0"}),
            (SearchScope(folder_id="F2"), {"C.g1.0"}),
            (SearchScope(logic_id="0001_11"), {"B.g1.0"}),
            (SearchScope(document_type=DocumentType.TEMPLATE), {"C.g1.0"}),
            (SearchScope(pgm_id="PGM_1", logic_id="0000_11", document_type=DocumentType.LADDER_CSV), {"A.g1.0"}),
            (SearchScope(pgm_id="PGM"), set()),
        ):
            assert set(ids(await vector_index.dense(vectors([1]), scope, limit=9))) == expected, scope

    async def test_a_hostile_id_is_a_value_like_any_other(self, vector_index: VectorIndex) -> None:
        values = [*HOSTILE, "innocent"]
        await add(
            vector_index,
            *(entry(number, folder_id=value, logic_id=value, pgm_id=value) for number, value in enumerate(values)),
        )
        for number, value in enumerate(values):
            for scope in (SearchScope(pgm_id=value), SearchScope(folder_id=value), SearchScope(logic_id=value)):
                assert ids(await vector_index.dense(vectors([1]), scope, limit=99)) == [f"D1.g1.{number}"], scope
        for number, value in enumerate(HOSTILE):
            await vector_index.remove_program(value)
            left = {f"D1.g1.{other}" for other in range(number + 1, len(values))}
            assert await vector_index.chunk_ids([document()]) == left, value

    async def test_a_search_gives_no_more_than_asked_for(self, vector_index: VectorIndex) -> None:
        await add(vector_index, *(entry(ordinal) for ordinal in range(20)))
        assert len(await vector_index.dense(vectors([1]), EVERYTHING, limit=7)) == 7

    async def test_writing_again_replaces(self, vector_index: VectorIndex) -> None:
        await write(vector_index, [entry(0, "모터")], vectors([1]))
        await write(vector_index, [entry(0, "도어")], vectors([0, 1]))
        assert await vector_index.count() == 1
        (found,) = await vector_index.dense(vectors([0, 1]), EVERYTHING, limit=5)
        assert found.score == pytest.approx(1.0, abs=1e-3)
        assert found.lexical_text == "도어"

    async def test_many_entries_are_written_whole(self, vector_index: VectorIndex) -> None:
        await add(vector_index, *(entry(ordinal) for ordinal in range(1_203)))
        assert await vector_index.chunk_ids([document()]) == {f"D1.g1.{ordinal}" for ordinal in range(1_203)}

    async def test_nothing_to_write_or_remove_is_no_error(self, vector_index: VectorIndex) -> None:
        await vector_index.upsert([], vectors())
        await vector_index.remove_documents([])
        await vector_index.remove_documents([document("absent")])
        await vector_index.remove_former([])
        await vector_index.remove_former([document("absent", 7)])
        await vector_index.remove_program("absent")
        assert await vector_index.chunk_ids([]) == frozenset()

    async def test_ids_are_those_of_the_documents_and_generations_asked_for(self, vector_index: VectorIndex) -> None:
        await add(
            vector_index,
            entry(0, ref=document("D1", 1)),
            entry(0, ref=document("D1", 2)),
            entry(1, ref=document("D1", 2)),
            entry(0, ref=document("D2", 1)),
        )
        assert await vector_index.chunk_ids([document("D1", 2)]) == {"D1.g2.0", "D1.g2.1"}
        assert await vector_index.chunk_ids([document("D1", 1), document("D2", 1)]) == {"D1.g1.0", "D2.g1.0"}
        assert await vector_index.chunk_ids([document("D1", 3)]) == frozenset()

    async def test_everything_that_is_held_is_met_page_by_page(self, vector_index: VectorIndex) -> None:
        refs = [document(f"D{number % 40}", 1 + number % 2) for number in range(4_600)]
        entries = [entry(number, ref=ref, pgm_id=f"PGM_{len(ref.document_id)}") for number, ref in enumerate(refs)]
        for part in (entries[::3], entries[2::3], entries[1::3]):
            await add(vector_index, *part)
        assert await held(vector_index) == Counter((ref, f"PGM_{len(ref.document_id)}") for ref in refs)

    async def test_what_was_written_or_removed_before_a_walk_is_met_as_it_is_now(
        self, vector_index: VectorIndex
    ) -> None:
        assert await held(vector_index) == {}
        hostile = document('D"3\\')
        await add(vector_index, entry(0), entry(1), entry(ref=document("D2")), entry(ref=hostile))
        await add(vector_index, entry(1))
        await vector_index.remove_documents([document("D2")])
        assert await held(vector_index) == {(document(), "PGM_1"): 2, (hostile, "PGM_1"): 1}

    async def test_what_is_written_and_removed_during_a_walk_does_not_keep_it_from_the_rest(
        self, vector_index: VectorIndex
    ) -> None:
        refs = [document(f"D{number:04d}") for number in range(100, 1_100)]
        await add(vector_index, *(entry(ref=ref) for ref in refs))
        walk = vector_index.held_documents()
        met = {(await anext(walk)).ref}
        await add(vector_index, *(entry(ref=document(f"D{number:04d}")) for number in range(50)))
        await vector_index.remove_documents(refs[-10:])
        met.update([each.ref async for each in walk])
        assert met >= set(refs[:-10])

    async def test_documents_are_removed_at_exactly_their_generations(self, vector_index: VectorIndex) -> None:
        refs = [document("D1", 1), document("D1", 2), document("D2", 1), document('D"3', 1)]
        await add(vector_index, *(entry(0, ref=ref) for ref in refs))
        await vector_index.remove_documents([document("D1", 1), document("D2", 2), document('D"3', 1)])
        assert await vector_index.chunk_ids(refs) == {"D1.g2.0", "D2.g1.0"}
        assert set(ids(await vector_index.dense(vectors([1]), EVERYTHING, limit=9))) == {"D1.g2.0", "D2.g1.0"}

    async def test_former_generations_are_removed_and_no_other(self, vector_index: VectorIndex) -> None:
        refs = [document("D1", number) for number in (1, 2, 3, 4)] + [document("D2", 1), document('D"3', 1)]
        await add(vector_index, *(entry(0, ref=ref) for ref in refs))
        await vector_index.remove_former([document("D1", 3), document("D2", 1), document('D"3', 9)])
        assert await vector_index.chunk_ids(refs) == {"D1.g3.0", "D1.g4.0", "D2.g1.0"}

    async def test_many_documents_are_read_and_removed_at_once(self, vector_index: VectorIndex) -> None:
        refs = [document(f"D{number}") for number in range(150)]
        await add(vector_index, *(entry(0, ref=ref) for ref in refs))
        assert len(await vector_index.chunk_ids(refs)) == 150
        await vector_index.remove_documents(refs[:149])
        assert await vector_index.chunk_ids(refs) == {"D149.g1.0"}

    async def test_removing_a_program_leaves_the_others(self, vector_index: VectorIndex) -> None:
        await add(
            vector_index,
            entry(ref=document("A"), pgm_id="PGM_1"),
            entry(ref=document("B"), pgm_id="PGM_10"),
            entry(ref=document("C"), pgm_id="PGM_1"),
        )
        await vector_index.remove_program("PGM_1")
        await vector_index.remove_program("PGM_1")
        assert ids(await vector_index.dense(vectors([1]), EVERYTHING, limit=9)) == ["B.g1.0"]

    async def test_an_endless_text_is_kept_by_its_beginning(self, vector_index: VectorIndex) -> None:
        await add(vector_index, entry(0, " ".join(["m1234", *["컨베"] * 40_000])))
        (found,) = await vector_index.dense(vectors([1]), EVERYTHING, limit=5)
        assert found.lexical_text.startswith("m1234 컨베 ")

    async def test_one_vector_belongs_to_each_entry(self, vector_index: VectorIndex) -> None:
        with pytest.raises(ValueError, match="vectors"):
            await vector_index.upsert([entry(0), entry(1)], alike(1))
        with pytest.raises(ValueError, match="one vector"):
            await vector_index.dense(alike(2), EVERYTHING, limit=1)
        assert await vector_index.chunk_ids([document()]) == frozenset()

    async def test_vectors_of_another_dimension_are_a_misconfiguration(self, vector_index: VectorIndex) -> None:
        other = Vectors(dimension=4, buffer=array("f", [1, 0, 0, 0]).tobytes())
        with pytest.raises(MisconfiguredError):
            await vector_index.upsert([entry()], other)
        with pytest.raises(MisconfiguredError):
            await vector_index.dense(other, EVERYTHING, limit=1)

    async def test_chunks_are_counted(self, vector_index: VectorIndex, neighbour: VectorIndex) -> None:
        assert await vector_index.count() == 0
        assert await neighbour.count() is None
        await add(vector_index, *(entry(ordinal) for ordinal in range(300)), entry(ref=document("D2")))
        assert await vector_index.count() == 301
        await vector_index.remove_documents([document()])
        assert await vector_index.count() == 1

    async def test_an_index_that_was_never_prepared_is_unavailable_and_not_empty(self, neighbour: VectorIndex) -> None:
        for call in (
            neighbour.upsert([entry()], alike(1)),
            neighbour.dense(vectors([1]), EVERYTHING, limit=1),
            neighbour.chunk_ids([document()]),
            neighbour.remove_documents([document()]),
            neighbour.remove_former([document("D1", 2)]),
            neighbour.remove_program("PGM_1"),
        ):
            with pytest.raises(UnavailableError):
                await call
        with pytest.raises(UnavailableError):
            await held(neighbour)

    async def test_indexes_of_two_keys_stand_side_by_side(
        self, vector_index: VectorIndex, neighbour: VectorIndex
    ) -> None:
        assert vector_index.key != neighbour.key
        await add(vector_index, entry())
        await neighbour.prepare()
        assert await neighbour.count() == 0
        await add(neighbour, entry(1))
        for index, expected in ((vector_index, "D1.g1.0"), (neighbour, "D1.g1.1")):
            assert await index.chunk_ids([document()]) == {expected}
            assert await held(index) == {(document(), "PGM_1"): 1}
            assert ids(await index.dense(vectors([1]), EVERYTHING, limit=9)) == [expected]

    async def test_a_removal_reaches_every_index_behind_the_name(
        self, vector_index: VectorIndex, neighbour: VectorIndex
    ) -> None:
        await neighbour.prepare()
        for index in (vector_index, neighbour):
            await add(index, entry(), entry(ref=document("D2"), pgm_id="PGM_2"), entry(ref=document("D3")))
            await add(index, entry(ref=document("D4")))
        await vector_index.remove_documents([document()])
        await vector_index.remove_former([document("D4", 2)])
        await neighbour.remove_program("PGM_2")
        for index in (vector_index, neighbour):
            assert ids(await index.dense(vectors([1]), EVERYTHING, limit=9)) == ["D3.g1.0"]

    async def test_publishing_again_or_another_one_is_no_error(
        self, vector_index: VectorIndex, neighbour: VectorIndex
    ) -> None:
        await neighbour.prepare()
        for index in (vector_index, vector_index, neighbour, vector_index):
            await index.publish()

    async def test_the_others_are_dropped_even_the_published_one(
        self, vector_index: VectorIndex, neighbour: VectorIndex
    ) -> None:
        await neighbour.prepare()
        await neighbour.publish()
        await add(vector_index, entry())
        assert await vector_index.drop_others() == 1
        assert await vector_index.drop_others() == 0
        assert await neighbour.count() is None
        assert await vector_index.chunk_ids([document()]) == {"D1.g1.0"}

    async def test_vectors_come_back_as_they_were_written(self, vector_index: VectorIndex) -> None:
        entries = [entry(ordinal) for ordinal in range(300)]
        written = vectors(*([1.0, ordinal / 7, -ordinal] for ordinal in range(300)))
        await vector_index.upsert(entries, written)
        asked = [each.chunk_id for each in entries]
        found = await vector_index.vectors([*asked, "absent", 'x" or 1 == 1 or chunk_id == "'])
        assert found == {name: bytes(written.row(place)) for place, name in enumerate(asked)}
        assert await vector_index.vectors([]) == {}
