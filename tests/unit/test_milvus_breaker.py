"""The breaker in front of a silent server."""

import pytest

from adapters.milvus.breaker import Breaker
from adapters.milvus.errors import NoAnswerError
from domain.errors import UnavailableError


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _silence(breaker: Breaker, times: int = 3) -> None:
    for _ in range(times):
        with pytest.raises(NoAnswerError), breaker.call():
            raise NoAnswerError("milvus", "no answer in time")


def _is_let_through(breaker: Breaker) -> bool:
    try:
        with breaker.call():
            return True
    except UnavailableError:
        return False


def test_after_three_calls_without_an_answer_the_next_fail_at_once(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    _silence(breaker, 2)
    assert _is_let_through(breaker)
    _silence(breaker)
    assert not _is_let_through(breaker)


def test_after_a_pause_one_call_at_a_time_is_let_through(clock: Clock) -> None:
    breaker = Breaker(clock=clock, pause_s=2.0)
    _silence(breaker)
    clock.now_s = 1.9
    assert not _is_let_through(breaker)
    clock.now_s = 2.0
    with breaker.call():
        assert not _is_let_through(breaker)
    assert _is_let_through(breaker)


def test_a_probe_without_an_answer_opens_it_anew(clock: Clock) -> None:
    breaker = Breaker(clock=clock, pause_s=2.0)
    _silence(breaker)
    clock.now_s = 2.0
    _silence(breaker, 1)
    clock.now_s = 3.9
    assert not _is_let_through(breaker)


def test_an_error_that_the_server_answered_is_an_answer(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    for _ in range(4):
        with pytest.raises(UnavailableError), breaker.call():
            raise UnavailableError("milvus", "the collection is missing")
    assert _is_let_through(breaker)
