"""What the processes write into their logs, at the level that is asked for."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dependency_injector import providers
from structlog.contextvars import bound_contextvars, get_contextvars

from builders.service import a_service, connected
from domain.ports.catalogue import ProgramView
from entrypoints.logs import OWN, LogFormat, configure_logging, log_fact
from fakes.catalogue import InMemoryCatalogue

QUIETED = ("arq.worker", "alembic", "httpx", "opentelemetry")


@pytest.fixture
def _restored() -> Iterator[None]:
    """Levels are global, and so are the handlers of the root."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("", *OWN, *QUIETED)}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def configured(level: str, log_format: LogFormat = "console") -> None:
    """As in a process that has just begun, where nobody listens yet."""
    logging.getLogger().handlers.clear()
    configure_logging(level, log_format)


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


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.mark.usefixtures("_restored")
def test_a_line_is_one_object_with_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    configured("INFO", "json")
    with bound_contextvars(request_id="r-1", pgm_id="PGM_1"):
        logging.getLogger("application.x").warning("event %d: %s", 7, "두\n줄")
        log_fact(logging.getLogger("ladderbase.access"), logging.INFO, "request", path="/v1", status=200, ms=1.5)
    plain, fact = map(json.loads, lines_of(capsys))
    assert datetime.fromisoformat(plain.pop("timestamp")).tzinfo == UTC
    assert plain == {
        "level": "warning",
        "logger": "application.x",
        "event": "event 7: 두\n줄",
        "request_id": "r-1",
        "pgm_id": "PGM_1",
    }
    assert (fact["event"], fact["path"], fact["status"], fact["ms"]) == ("request", "/v1", 200, 1.5)
    assert fact["request_id"] == "r-1"


@pytest.mark.usefixtures("_restored")
def test_a_line_for_people_says_what_it_is_about_once(capsys: pytest.CaptureFixture[str]) -> None:
    configured("INFO")
    with bound_contextvars(request_id="r-1", document_id="PGM_1 r1"):
        log_fact(logging.getLogger("ladderbase.access"), logging.INFO, "request", status=200, request_id="r-1")
    (line,) = lines_of(capsys)
    assert line.split(" ", 1)[1] == ('INFO ladderbase.access: request status=200 request_id=r-1 document_id="PGM_1 r1"')


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_shows_no_value_of_a_variable(capsys: pytest.CaptureFixture[str], log_format: LogFormat) -> None:
    configured("INFO", log_format)

    def fail() -> None:
        password = "s3cret" * 2
        raise RuntimeError(len(password))

    try:
        fail()
    except RuntimeError:
        logging.getLogger("ladderbase").exception("a bug")
    said = capsys.readouterr().err
    assert "s3crets3cret" not in said
    assert "in fail" in said
    assert "RuntimeError: 12" in said
    assert len(said.splitlines()) == 1 or log_format == "console"


@pytest.mark.usefixtures("_restored")
async def test_a_request_binds_its_id_and_what_its_path_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured("INFO", "json")
    service = await a_service(tmp_path)
    service.container.catalogue.override(providers.Object(TalkativeCatalogue(service.registry)))
    async with connected(service) as client:
        await client.get("/v1/programs/PGM_7", headers={"X-Request-Id": "r-9"})
        await client.get("/v1/programs")
    lines = [json.loads(line) for line in lines_of(capsys)]
    asked = next(line for line in lines if line["event"] == "asked for a program")
    assert (asked["request_id"], asked["pgm_id"]) == ("r-9", "PGM_7")
    assert (lines[-1]["path"], lines[-1].get("pgm_id")) == ("/v1/programs", None)
    assert get_contextvars() == {}


class TalkativeCatalogue(InMemoryCatalogue):
    async def program(self, pgm_id: str) -> ProgramView:
        logging.getLogger("adapters.talkative").info("asked for a program")
        return await super().program(pgm_id)
