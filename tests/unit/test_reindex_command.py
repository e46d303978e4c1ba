"""`ladderbase reindex`: what it refuses in one line, where it takes its settings from, and what it sits out."""

import json
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from application.rebuild_index import LEASE
from builders.service import Service, a_service
from domain.errors import ConflictError, UnavailableError
from entrypoints.cli.main import main
from entrypoints.cli.reindex import build
from entrypoints.embedded.addresses import addresses_kept, kept_addresses
from entrypoints.embedded.component import StartError
from entrypoints.settings import Settings

Reindex = Callable[..., Result]
ADDRESSES = {
    "DATABASE_URL": "postgresql://ladderbase:S3cret@127.0.0.1:1/ladderbase",
    "REDIS_URL": "redis://:S3cret@127.0.0.1:1/0",
    "MILVUS_URI": "http://127.0.0.1:1",
}
ALL = ("--all",)


@pytest.fixture
def reindex(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Reindex:
    """The command with no setting but a scratch folder and those that are given."""

    def invoke(*arguments: str, **settings: str) -> Result:
        for name in Settings.__struct_encode_fields__:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("SCRATCH_DIR", str(tmp_path))
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(main, ["reindex", *arguments])

    return invoke


def refusal(result: Result) -> str:
    """What it ends with: one line."""
    assert result.stdout == ""
    return result.stderr.splitlines()[-1]


def test_without_a_verb_it_says_which_there_are(reindex: Reindex) -> None:
    result = reindex(**ADDRESSES)
    assert result.exit_code == 2
    assert refusal(result) == "Error: say --all, --drop-old, or both"


def test_the_help_tells_what_both_verbs_do(reindex: Reindex) -> None:
    result = reindex("--help")
    assert result.exit_code == 0
    assert {"--all", "--drop-old", "--data-dir"} <= set(result.stdout.replace(",", " ").split())


@pytest.mark.parametrize("missing", ["DATABASE_URL", "REDIS_URL"])
def test_a_setting_that_is_missing_is_named(reindex: Reindex, missing: str) -> None:
    result = reindex(*ALL, **{name: value for name, value in ADDRESSES.items() if name != missing})
    assert result.exit_code == 2
    assert refusal(result) == f"Error: the setting {missing} is missing"


def test_a_setting_that_is_wrong_is_named_and_not_shown(reindex: Reindex) -> None:
    result = reindex(*ALL, **ADDRESSES | {"DATABASE_URL": "mysql://root:S3cret@127.0.0.1/x"})
    assert result.exit_code == 2
    assert "DATABASE_URL" in refusal(result)
    assert "S3cret" not in result.output


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("EMBEDDING_MODEL", "crystal-ball", "EMBEDDING_MODEL"),
        ("MILVUS_COLLECTION_NAME", "생산 라인", "MILVUS_COLLECTION_NAME"),
        ("MILVUS_EMBEDDING_DIM", "7", "MILVUS_EMBEDDING_DIM"),
        ("MILVUS_URI", "http://root:S3cret@127.0.0.1:port", "MILVUS_URI"),
    ],
)
def test_settings_that_contradict_the_world_end_in_one_line(
    reindex: Reindex, setting: str, value: str, named: str
) -> None:
    result = reindex(*ALL, **ADDRESSES | {setting: value})
    assert result.exit_code == 3
    assert named in refusal(result)
    assert "S3cret" not in result.output


def test_a_data_folder_that_nothing_runs_on_is_said_with_the_remedy(reindex: Reindex, tmp_path: Path) -> None:
    result = reindex(*ALL, "--data-dir", str(tmp_path))
    assert result.exit_code == 3
    assert refusal(result) == f"Error: nothing runs on {tmp_path}: start `ladderbase run --data-dir {tmp_path}`"


def test_a_data_folder_that_is_not_there_is_wrong_usage(reindex: Reindex, tmp_path: Path) -> None:
    assert reindex(*ALL, "--data-dir", str(tmp_path / "none")).exit_code == 2


