"""`ladderbase doctor`: what keeps the service from working, and what to do about it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from application.check_readiness import Check
from application.probe_blob_store import PROBES, ProbeBlobStore
from builders.service import Service, a_service
from domain.errors import MisconfiguredError, UnavailableError
from entrypoints.cli import doctor, remedies
from entrypoints.cli.main import main
from entrypoints.container import Container
from entrypoints.readiness import readiness_checks
from fakes.blob_store import InMemoryBlobStore, UnavailableBlobStore

ENVIRONMENT = {"DATABASE_URL": "postgresql://a@127.0.0.1/x", "REDIS_URL": "redis://127.0.0.1:9"}
Run = Callable[..., Result]


async def fine() -> None:
    pass


async def limited() -> str:
    return "fsync off"


async def wrong() -> None:
    raise MisconfiguredError("the schema is old")


async def away() -> None:
    raise UnavailableError("milvus", "no answer")


@pytest.fixture
def checks() -> dict[str, Check]:
    return dict.fromkeys(("postgres", "queue", "milvus", "blob store"), fine)


@pytest.fixture
def service(tmp_path: Path, checks: dict[str, Check]) -> Service:
    return asyncio.run(a_service(tmp_path, readiness_checks=checks))


@pytest.fixture
def run(service: Service, monkeypatch: pytest.MonkeyPatch) -> Run:
    @asynccontextmanager
    async def opened(*_: object) -> AsyncIterator[Container]:
        yield service.container

    monkeypatch.setattr(doctor, "opened", opened)
    monkeypatch.setattr(doctor, "configure_logging", lambda _: None)

    def invoke(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(main, ["doctor", *arguments], env={**ENVIRONMENT, **environment})

    return invoke


def told(result: Result) -> dict[str, Any]:
    return {each["name"]: each for each in json.loads(result.stdout)["checks"]}


def test_a_service_that_is_well_is_told_so(run: Run) -> None:
    result = run()
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        ["settings: ok", "postgres: ok", "queue: ok", "milvus: ok", "blob store: ok"],
    )
    assert json.loads(run("--json").stdout)["healthy"] is True


def test_what_fails_is_told_with_its_remedy(run: Run, checks: dict[str, Check]) -> None:
    checks |= {"postgres": wrong, "milvus": away}
    result = run()
    assert result.exit_code == 1
    assert "postgres: misconfigured: the schema is old\n  Is it up" in result.stdout
    assert "milvus: unavailable: no answer\n  Is it up" in result.stdout
    as_json = run("--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)["healthy"]) == (1, False)
    assert told(as_json)["postgres"]["state"] == "misconfigured"
    assert "ladderbase migrate" in told(as_json)["postgres"]["remedy"]


def test_what_works_in_part_is_told_and_no_failure(run: Run, checks: dict[str, Check]) -> None:
    checks["postgres"] = limited
    result = run("--json")
    assert (result.exit_code, told(result)["postgres"]["state"]) == (0, "limited")


def test_wrong_settings_are_told_and_nothing_else_is_asked(run: Run) -> None:
    result = run("--json", LOG_LEVEL="LOUD")
    assert result.exit_code == 1
    assert told(result).keys() == {"settings"}
    assert "LOG_LEVEL" in told(result)["settings"]["text"]
    assert told(run("--json", AUTH="required", OIDC_ISSUER="https://login.example.com"))["settings"]["remedy"]


def test_a_password_in_an_address_that_cannot_be_read_is_not_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "configure_logging", lambda _: None)
    result = CliRunner().invoke(
        main, ["doctor"], env={"DATABASE_URL": "postgresql://a@127.0.0.1/x", "REDIS_URL": "redis://:s3cret@h:port/0"}
    )
    assert result.exit_code == 1
    assert "s3cret" not in result.output


def test_a_blob_store_that_refuses_is_found_by_writing_to_it(run: Run, service: Service) -> None:
    service.container.blobs.override(UnavailableBlobStore(service.blobs, failures=9))
    result = run("--json")
    assert told(result)["blob store"]["state"] == "unavailable"


class Forgetful(InMemoryBlobStore):
    async def delete_below(self, prefix: str) -> int:
        await super().delete_below(prefix)
        return 0


class Garbling(InMemoryBlobStore):
    async def read(self, key: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        yield b"something else"


async def test_a_probe_leaves_nothing_and_believes_no_word_of_the_store() -> None:
    store = InMemoryBlobStore()
    await ProbeBlobStore(blobs=store, name="one")()
    assert [entry async for entry in store.list_below(PROBES)] == []
    for odd, said in ((Forgetful(), "removed 0"), (Garbling(), "other bytes")):
        with pytest.raises(UnavailableError, match=said):
            await ProbeBlobStore(blobs=odd, name="one")()
        assert [entry async for entry in odd.list_below("")] == []


def test_every_dependency_that_is_asked_has_a_remedy() -> None:
    names = set(re.findall(r'^        (?:"([a-z ]+)"|VECTOR_INDEX):', source_of_checks(), flags=re.MULTILINE)) - {""}
    assert len(names) == 7
    assert names | {"vector index", "settings"} == remedies._REMEDIES.keys()


def source_of_checks() -> str:
    return Path(readiness_checks.__code__.co_filename).read_text("utf-8")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert "_LADDERBASE_COMPLETE" in result.stdout
    completed = CliRunner().invoke(
        main,
        prog_name="ladderbase",
        env={"_LADDERBASE_COMPLETE": "bash_complete", "COMP_WORDS": "ladderbase doc", "COMP_CWORD": "1"},
    )
    assert completed.stdout == "plain,doctor\n"
