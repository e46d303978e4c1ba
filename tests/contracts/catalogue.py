"""What every Catalogue promises; written through the unit of work of the same record."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.records import (
    CREATED,
    a_chunk,
    a_document,
    a_logic,
    a_registration,
    delete,
    indexed,
    mark_indexed,
    register,
)
from domain.document import Document, DocumentState, DocumentType, Failure
from domain.errors import InvalidRequestError, NotFoundError
from domain.ports.catalogue import (
    EVERY_PROGRAM,
    Catalogue,
    DocumentTotals,
    OldestWaiting,
    ProgramFilter,
    ProgramSort,
)
from domain.ports.unit_of_work import UnitOfWork
from domain.program import ProgramStatus
from domain.search import FoundChunk
from domain.template import Logic, Template

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


FILTERED = [
    (ProgramFilter(), [4, 3, 2, 1]),
    (ProgramFilter(pgm_id="PGM_2"), [2]),
    (ProgramFilter(pgm_id="PGM_9"), []),
    (ProgramFilter(name="라인"), [2, 1]),
    (ProgramFilter(name="LINE"), [4, 3]),
    (ProgramFilter(name="ＬＩＮＥ"), [4, 3]),
    (ProgramFilter(name="コンベア"), [3]),
    (ProgramFilter(name="ｺﾝﾍﾞｱ"), [3]),
    (ProgramFilter(name="라인 %"), []),
    (ProgramFilter(name="%"), [4]),
    (ProgramFilter(name="％"), [4]),
    (ProgramFilter(name="_"), [4]),
    (ProgramFilter(name="\\"), [4]),
    (ProgramFilter(create_user="김철수"), [3, 1]),
    (ProgramFilter(create_user="김"), []),
    (ProgramFilter(folder="F02"), [2]),
    (ProgramFilter(folder="검사"), [2]),
    (ProgramFilter(folder="반송"), [4, 3, 1]),
    (ProgramFilter(folder="반"), []),
    (ProgramFilter(created_from=CREATED), [4, 3, 2, 1]),
    (ProgramFilter(created_from=CREATED + timedelta(days=2)), [4, 3]),
    (ProgramFilter(created_to=CREATED + timedelta(days=2)), [2, 1]),
    (ProgramFilter(name="라인", create_user="김철수", folder="F01"), [1]),
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

    async def test_a_filter_leaves_out_what_it_does_not_ask_for(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        checked = replace(a_logic(2, "0"), folder_id="F02", folder_name="검사")
        for number, (name, user, logic) in enumerate(
            [
                ("도장 라인", "김철수", a_logic(2, "0")),
                ("검사 라인", "佐藤", checked),
                ("搬送コンベア Line", "김철수", a_logic(2, "0")),
                ("100%_\\ line", "lee", a_logic(2, "0")),
            ],
            start=1,
        ):
            await register_as(unit_of_work, number, pgm_name=name, create_user=user, logic=logic, day=number - 1)
        for only, numbers in FILTERED:
            expected = [f"PGM_{number}" for number in numbers]
            assert await listed(catalogue, only=only) == expected, only
            assert await listed(catalogue, only=only, limit=1) == expected, only
            assert await catalogue.count_programs(only) == len(expected), only

    async def test_a_status_is_that_of_the_revision_that_answers(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        states = {
            1: [DocumentState.INDEXED, DocumentState.PENDING],
            2: [DocumentState.INDEXED, DocumentState.SKIPPED],
            3: [],
            4: [DocumentState.INDEXING],
        }
        for number, each in states.items():
            pgm_id = f"PGM_{number}"
            documents = [a_document(ordinal, pgm_id=pgm_id, state=state) for ordinal, state in enumerate(each)]
            await register(unit_of_work, *documents, pgm_id=pgm_id)
        failed = a_failed_document(0, pgm_id="PGM_5")
        await register(unit_of_work, failed, a_document(1, pgm_id="PGM_5", state=DocumentState.INDEXED), pgm_id="PGM_5")
        await register(
            unit_of_work, a_failed_document(0, pgm_id="PGM_6"), a_document(1, pgm_id="PGM_6"), pgm_id="PGM_6"
        )
        for status, expected in (
            (ProgramStatus.INDEXING, ["PGM_6", "PGM_4", "PGM_1"]),
            (ProgramStatus.INDEXED, ["PGM_3", "PGM_2"]),
            (ProgramStatus.FAILED, ["PGM_5"]),
        ):
            assert await listed(catalogue, only=ProgramFilter(status=status)) == expected
            views = (await catalogue.programs(limit=9, only=ProgramFilter(status=status))).items
            assert {view.progress.status for view in views} == {status}

    async def test_a_folder_is_one_of_the_revision_that_answers(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register_as(unit_of_work, 1, logic=replace(a_logic(2, "0"), folder_id="old"))
        later = replace(a_registration().program, revision=2)
        moved = Template(logics=(replace(a_logic(2, "0"), folder_id="new"),))
        async with unit_of_work.begin() as transaction:
            await transaction.programs.draw_revision("PGM_1")
            await transaction.programs.add_revision(a_registration(program=later, template=moved))
        assert await listed(catalogue, only=ProgramFilter(folder="old")) == ["PGM_1"]
        assert await listed(catalogue, only=ProgramFilter(folder="new")) == []

    async def test_a_folder_of_any_length_is_kept_and_a_part_of_it_does_not_find_it(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        long = "가나다라" * 8_000
        await register_as(unit_of_work, 1, logic=replace(a_logic(2, "0"), folder_id=long))
        assert await listed(catalogue, only=ProgramFilter(folder=long)) == ["PGM_1"]
        assert await listed(catalogue, only=ProgramFilter(folder=long[:255])) == []

    async def test_programs_come_in_the_order_that_is_asked_for(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        for number, name in enumerate(["하역", "b", "A\n1", "ボイラー", "Ｂ"], start=1):
            await register_as(unit_of_work, number, pgm_name=name)
        for sort, numbers in (
            (ProgramSort.NEWEST, [5, 4, 3, 2, 1]),
            (ProgramSort.OLDEST, [1, 2, 3, 4, 5]),
            (ProgramSort.NAME, [3, 2, 5, 4, 1]),
        ):
            expected = [f"PGM_{number}" for number in numbers]
            for limit in (1, 2, 3, 9):
                assert await listed(catalogue, sort=sort, limit=limit) == expected, (sort, limit)

    async def test_the_longest_name_that_grows_when_it_is_normalized_is_kept_and_paged(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        for number in (1, 2, 3):
            await register_as(unit_of_work, number, pgm_name="\ufdfa" * 200)
        assert await listed(catalogue, sort=ProgramSort.NAME, limit=1) == ["PGM_1", "PGM_2", "PGM_3"]

    async def test_a_cursor_goes_on_in_just_the_order_and_the_filters_that_it_was_given_out_for(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        for number in (1, 2, 3):
            await register_as(unit_of_work, number)
        only = ProgramFilter(create_user="김철수")
        cursor = (await catalogue.programs(limit=1, only=only, sort=ProgramSort.NAME)).next_cursor
        for others, sort in (
            (ProgramFilter(), ProgramSort.NAME),
            (ProgramFilter(create_user="김철"), ProgramSort.NAME),
            (ProgramFilter(name="김철수"), ProgramSort.NAME),
            (only, ProgramSort.OLDEST),
            (only, ProgramSort.NEWEST),
        ):
            with pytest.raises(InvalidRequestError) as caught:
                await catalogue.programs(limit=1, cursor=cursor, only=others, sort=sort)
            assert caught.value.field == "cursor"
        page = await catalogue.programs(limit=9, cursor=cursor, only=only, sort=ProgramSort.NAME)
        assert [view.program.pgm_id for view in page.items] == ["PGM_2", "PGM_3"]

    async def test_statistics_count_what_lives_by_state_and_status(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        done = a_document(0, size_bytes=1_000)
        await register(unit_of_work, done, a_document(1, state=DocumentState.SKIPPED, size_bytes=20))
        await mark_indexed(unit_of_work, indexed(done, a_chunk(0), a_chunk(1)))
        waiting = a_document(0, pgm_id="PGM_2", size_bytes=300, create_dt=CREATED - timedelta(days=1))
        await register(unit_of_work, waiting, a_failed_document(1, pgm_id="PGM_2"), pgm_id="PGM_2")
        await register(unit_of_work, a_failed_document(0, pgm_id="PGM_3"), pgm_id="PGM_3")
        await register(unit_of_work, pgm_id="PGM_4")
        await register(unit_of_work, a_document(0, pgm_id="PGM_5"), pgm_id="PGM_5")
        await delete(unit_of_work, "PGM_5")
        statistics = await catalogue.statistics()
        assert {status: count for status, count in statistics.programs.items() if count} == {
            ProgramStatus.INDEXED: 2,
            ProgramStatus.INDEXING: 1,
            ProgramStatus.FAILED: 1,
        }
        assert {state: totals for state, totals in statistics.documents.items() if totals.documents} == {
            DocumentState.INDEXED: DocumentTotals(documents=1, chunks=2, size_bytes=1_000),
            DocumentState.SKIPPED: DocumentTotals(documents=1, chunks=0, size_bytes=20),
            DocumentState.PENDING: DocumentTotals(documents=1, chunks=0, size_bytes=300),
            DocumentState.FAILED: DocumentTotals(documents=2, chunks=0, size_bytes=80_000),
        }
        assert statistics.oldest == OldestWaiting(
            pgm_id="PGM_2", document_id=waiting.document_id, since=CREATED - timedelta(days=1)
        )

    async def test_statistics_of_nothing_are_empty(self, catalogue: Catalogue) -> None:
        statistics = await catalogue.statistics()
        assert sum(statistics.programs.values()) == 0
        assert sum(totals.documents for totals in statistics.documents.values()) == 0
        assert statistics.oldest is None

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


async def register_as(
    unit_of_work: UnitOfWork, number: int, *, logic: Logic | None = None, day: int = 0, **details: str
) -> None:
    """A program of this number, with these details and one logic, registered so many days later than others."""
    registration = a_registration(f"PGM_{number}")
    program = replace(
        registration.program,
        details=replace(registration.program.details, **details),
        create_dt=CREATED + timedelta(days=day),
    )
    template = Template(logics=(logic or a_logic(2, "0"),))
    async with unit_of_work.begin() as transaction:
        await transaction.programs.add(replace(registration, program=program, template=template))


async def listed(
    catalogue: Catalogue,
    *,
    limit: int = 100,
    only: ProgramFilter = EVERY_PROGRAM,
    sort: ProgramSort = ProgramSort.NEWEST,
) -> list[str]:
    page = await catalogue.programs(limit=limit, only=only, sort=sort)
    shown = [view.program.pgm_id for view in page.items]
    while page.next_cursor is not None:
        page = await catalogue.programs(limit=limit, cursor=page.next_cursor, only=only, sort=sort)
        shown.extend(view.program.pgm_id for view in page.items)
    return shown
