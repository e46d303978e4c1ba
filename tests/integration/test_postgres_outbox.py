"""What the outbox on Postgres promises beyond its port: wake-ups, an index, claims of other processes."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import create_engine
from adapters.postgres.outbox_listener import OutboxListener
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from contracts.outbox import claim, commit
from contracts.records import program_deleted, rolled_back

_CLAIM_ALL = """
import asyncio, json, sys
from datetime import timedelta
from adapters.postgres.engine import create_engine
from adapters.postgres.unit_of_work import PostgresUnitOfWork

async def main():
    engine = create_engine(sys.argv[1])
    mine = []
    while True:
        async with PostgresUnitOfWork(engine).begin() as transaction:
            claimed = await transaction.outbox.claim(7, lease=timedelta(minutes=5))
        if not claimed:
            break
        mine += [event.event_id for event in claimed]
    await engine.dispose()
    print(json.dumps(mine))

asyncio.run(main())
"""


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def unit_of_work(engine: AsyncEngine) -> PostgresUnitOfWork:
    return PostgresUnitOfWork(engine)


async def test_a_committed_event_wakes_the_listener(unit_of_work: PostgresUnitOfWork, database_url: str) -> None:
    async with OutboxListener(database_url) as listener:
        await listener.wait(10)  # Returns once it is connected.
        waiting = asyncio.create_task(seconds_waited(listener, 10))
        await commit(unit_of_work, program_deleted())
        assert await waiting < 2


async def test_work_handed_back_wakes_the_listener(unit_of_work: PostgresUnitOfWork, database_url: str) -> None:
    await commit(unit_of_work, program_deleted())
    [claimed] = await claim(unit_of_work, 1)
    async with OutboxListener(database_url) as listener:
        await listener.wait(10)
        async with unit_of_work.begin() as transaction:
            started = await transaction.outbox.start(claimed, lease=timedelta(seconds=30))
            await transaction.outbox.return_unworked(started)
        assert await seconds_waited(listener, 10) < 9


async def test_a_rolled_back_event_wakes_nobody(unit_of_work: PostgresUnitOfWork, database_url: str) -> None:
    async with OutboxListener(database_url) as listener:
        await listener.wait(10)
        async with rolled_back(unit_of_work) as transaction:
            await transaction.outbox.add([program_deleted()])
        assert await seconds_waited(listener, 0.3) >= 0.3


async def test_a_listener_that_lost_its_connection_listens_again(
    unit_of_work: PostgresUnitOfWork, engine: AsyncEngine, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with OutboxListener(database_url) as listener:
        await listener.wait(10)
        async with engine.begin() as connection:
            await connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
            )
        assert await seconds_waited(listener, 10) < 9  # The reconnect, which may have missed something.
        await commit(unit_of_work, program_deleted())
        assert await seconds_waited(listener, 10) < 9
    assert "outbox listener" in caplog.text


async def test_without_a_server_the_poll_goes_on(unused_tcp_port: int, caplog: pytest.LogCaptureFixture) -> None:
    async with OutboxListener(f"postgresql://u:s3cret@127.0.0.1:{unused_tcp_port}/d") as listener:
        assert await seconds_waited(listener, 0.2) >= 0.2
        assert await seconds_waited(listener, 0.2) >= 0.2
    assert "no connection" in caplog.text
    assert "s3cret" not in caplog.text


async def test_processes_that_claim_at_once_share_the_events_out(
    unit_of_work: PostgresUnitOfWork, database_url: str
) -> None:
    ids = await commit(unit_of_work, *(program_deleted() for _ in range(500)))
    shares = await asyncio.gather(*(claim_in_a_process(database_url) for _ in range(2)))
    assert sorted(event_id for share in shares for event_id in share) == ids


async def seconds_waited(listener: OutboxListener, timeout_s: float) -> float:
    began = time.monotonic()
    await listener.wait(timeout_s)
    return time.monotonic() - began


async def claim_in_a_process(database_url: str) -> list[int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CLAIM_ALL, database_url, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    claimed: list[int] = json.loads(output)
    return claimed
