"""What is asked about devices goes by an index, whatever has piled up, and before statistics were taken too."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres import device_catalogue
from adapters.postgres.device_catalogue import ROWS_AT_ONCE, PostgresDeviceCatalogue
from adapters.postgres.engine import create_engine
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.use_rows import touched_of_row
from builders.plans import left_alone, plans_of, vacuumed
from contracts.records import a_document, a_registration
from domain.addresses import Address
from domain.comments import DeviceComments
from domain.device_query import device_filters, wanted_device
from domain.document import DocumentState
from domain.touched import Touched

PROGRAMS, DOCUMENTS, USES = 40, 5, 1_000
COMMENTED = DeviceComments(by_device={f"D{number}": f"값 {number}" for number in range(2_000)})


@pytest.fixture
async def engine(migrated_database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(migrated_database_url)
    await left_alone(engine)
    yield engine
    await engine.dispose()


async def test_pages_about_devices_go_by_an_index(engine: AsyncEngine) -> None:
    """Of 200,000 uses a sixth are ranges, and one device, SM400, is used in every fifth."""
    await many_uses(engine)
    devices = PostgresDeviceCatalogue(engine)
    rare, common = wanted_device("D105"), wanted_device("SM400")
    page = await devices.uses(common, limit=100)
    assert len(page.items) == 100
    assert {use.use.head for use in page.items} == {Address(space="SM", number=400)}
    for is_analysed in (False, True):
        if is_analysed:
            await vacuumed(engine)
        asked: tuple[tuple[Any, set[str]], ...] = (
            (devices.uses(rare, limit=100), {"device_uses_device_idx", "device_comments_device_idx"}),
            (devices.uses(common, limit=100), {"device_uses_device_idx"}),
            (devices.uses(common, limit=100, cursor=page.next_cursor), {"device_uses_device_idx"}),
            (devices.uses(rare, limit=100, pgm_id="PGM_7"), {"device_uses_"}),
            (devices.devices("PGM_7", limit=100), {"device_uses_program_idx", "device_comments_"}),
            (devices.devices("PGM_7", device_filters("D", "D1"), limit=100), {"device_uses_program_idx"}),
            (devices.touched("PGM_7", limit=1_000), {"device_uses_"}),
        )
        for query, wanted in asked:
            plans = await plans_of(engine, query)
            assert "Seq Scan on device_uses" not in plans, plans
            assert {index for index in wanted if index not in plans} == set(), plans


async def test_the_event_loop_gets_its_turn_while_what_a_program_touches_is_read(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many_uses(engine, programs=1, uses=2 * ROWS_AT_ONCE)
    turns, rows_of_turn = count(), Counter[int]()
    turn = next(turns)

    def counted(row: Row[Any]) -> Touched:
        rows_of_turn[turn] += 1
        return touched_of_row(row)

    monkeypatch.setattr(device_catalogue, "touched_of_row", counted)
    reading = asyncio.create_task(PostgresDeviceCatalogue(engine).touched("PGM_1", limit=200_000))
    while not reading.done():
        await asyncio.sleep(0)
        turn = next(turns)
    assert len(await reading) == rows_of_turn.total() > ROWS_AT_ONCE
    assert max(rows_of_turn.values()) <= ROWS_AT_ONCE


async def many_uses(engine: AsyncEngine, *, programs: int = PROGRAMS, uses: int = USES) -> None:
    """By way of the server: one document of each program is registered as always, the rest is copied."""
    unit_of_work = PostgresUnitOfWork(engine)
    for number in range(1, programs + 1):
        pgm_id = f"PGM_{number}"
        documents = [
            a_document(ordinal, pgm_id=pgm_id, state=DocumentState.INDEXED, indexed_dt=datetime.now(UTC))
            for ordinal in range(DOCUMENTS)
        ]
        async with unit_of_work.begin() as transaction:
            comments = COMMENTED if number < 10 else DeviceComments()
            await transaction.programs.add(a_registration(pgm_id, comments=comments))
            await transaction.documents.add(documents)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO used_documents (document_id, generation, uses_version, is_unreadable)"
                " SELECT document_id, 1, 1, false FROM documents"
            )
        )
    for number in range(1, programs + 1):
        async with engine.begin() as connection:
            await connection.execute(_USES, {"uses": uses, "pgm_id": f"PGM_{number}"})


_USES = text("""
    INSERT INTO device_uses (set_id, pgm_number, rung, step, first, last, bit, is_open, is_shifted,
                             space, role, mnemonic, operand)
    SELECT set_id, substr(pgm_id, 5)::bigint, number / 4, number,
           CASE WHEN number % 5 = 0 THEN 400 ELSE (number * 7919 + set_id * 104729) % 8000 END,
           CASE WHEN number % 5 = 0 THEN 400 ELSE (number * 7919 + set_id * 104729) % 8000 END
           + CASE WHEN number % 6 = 1 AND number % 5 > 0 THEN 1 + number % 9 ELSE 0 END,
           -1, false, false,
           CASE WHEN number % 5 = 0 THEN 'SM' WHEN number % 3 = 0 THEN 'M' ELSE 'D' END,
           CASE WHEN number % 2 = 0 THEN 'read' ELSE 'write' END, 'MOV', 'D0'
    FROM used_documents JOIN documents USING (document_id), generate_series(1, :uses) AS number
    WHERE pgm_id = :pgm_id
""")
