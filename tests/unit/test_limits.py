"""How often, and how much at once: buckets of tokens on a clock that the test moves, and places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.places import UploadPlaces
from application.rate_limiter import RateLimiter
from domain.errors import BusyError, RateLimitedError
from domain.rate import Rate


class Limiter:
    """A limiter, and its clock."""

    def __init__(self, per_minute: int, *, capacity: int = 100) -> None:
        self.seconds = 1_000.0
        self.limiter = RateLimiter(Rate(per_minute=per_minute), monotonic=lambda: self.seconds, capacity=capacity)

    def taken(self, count: int, name: str = "kim") -> int:
        """How many of so many requests pass."""
        passed = 0
        for _ in range(count):
            try:
                self.limiter.take(name)
            except RateLimitedError:
                continue
            passed += 1
        return passed


def test_a_minutes_worth_passes_at_once_and_then_one_by_one() -> None:
    each = Limiter(30)
    assert each.taken(100) == 30
    each.seconds += 1.9
    assert each.taken(10) == 0
    each.seconds += 0.1
    assert each.taken(10) == 1


def test_the_refusal_says_when_there_is_a_token() -> None:
    each = Limiter(30)
    each.taken(30)
    each.seconds += 0.5
    with pytest.raises(RateLimitedError) as refused:
        each.limiter.take("kim")
    assert refused.value.wait_s == pytest.approx(1.5)
    each.seconds += refused.value.wait_s
    assert each.taken(2) == 1


def test_a_refusal_costs_no_token() -> None:
    each = Limiter(60)
    each.taken(1_000)
    each.seconds += 60
    assert each.taken(1_000) == 60


def test_nobody_pays_for_another() -> None:
    each = Limiter(2)
    assert (each.taken(5), each.taken(5, "lee")) == (2, 2)


def test_zero_is_as_often_as_one_likes() -> None:
    assert Limiter(0).taken(10_000) == 10_000


def test_names_without_end_are_not_remembered_without_end() -> None:
    each = Limiter(1, capacity=3)
    assert [each.taken(2, str(number)) for number in range(1_000)] == [1] * 1_000
    assert len(each.limiter._full_at_s) == 3
    assert each.taken(1, "999") == 0


@given(
    per_minute=st.integers(1, 500),
    pauses_s=st.lists(st.floats(0, 90, allow_nan=False), min_size=1, max_size=300),
)
def test_no_pattern_of_asking_gets_more_than_the_rate_and_one_minute_in_advance(
    per_minute: int, pauses_s: list[float]
) -> None:
    each = Limiter(per_minute)
    began, passed = each.seconds, 0
    for pause_s in pauses_s:
        each.seconds += pause_s
        passed += each.taken(3)
    assert passed <= per_minute + (each.seconds - began) / 60 * per_minute + 1


def test_places_are_given_until_there_is_none_and_come_back() -> None:
    places = UploadPlaces(total=2, per_caller=2)
    with places.taken_by("kim"):
        with places.taken_by("lee"), pytest.raises(BusyError), places.taken_by("park"):
            pass
        with places.taken_by("park"):
            pass


def test_one_caller_cannot_take_all_places() -> None:
    places = UploadPlaces(total=3, per_caller=2)
    with places.taken_by("kim"), places.taken_by("kim"):
        with pytest.raises(RateLimitedError), places.taken_by("kim"):
            pass
        with places.taken_by("lee"):
            pass


def test_nobody_in_particular_has_no_share() -> None:
    places = UploadPlaces(total=2, per_caller=1)
    with places.taken_by(""), places.taken_by(""), pytest.raises(BusyError), places.taken_by(""):
        pass


def test_a_place_comes_back_from_work_that_fails() -> None:
    places = UploadPlaces(total=1, per_caller=1)
    with pytest.raises(ZeroDivisionError), places.taken_by("kim"):
        raise ZeroDivisionError
    with places.taken_by("kim"):
        pass
