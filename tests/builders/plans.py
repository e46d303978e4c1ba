"""How the server would do what an adapter asks of it."""

from collections.abc import Awaitable
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine


async def vacuumed(engine: AsyncEngine) -> None:
    """As the server does by itself after a while: with statistics, and with a map of what an index alone can tell."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("VACUUM ANALYZE"))


async def left_alone(engine: AsyncEngine) -> None:
    """Nothing is analysed until the test asks for it: statistics of half of the rows make plans of their own."""
    async with engine.begin() as connection:
        names = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        for name in names.scalars().all():
            await connection.execute(text(f"ALTER TABLE {name} SET (autovacuum_enabled = off)"))


async def plan_of(engine: AsyncEngine, query: Awaitable[object]) -> str:
    """The server's plan for the longest statement that the adapter really sends for this query."""
    statement, parameters = max(await sent_by(engine, query), key=lambda each: len(each[0]))
    return await explained(engine, statement, parameters)


async def plans_of(engine: AsyncEngine, query: Awaitable[object]) -> str:
    """The plans for all of them."""
    sent = await sent_by(engine, query)
    return "\n".join([await explained(engine, statement, parameters) for statement, parameters in sent])


async def sent_by(engine: AsyncEngine, query: Awaitable[object]) -> list[tuple[str, tuple[object, ...]]]:
    sent: list[tuple[str, tuple[object, ...]]] = []

    def take_down(*call: Any) -> None:
        _connection, _cursor, statement, parameters, *_ = call
        sent.append((statement, parameters))

    event.listen(engine.sync_engine, "before_cursor_execute", take_down)
    try:
        await query
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", take_down)
    return sent


async def explained(engine: AsyncEngine, statement: str, parameters: tuple[object, ...]) -> str:
    async with engine.begin() as connection:
        rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return "\n".join(row[0] for row in rows)