def test_the_addresses_of_a_data_folder_come_before_the_environment(reindex: Reindex, tmp_path: Path) -> None:
    with addresses_kept(tmp_path, ADDRESSES | {"REDIS_URL": "nonsense"}):
        result = reindex(*ALL, "--data-dir", str(tmp_path), **ADDRESSES)
    assert result.exit_code == 2
    assert "REDIS_URL" in refusal(result)


def test_the_model_of_a_data_folder_is_what_the_environment_says(reindex: Reindex, tmp_path: Path) -> None:
    with addresses_kept(tmp_path, ADDRESSES):
        result = reindex(*ALL, "--data-dir", str(tmp_path), EMBEDDING_MODEL="crystal-ball")
    assert result.exit_code == 3
    assert "EMBEDDING_MODEL" in refusal(result)


def test_kept_addresses_are_for_their_owner_alone_and_go_with_the_product(tmp_path: Path) -> None:
    with addresses_kept(tmp_path, ADDRESSES):
        (file,) = (tmp_path / "run").iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert kept_addresses(tmp_path) == ADDRESSES
    assert not list((tmp_path / "run").iterdir())
    with pytest.raises(StartError):
        kept_addresses(tmp_path)


def test_addresses_that_a_killed_product_left_are_written_anew(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    left = tmp_path / "run" / "addresses.json"
    left.write_text(json.dumps({"DATABASE_URL": "postgresql://gone"}))
    left.chmod(0o644)
    with addresses_kept(tmp_path, ADDRESSES):
        assert kept_addresses(tmp_path) == ADDRESSES
        assert stat.S_IMODE(left.stat().st_mode) == 0o600


def test_addresses_go_when_the_product_ends_on_an_error(tmp_path: Path) -> None:
    with pytest.raises(StartError), addresses_kept(tmp_path, ADDRESSES):
        raise StartError("the worker does not stay up")
    assert not list((tmp_path / "run").iterdir())


@pytest.mark.parametrize("content", ["", "{", "\udcff"])
def test_addresses_that_cannot_be_read_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "addresses.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(StartError, match="nothing runs on"):
        kept_addresses(tmp_path)


class Clock:
    """Moves on by what is slept."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.slept_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds


async def lost_index(folder: Path) -> Service:
    service = await a_service(folder)
    await service.register()
    await service.work()
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.indexes.lost(service.index.key)
    return service


async def test_an_outage_is_sat_out_with_growing_pauses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service, clock, failures = await lost_index(tmp_path), Clock(), 7
    service.index.server.indexes.clear()

    async def fail(_: Sequence[str]) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise UnavailableError("embedder", "HTTP 503")

    service.embedder.before = fail
    await build(service.container, clock=clock, sleep=clock.sleep)
    assert clock.slept_s == [1, 2, 4, 8, 16, 30, 30]
    said = capsys.readouterr().err.splitlines()
    assert said[1] == "embedder is unavailable: HTTP 503; going on in 2 s"
    assert said[-1] == f"the index of {service.index.key} is complete and current"


async def test_an_outage_without_end_ends_the_command_after_a_quarter_of_an_hour(tmp_path: Path) -> None:
    service, clock = await lost_index(tmp_path), Clock()
    service.index.server.indexes.clear()

    async def fail(_: Sequence[str]) -> None:
        raise UnavailableError("embedder", "HTTP 503")

    service.embedder.before = fail
    with pytest.raises(UnavailableError, match="HTTP 503"):
        await build(service.container, clock=clock, sleep=clock.sleep)
    assert 900 < sum(clock.slept_s) < 960


async def test_who_else_builds_the_index_is_left_to_it(tmp_path: Path) -> None:
    service, clock = await lost_index(tmp_path), Clock()
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.indexes.take_building(service.index.key, builder=str(uuid4()), lease=LEASE)
    with pytest.raises(ConflictError, match="somebody else builds"):
        await build(service.container, clock=clock, sleep=clock.sleep)
    assert clock.slept_s == []
