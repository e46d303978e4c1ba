"""What every Operations promises; written through the unit of work of the same record."""

import pytest

from contracts.catalogue import a_failed_document
from contracts.records import a_document, delete, register
from domain.errors import InvalidRequestError
from domain.ports.operations import Operations
from domain.ports.unit_of_work import UnitOfWork


class OperationsContract:
    """Needs the fixtures `operations` and `unit_of_work`, both over one record; its failures are the log's matter."""

    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    async def test_programs_of_which_documents_failed_are_paged_oldest_first(
        self, unit_of_work: UnitOfWork, operations: Operations, limit: int
    ) -> None:
        for number in (2, 10, 9):
            pgm_id = f"PGM_{number}"
            documents = (a_failed_document(ordinal, pgm_id=pgm_id) for ordinal in range(2))
            await register(unit_of_work, *documents, pgm_id=pgm_id)
        await register(unit_of_work, a_document(pgm_id="PGM_3"), pgm_id="PGM_3")
        await register(unit_of_work, a_failed_document(0, pgm_id="PGM_4"), pgm_id="PGM_4")
        await delete(unit_of_work, "PGM_4")
        page = await operations.programs_with_failures(limit=limit)
        shown = list(page.items)
        while page.next_cursor is not None:
            page = await operations.programs_with_failures(limit=limit, cursor=page.next_cursor)
            shown.extend(page.items)
        assert shown == ["PGM_2", "PGM_9", "PGM_10"]

    async def test_a_cursor_that_was_not_given_out_is_refused(self, operations: Operations) -> None:
        with pytest.raises(InvalidRequestError):
            await operations.programs_with_failures(limit=1, cursor="made-up")
