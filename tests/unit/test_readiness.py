"""Whether the service is ready: asked at once, remembered where asking costs something, and never asked twice."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from application.check_readiness import (
    BAD_FOR_S,
    GOOD_FOR_S,
    NEEDED_FOR,
    CheckReadiness,
    Limited,
    ReadinessPart,
    RememberedCheck,
    Waiting,
    WaitsBecause,
)
from domain.errors import ConflictError, MisconfiguredError, UnavailableError, UnindexableError
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel
from domain.vectors import Vectors
from entrypoints.readiness import Pinged, SignsOfLife, readiness_checks
from fakes.blob_store import InMemoryBlobStore
from fakes.catalogue import InMemoryCatalogue
from fakes.embedder import HashingEmbedder
from fakes.registry import InMemoryRegistry, StoredIndex

KEY = IndexKey(model=EmbeddingModel(name="model", dimension=8), rendering_version=1)


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Dependency:
    """Answers `notice`, raises `error` where there is one, and waits for `open` before either."""

    def __init__(self, *, notice: str | None = None, error: Exception | None = None) -> None:
        self.notice = notice
        self.error = error
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self) -> str | None:
        self.asked += 1
        await self.open.wait()
        if self.error:
            raise self.error
        return self.notice


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_good_answer_holds_for_a_while(clock: Clock) -> None:
    dependency = Dependency(notice="slow today")
    check = RememberedCheck(dependency, clock=clock)
    assert [await check() for _ in range(10)] == ["slow today"] * 10
    assert dependency.asked == 1
    clock.now_s += GOOD_FOR_S - 0.1
    await check()
    assert dependency.asked == 1
    clock.now_s += 0.1
    await check()
    assert dependency.asked == 2


@pytest.mark.parametrize("error", [UnavailableError("embedder", "HTTP 503"), MisconfiguredError("the key is refused")])
async def test_a_bad_answer_holds_for_a_shorter_while(clock: Clock, error: Exception) -> None:
    dependency = Dependency(error=error)
    check = RememberedCheck(dependency, clock=clock)
    for _ in range(3):
        with pytest.raises(type(error), match=str(error)):
            await check()
    assert dependency.asked == 1
    dependency.error = None
    clock.now_s += BAD_FOR_S
    assert await check() is None
    assert dependency.asked == 2


async def test_a_good_answer_that_is_over_is_not_given_again_during_an_outage(clock: Clock) -> None:
    dependency = Dependency()
    check = RememberedCheck(dependency, clock=clock)
    await check()
    dependency.error = UnavailableError("embedder", "gone")
    clock.now_s += GOOD_FOR_S
    with pytest.raises(UnavailableError):
        await check()


async def test_probes_at_once_ask_once(clock: Clock) -> None:
    dependency = Dependency(notice="yes")
    dependency.open.clear()
    check = RememberedCheck(dependency, clock=clock)
    probes = [asyncio.create_task(check()) for _ in range(5)]
    await asyncio.sleep(0)
    dependency.open.set()
    assert await asyncio.gather(*probes) == ["yes"] * 5
    assert dependency.asked == 1


async def test_a_probe_that_gives_up_leaves_the_answer_to_the_next(clock: Clock) -> None:
    dependency = Dependency()
    dependency.open.clear()
    readiness = CheckReadiness(checks={"embedder": RememberedCheck(dependency, clock=clock)}, timeout_s=0.01)
    slow = [Waiting(dependency="embedder", reason="no answer within 0.01 s")]
    assert await readiness() == slow
    assert await readiness() == slow
    dependency.open.set()
    await asyncio.sleep(0)
    assert await readiness() == []
    assert dependency.asked == 1


async def test_a_question_that_is_never_answered_ends(clock: Clock) -> None:
    dependency = Dependency()
    dependency.open.clear()
    check = RememberedCheck(dependency, clock=clock, longest_s=0.01)
    with pytest.raises(UnavailableError, match="no answer within"):
        await check()
    dependency.open.set()
    clock.now_s += BAD_FOR_S
    assert await check() is None


async def test_a_bug_is_nothing_to_remember(clock: Clock) -> None:
    dependency = Dependency(error=KeyError("a bug"))
    check = RememberedCheck(dependency, clock=clock)
    for _ in range(2):
        with pytest.raises(KeyError):
            await check()
    assert dependency.asked == 2


async def test_limits_are_told_beside_what_is_waited_for() -> None:
    checks = {"milvus": Dependency(notice="no BM25"), "worker": Dependency(error=UnavailableError("worker", "none"))}
    assert await CheckReadiness(checks=checks)() == [
        Limited(dependency="milvus", notice="no BM25"),
        Waiting(dependency="worker", reason="none"),
    ]


@pytest.mark.parametrize(
    "error", [UnindexableError("text_refused", "of any length"), ConflictError("the probe holds other content")]
)
@pytest.mark.parametrize("is_remembered", [True, False])
async def test_a_dependency_that_refuses_the_probe_itself_is_waited_for(
    clock: Clock, error: Exception, *, is_remembered: bool
) -> None:
    """An embedder without a direction for any text, a store in which somebody else put the probe: no bug of ours."""
    dependency = Dependency(error=error)
    check = RememberedCheck(dependency, clock=clock) if is_remembered else dependency
    assert await CheckReadiness(checks={"embedder": check})() == [
        Waiting(dependency="embedder", reason=str(error), because=WaitsBecause.MISCONFIGURED)
    ]


@pytest.mark.parametrize("part", ReadinessPart)
async def test_a_service_that_is_about_to_stop_is_not_ready_for_anything(part: ReadinessPart) -> None:
    dependency = Dependency()
    stopping = asyncio.Event()
    readiness = CheckReadiness(checks={"postgres": dependency}, is_stopping=stopping.is_set)
    assert await readiness(part) == []
    stopping.set()
    (waiting,) = await readiness(part)
    assert (waiting.dependency, dependency.asked) == ("api", 1)


class Alive(SignsOfLife, Pinged):
    async def has_worker(self) -> bool:
        return True

    async def require_lasting(self) -> None:
        raise MisconfiguredError("it forgets")

    async def ping(self) -> str | None:
        return "no BM25"


class CountingEmbedder(HashingEmbedder):
    asked = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += 1
        return await super().embed(texts)


async def test_the_parts_name_dependencies_that_there_are(tmp_path: Path) -> None:
    embedder = CountingEmbedder()
    checks = readiness_checks(
        engine=create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none"),
        dispatcher=Alive(),
        index=Alive(),
        embedder=embedder,
        blobs=InMemoryBlobStore(),
        scratch=tmp_path,
        key=KEY,
        catalogue=InMemoryCatalogue(registry := InMemoryRegistry()),
        clock=Clock(),
    )
    assert set(NEEDED_FOR) == set(ReadinessPart) - {ReadinessPart.ALL}
    assert all(names < checks.keys() for names in NEEDED_FOR.values())
    for _ in range(3):
        found = await CheckReadiness(checks=checks)()
        assert [answer.dependency for answer in found] == ["postgres", "queue", "milvus", "vector index"]
    assert found[2] == Limited(dependency="milvus", notice="no BM25")
    assert found[1] == Waiting(dependency="queue", reason="it forgets", because=WaitsBecause.MISCONFIGURED)
    assert (found[3].dependency, found[3].state) == ("vector index", "incomplete")
    assert embedder.asked == 1
    registry.committed.indexes[KEY] = StoredIndex(is_complete=True)
    assert len(await CheckReadiness(checks=checks)()) == 3
