"""Following an indexing: every state is told, whenever one looks, and nobody is waited for."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.delete_program import DeleteProgram
from application.follow_indexing import FollowIndexing, Signal
from application.indexing_watch import IndexingWatch
from builders.service import Service, a_service, connected, some_limits
from domain.document import DocumentState
from domain.errors import BusyError, NotFoundError, UnavailableError
from domain.indexing_standing import IndexingStanding, Position
from domain.program import IndexingProgress

PENDING, INDEXING, INDEXED = DocumentState.PENDING, DocumentState.INDEXING, DocumentState.INDEXED
URL = "/v1/programs/PGM_1/indexing/events"


def standing(*states: DocumentState, revision: int = 1, generations: int = 3, fingerprint: int = 7) -> IndexingStanding:
    counts = {state: states.count(state) for state in {*states, DocumentState.SKIPPED}}
    counts[DocumentState.SKIPPED] += 1
    return IndexingStanding(
        pgm_id="PGM_1",
        revision=revision,
        answering=1,
        generations=generations,
        fingerprint=fingerprint,
        progress=IndexingProgress(counts=counts),
    )


AT_FIRST = standing(PENDING, PENDING)
BEGUN = standing(INDEXING, PENDING)
HALF = standing(INDEXED, PENDING)
ENDED = standing(INDEXED, INDEXED)


def states(*told: IndexingStanding | Signal) -> list[str]:
    return [one.value if isinstance(one, Signal) else one.state.value for one in told]


def test_whoever_was_told_nothing_is_told_how_things_are() -> None:
    assert [AT_FIRST.since(None), HALF.since(None), ENDED.since(None)] == [(AT_FIRST,), (HALF,), (ENDED,)]


def test_a_state_that_went_by_between_two_looks_is_told_all_the_same() -> None:
    told = ENDED.since(AT_FIRST.position)
    assert states(*told) == ["indexing", "indexed"]
    assert told[0].position == BEGUN.position


def test_progress_is_told_once() -> None:
    assert HALF.since(BEGUN.position) == (HALF,)
    assert HALF.since(HALF.position) == ()


def test_a_revision_that_went_by_whole_is_told_from_its_beginning() -> None:
    told = standing(INDEXED, revision=2, generations=2).since(ENDED.position)
    assert states(*told) == ["pending", "indexing", "indexed"]


def test_other_documents_whose_generations_come_to_the_same_are_another_run() -> None:
    others = standing(INDEXED, INDEXED, fingerprint=-7)
    assert states(*others.since(ENDED.position)) == ["indexing", "indexed"]
    assert others.since(Position.read(str(others.position))) == ()


def test_an_id_of_an_older_version_goes_on() -> None:
    old = Position.read("1-3-2-3")
    assert old is not None
    assert (str(old), ENDED.since(old)) == ("1-3-2-3", ())


def test_what_was_told_of_moments_that_a_backup_has_undone_counts_for_nothing() -> None:
    assert HALF.since(replace(ENDED, revision=9).position) == (HALF,)


@given(st.text(max_size=80) | st.from_regex(r"-?\d{0,20}(-\d{0,20}){3}", fullmatch=True))
def test_an_id_that_nobody_gave_out_is_none(written: str) -> None:
    read = Position.read(written)
    assert read is None or Position.read(str(read)) == read


def test_an_id_is_read_as_it_was_written() -> None:
    read = Position.read(str(HALF.position))
    assert read == HALF.position
    assert read.documents == HALF.position.documents == f"{7:016x}"


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    service = await a_service(tmp_path)
    await service.register()
    return service


def following(service: Service, *, heartbeat_s: float = 60.0, longest_s: float = 60.0) -> FollowIndexing:
    """Looks a hundred times a second."""
    monotonic = asyncio.get_running_loop().time
    return FollowIndexing(
        watch=IndexingWatch(service.progress, monotonic=monotonic, every_s=0.01),
        stopping=service.container.stopping(),
        monotonic=monotonic,
        heartbeat_s=heartbeat_s,
        longest_s=longest_s,
    )


async def followed(follow: FollowIndexing, last: Position | None = None) -> AsyncIterator[IndexingStanding | Signal]:
    async for told in follow.follow(await follow.begin("PGM_1"), last):
        yield told


async def test_twenty_followers_are_told_every_state_by_the_looks_of_one(service: Service) -> None:
    follow = following(service)
    streams = [followed(follow) for _ in range(20)]
    told = [[await anext(stream)] for stream in streams]

    async def the_rest(
        stream: AsyncIterator[IndexingStanding | Signal], so_far: list[IndexingStanding | Signal]
    ) -> None:
        so_far.extend([one async for one in stream])

    waiting = [asyncio.create_task(the_rest(*each)) for each in zip(streams, told, strict=True)]
    begun_with = service.progress.looks
    await asyncio.sleep(0.2)
    looks = service.progress.looks - begun_with
    await service.work()
    await asyncio.gather(*waiting)
    assert {tuple(dict.fromkeys(states(*one))) for one in told} == {("pending", "indexing", "indexed")}
    assert 1 < looks <= 25, "each of the followers looks for itself"


async def test_a_follower_that_comes_back_is_told_what_came_after(service: Service) -> None:
    follow = following(service)
    stream = followed(follow)
    first = await anext(stream)
    assert isinstance(first, IndexingStanding)
    await service.work()
    assert states(*[one async for one in followed(follow, first.position)]) == ["indexing", "indexed"]


async def test_a_deleted_program_is_the_last_thing_that_is_told(service: Service) -> None:
    stream = followed(following(service))
    await anext(stream)
    delete: DeleteProgram = service.container.delete_program()
    await delete("PGM_1")
    assert states(*[one async for one in stream]) == ["deleted"]


async def test_a_record_that_gives_no_answer_is_looked_at_again(service: Service) -> None:
    stream = followed(following(service))
    await anext(stream)
    service.progress.fails_with = UnavailableError("database", "down")

    async def the_next() -> IndexingStanding | Signal:
        return await anext(stream)

    going_on = asyncio.create_task(the_next())
    await asyncio.sleep(0.1)
    service.progress.fails_with = None
    await service.work()
    assert states(await going_on) == ["indexing"]


async def test_a_silent_stream_gives_signs_of_life_and_ends_in_time(service: Service) -> None:
    told = [one async for one in followed(following(service, heartbeat_s=0.05, longest_s=0.3))]
    assert states(told[0]) == ["pending"]
    assert set(told[1:]) == {Signal.STILL_HERE}


async def test_streams_end_and_none_begins_when_the_process_is_to_stop(service: Service) -> None:
    follow = following(service)
    stream = followed(follow)
    await anext(stream)
    service.container.stopping().set()
    async with asyncio.timeout(5):  # a stream that heeds nothing ends after `longest_s`, too
        assert [one async for one in stream] == []
    with pytest.raises(BusyError):
        await follow.begin("PGM_1")


async def test_looks_are_forgotten_with_time(service: Service) -> None:
    now = 0.0
    watch = IndexingWatch(service.progress, monotonic=lambda: now)
    for number in range(100):
        now += 1
        with pytest.raises(NotFoundError):
            await watch.look(f"PGM_{number + 100}")
    assert len(watch._looks) <= 61


async def test_over_http_an_ended_indexing_is_one_event_and_nothing_more_for_whoever_has_it(service: Service) -> None:
    await service.work()
    async with connected(service) as client:
        answer = await client.get(URL)
        lines = answer.text.splitlines()
        (event_id,) = (line.removeprefix("id: ") for line in lines if line.startswith("id: "))
        again = await client.get(URL, headers={"Last-Event-ID": event_id})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert [line for line in lines if line.startswith("event: ")] == ["event: indexed"]
    assert (again.status_code, again.content) == (204, b"")


async def test_over_http_an_unknown_program_is_a_404_and_the_place_is_free_again(tmp_path: Path) -> None:
    service = await a_service(tmp_path, limits=some_limits(lambda: 0.0, streams=1))
    async with connected(service) as client:
        for _ in range(3):
            answer = await client.get(URL)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_one_stream_more_than_there_are_places_is_busy(service: Service) -> None:
    limits = some_limits(lambda: 0.0, streams=1)
    service.container.limits.override(limits)
    async with connected(service) as client:
        with limits.streams.taken_by(""):
            answer = await client.get(URL)
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "busy", "5")
