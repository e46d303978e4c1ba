"""What every Catalogue promises; written through the unit of work of the same record."""

from collections.abc import Awaitable, Callable

import pytest

from contracts.records import a_chunk, a_document, a_registration, delete, indexed, mark_indexed, register
from domain.document import Document, DocumentState, DocumentType, Failure
from domain.errors import InvalidRequestError, NotFoundError
from domain.ports.catalogue import Catalogue
from domain.ports.unit_of_work import UnitOfWork
from domain.program import ProgramStatus
from domain.search import FoundChunk

UNUSABLE_CURSORS = [
    "",
    "x",
    "nonsense",
    "한글",
    "====",
    "cHJvZ3JhbXM6",  # programs:
    "cHJvZ3JhbXM6LTE",  # programs:-1
    "cHJvZ3JhbXM6OTIyMzM3MjAzNjg1NDc3NTgwOA",  # programs:9223372036854775808, one more than a bigint holds
    "A" * 10_000,
    "\0",
    "\ud800",
]


ReopenDocument = Callable[[str, int, DocumentState], Awaitable[None]]
"""A back door: brings a document to this generation and this state, chunks untouched."""


class CatalogueContract:
    """Needs the fixtures `catalogue`, `unit_of_work` and `reopen_document`, all over one record."""

    async def test_a_program_is_shown_as_registered(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        await register(unit_of_work)
        view = await catalogue.program("PGM_1")
        assert view.program == a_registration().program
        assert view.progress.total == 0

    async def test_progress_counts_the_documents_of_each_state(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        states = [DocumentState.PENDING, DocumentState.INDEXING, DocumentState.INDEXED, DocumentState.SKIPPED]
        documents = [a_document(ordinal, state=state) for ordinal, state in enumerate(states)]
        await register(unit_of_work, *documents, a_document(4), a_failed_document(5))
        await register(unit_of_work, a_failed_document(0, pgm_id="PGM_2"), pgm_id="PGM_2")
        await register(unit_of_work, pgm_id="PGM_3")
        first = (await catalogue.program("PGM_1")).progress
        assert first.counts == {
            DocumentState.PENDING: 2,
            DocumentState.INDEXING: 1,
            DocumentState.INDEXED: 1,
            DocumentState.SKIPPED: 1,
            DocumentState.FAILED: 1,
        }
        listed = {view.program.pgm_id: view.progress for view in (await catalogue.programs(limit=10)).items}
        assert listed["PGM_1"] == first
        assert listed["PGM_2"].status is ProgramStatus.FAILED
        assert listed["PGM_3"].total == 0

    async def test_programs_come_newest_first_by_number(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        for number in (9, 10, 2):
            await register(unit_of_work, pgm_id=f"PGM_{number}")
        assert await listed(catalogue) == ["PGM_10", "PGM_9", "PGM_2"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
    async def test_pages_of_any_size_show_every_program_once(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue, limit: int
    ) -> None:
        for number in range(1, 6):
            await register(unit_of_work, pgm_id=f"PGM_{number}")
        assert await listed(catalogue, limit=limit) == ["PGM_5", "PGM_4", "PGM_3", "PGM_2", "PGM_1"]

    async def test_paging_has_no_gap_and_no_duplicate_while_programs_come_and_go(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        for number in range(1, 7):
            await register(unit_of_work, pgm_id=f"PGM_{number}")
        first = await catalogue.programs(limit=2)
        await register(unit_of_work, pgm_id="PGM_7")
        await delete(unit_of_work, "PGM_6")
        await delete(unit_of_work, "PGM_5")
        second = await catalogue.programs(limit=2, cursor=first.next_cursor)
        await register(unit_of_work, pgm_id="PGM_8")
        third = await catalogue.programs(limit=2, cursor=second.next_cursor)
        shown = [view.program.pgm_id for page in (first, second, third) for view in page.items]
        assert shown == ["PGM_6", "PGM_5", "PGM_4", "PGM_3", "PGM_2", "PGM_1"]
        assert third.next_cursor is None

    async def test_documents_are_paged_in_ordinal_order(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        documents = [a_document(ordinal) for ordinal in range(25)]
        await register(unit_of_work, *reversed(documents))
        await register(unit_of_work, a_document(pgm_id="PGM_2"), pgm_id="PGM_2")
        page = await catalogue.documents("PGM_1", limit=10)
        shown = list(page.items)
        while page.next_cursor is not None:
            page = await catalogue.documents("PGM_1", limit=10, cursor=page.next_cursor)
            shown.extend(page.items)
        assert shown == documents

    async def test_a_program_without_documents_has_an_empty_page(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work)
        page = await catalogue.documents("PGM_1", limit=10)
        assert (page.items, page.next_cursor) == ((), None)
        assert list(await catalogue.failures("PGM_1", limit=10)) == []

    @pytest.mark.parametrize("cursor", UNUSABLE_CURSORS)
    async def test_a_cursor_that_was_not_given_out_is_refused(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue, cursor: str
    ) -> None:
        await register(unit_of_work)
        with pytest.raises(InvalidRequestError) as caught:
            await catalogue.programs(limit=10, cursor=cursor)
        assert caught.value.field == "cursor"
        with pytest.raises(InvalidRequestError):
            await catalogue.documents("PGM_1", limit=10, cursor=cursor)

    async def test_a_cursor_serves_its_own_listing_alone(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        for pgm_id in ("PGM_1", "PGM_2"):
            documents = [a_document(ordinal, pgm_id=pgm_id) for ordinal in range(2)]
            await register(unit_of_work, *documents, pgm_id=pgm_id)
        of_programs = (await catalogue.programs(limit=1)).next_cursor
        of_documents = (await catalogue.documents("PGM_1", limit=1)).next_cursor
        with pytest.raises(InvalidRequestError):
            await catalogue.documents("PGM_1", limit=1, cursor=of_programs)
        with pytest.raises(InvalidRequestError):
            await catalogue.documents("PGM_2", limit=1, cursor=of_documents)
        with pytest.raises(InvalidRequestError):
            await catalogue.programs(limit=1, cursor=of_documents)

    async def test_the_template_is_shown_in_the_order_of_the_sheet(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work)
        assert await catalogue.template("PGM_1") == a_registration().template

    async def test_failures_come_in_ordinal_order_up_to_the_limit(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        failed = [a_failed_document(ordinal) for ordinal in (5, 1, 3)]
        await register(unit_of_work, *failed, a_document(0), a_document(2))
        shown = await catalogue.failures("PGM_1", limit=2)
        assert [document.ordinal for document in shown] == [1, 3]

    async def test_a_visible_chunk_is_shown_with_its_document(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        document = a_document(document_name="반송_0.csv")
        chunk = a_chunk(7, first_step=120, last_step=None)
        await register(unit_of_work, document)
        await mark_indexed(unit_of_work, indexed(document, chunk))
        assert await catalogue.visible_chunks(["PGM_1.r1.0.g1.7", "PGM_1.r1.0.g1.8", "unknown"]) == {
            "PGM_1.r1.0.g1.7": FoundChunk(
                chunk_id="PGM_1.r1.0.g1.7",
                pgm_id="PGM_1",
                document_id=document.document_id,
                document_name="반송_0.csv",
                document_type=DocumentType.LADDER_CSV,
                place=chunk.place,
                first_step=120,
                last_step=None,
                title=chunk.title,
                ladder=chunk.ladder,
                devices=chunk.devices,
            )
        }

    @pytest.mark.parametrize(
        ("generation", "state"),
        [
            (1, DocumentState.PENDING),
            (1, DocumentState.INDEXING),
            (2, DocumentState.PENDING),
            (2, DocumentState.INDEXED),
        ],
    )
    async def test_the_chunks_of_a_document_that_moved_on_are_not_visible(
        self,
        unit_of_work: UnitOfWork,
        catalogue: Catalogue,
        reopen_document: ReopenDocument,
        generation: int,
        state: DocumentState,
    ) -> None:
        await register(unit_of_work, a_document())
        await mark_indexed(unit_of_work, indexed(a_document()))
        assert len(await catalogue.visible_chunks(["PGM_1.r1.0.g1.0"])) == 1
        await reopen_document(a_document().document_id, generation, state)
        assert await catalogue.visible_chunks(["PGM_1.r1.0.g1.0"]) == {}

    async def test_no_chunk_is_asked_for(self, catalogue: Catalogue) -> None:
        assert await catalogue.visible_chunks([]) == {}

    async def test_a_deleted_program_is_gone_from_every_answer(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        document = a_document()
        await register(unit_of_work, document)
        await mark_indexed(unit_of_work, indexed(document))
        await delete(unit_of_work)
        assert (await catalogue.programs(limit=10)).items == ()
        assert await catalogue.visible_chunks(["PGM_1.r1.0.g1.0"]) == {}
        await self._assert_unknown(catalogue, "PGM_1", document.document_id)

    async def test_an_unknown_program_is_not_found(self, catalogue: Catalogue) -> None:
        await self._assert_unknown(catalogue, "PGM_1", "nowhere")
        await self._assert_unknown(catalogue, "'; DROP TABLE programs; --", "%")

    async def _assert_unknown(self, catalogue: Catalogue, pgm_id: str, document_id: str) -> None:
        with pytest.raises(NotFoundError):
            await catalogue.program(pgm_id)
        with pytest.raises(NotFoundError):
            await catalogue.documents(pgm_id, limit=10)
        with pytest.raises(NotFoundError):
            await catalogue.template(pgm_id)
        with pytest.raises(NotFoundError):
            await catalogue.failures(pgm_id, limit=10)
        with pytest.raises(NotFoundError):
            await catalogue.document(document_id)


def a_failed_document(ordinal: int, *, pgm_id: str = "PGM_1") -> Document:
    failure = Failure(code="csv_invalid", message="행 7")
    return a_document(ordinal, pgm_id=pgm_id, state=DocumentState.FAILED, failure=failure)


async def listed(catalogue: Catalogue, *, limit: int = 100) -> list[str]:
    page = await catalogue.programs(limit=limit)
    shown = [view.program.pgm_id for view in page.items]
    while page.next_cursor is not None:
        page = await catalogue.programs(limit=limit, cursor=page.next_cursor)
        shown.extend(view.program.pgm_id for view in page.items)
    return shown
