"""Searches are spared the wait for a server that was silent a moment ago, and one of them asks whether it is back."""

import asyncio

import pytest

from adapters.breaker import Breaker
from adapters.milvus.errors import NoAnswerError
from domain.errors import MisconfiguredError, UnavailableError

PAUSE_S = 2.0


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("milvus", clock=clock, silence=NoAnswerError, failures=3, pause_s=PAUSE_S)


def silent(breaker: Breaker, times: int = 1) -> None:
    """Calls that get through to the server and get no answer."""
    for _ in range(times):
        with pytest.raises(NoAnswerError), breaker.call():
            raise NoAnswerError("milvus", "no answer in time")


def answered(breaker: Breaker, *, proves: bool = True) -> None:
    with breaker.call(proves=proves):
        pass


def assert_fails_at_once(breaker: Breaker) -> None:
    got_through = False
    with pytest.raises(UnavailableError, match="asked again soon") as failure, breaker.call():
        got_through = True
    assert not got_through
    assert not isinstance(failure.value, NoAnswerError)


def test_two_calls_without_an_answer_leave_it_closed(breaker: Breaker) -> None:
    silent(breaker, 2)
    answered(breaker)


def test_after_three_calls_without_an_answer_the_next_fails_at_once(breaker: Breaker) -> None:
    silent(breaker, 3)
    assert_fails_at_once(breaker)


def test_calls_without_an_answer_count_in_a_row_alone(breaker: Breaker) -> None:
    for _ in range(3):
        silent(breaker, 2)
        answered(breaker)
    silent(breaker, 2)
    answered(breaker)


def test_calls_at_once_that_get_no_answer_open_it_together(breaker: Breaker) -> None:
    with breaker.call(), breaker.call():
        silent(breaker, 3)
    # The two that were under way were answered after all: the server is there.
    answered(breaker)


def test_it_stays_open_until_the_pause_is_over(breaker: Breaker, clock: Clock) -> None:
    silent(breaker, 3)
    clock.now_s += PAUSE_S - 0.01
    assert_fails_at_once(breaker)
    clock.now_s += 0.01
    answered(breaker)


def test_refused_calls_do_not_prolong_the_pause(breaker: Breaker, clock: Clock) -> None:
    silent(breaker, 3)
    clock.now_s += PAUSE_S / 2
    assert_fails_at_once(breaker)
    clock.now_s += PAUSE_S / 2
    answered(breaker)


def test_an_answer_to_the_probe_closes_it_for_everybody(breaker: Breaker, clock: Clock) -> None:
    silent(breaker, 3)
    clock.now_s += PAUSE_S
    answered(breaker)
    silent(breaker, 2)
    answered(breaker)


def test_silence_to_the_probe_opens_it_anew_from_then_on(breaker: Breaker, clock: Clock) -> None:
    silent(breaker, 3)
    clock.now_s += PAUSE_S
    silent(breaker)
    assert_fails_at_once(breaker)
    clock.now_s += PAUSE_S - 0.01
    assert_fails_at_once(breaker)
    clock.now_s += 0.01
    answered(breaker)


def test_one_call_at_a_time_is_the_probe(breaker: Breaker, clock: Clock) -> None:
    silent(breaker, 3)
    clock.now_s += PAUSE_S
    with breaker.call():
        assert_fails_at_once(breaker)
        clock.now_s += 10 * PAUSE_S
        assert_fails_at_once(breaker)
    answered(breaker)


async def test_a_probe_that_its_caller_gives_up_frees_the_place_and_says_nothing(
    breaker: Breaker, clock: Clock
) -> None:
    silent(breaker, 3)
    clock.now_s += PAUSE_S

    async def search() -> None:
        with breaker.call():
            await asyncio.Event().wait()

    probe = asyncio.create_task(search())
    await asyncio.sleep(0)
    assert_fails_at_once(breaker)
    probe.cancel()
    await asyncio.wait({probe})
    silent(breaker)  # the next one is the probe, and the breaker is as open as before
    assert_fails_at_once(breaker)


async def test_calls_that_are_given_up_do_not_open_it(breaker: Breaker) -> None:
    for _ in range(5):
        with pytest.raises(asyncio.CancelledError), breaker.call():
            raise asyncio.CancelledError
    answered(breaker)


@pytest.mark.parametrize(
    "error",
    [UnavailableError("milvus", "the collection is missing"), MisconfiguredError("no such field"), ValueError("a bug")],
)
def test_an_error_that_the_server_answered_is_an_answer(breaker: Breaker, clock: Clock, error: Exception) -> None:
    for _ in range(5):
        with pytest.raises(type(error)), breaker.call():
            raise error
    silent(breaker, 2)
    answered(breaker)
    silent(breaker, 3)
    clock.now_s += PAUSE_S
    with pytest.raises(type(error)), breaker.call():
        raise error
    silent(breaker, 2)
    answered(breaker)


def test_an_answer_that_does_not_prove_a_search_lets_calls_through_until_the_first_silence(
    breaker: Breaker, clock: Clock
) -> None:
    silent(breaker, 3)
    clock.now_s += PAUSE_S
    answered(breaker, proves=False)
    with breaker.call(), breaker.call():  # no probes any more: both get through
        pass
    silent(breaker, 3)
    clock.now_s += PAUSE_S
    answered(breaker, proves=False)
    silent(breaker)
    assert_fails_at_once(breaker)


def test_an_answer_that_does_not_prove_a_search_forgets_no_silence(breaker: Breaker) -> None:
    silent(breaker, 2)
    answered(breaker, proves=False)
    silent(breaker)
    assert_fails_at_once(breaker)


def test_an_error_answered_to_a_call_that_does_not_prove_a_search_lets_calls_through(
    breaker: Breaker, clock: Clock
) -> None:
    silent(breaker, 3)
    clock.now_s += PAUSE_S
    with pytest.raises(MisconfiguredError), breaker.call(proves=False):
        raise MisconfiguredError("Milvus 2.2 is too old")
    silent(breaker)
    assert_fails_at_once(breaker)


def test_a_late_answer_to_a_call_from_before_closes_it(breaker: Breaker) -> None:
    with breaker.call():
        silent(breaker, 3)
        assert_fails_at_once(breaker)
    answered(breaker)
