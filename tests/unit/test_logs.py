"""What the processes write into their logs, at the level that is asked for."""

import logging
from collections.abc import Iterator

import pytest

from entrypoints.logs import OWN, configure_logging

QUIETED = ("arq.worker", "alembic", "httpx")


@pytest.fixture
def _restored() -> Iterator[None]:
    """Levels are global, and so are the handlers of the root."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("", *OWN, *QUIETED)}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def configured(level: str) -> None:
    """As in a process that has just begun, where nobody listens yet."""
    logging.getLogger().handlers.clear()
    configure_logging(level)


@pytest.mark.usefixtures("_restored")
def test_debug_is_for_our_own_lines() -> None:
    configured("DEBUG")
    ours = ("ladderbase.access", "application.known_keys", "entrypoints.api.problems", "adapters.milvus.connection")
    theirs = ("botocore.endpoint", "httpcore.http11", "pymilvus", "asyncio", "sqlalchemy.engine", "somebody.new")
    assert [name for name in ours if not logging.getLogger(name).isEnabledFor(logging.DEBUG)] == []
    assert [name for name in theirs if logging.getLogger(name).isEnabledFor(logging.DEBUG)] == []


@pytest.mark.usefixtures("_restored")
def test_a_higher_level_is_for_all() -> None:
    configured("ERROR")
    for name in ("ladderbase.access", "botocore.endpoint"):
        assert not logging.getLogger(name).isEnabledFor(logging.WARNING)
