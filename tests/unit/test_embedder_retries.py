"""When a request to an embedder is made again, and when that ends."""

import asyncio
from datetime import UTC, datetime

import pytest

from adapters.embedding.retries import ATTEMPTS, PassingError, pause_after, retried
from domain.errors import UnavailableError

NOW = datetime(2026, 11, 5, 12, 0, 0, tzinfo=UTC)


class Attempts:
    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        if self._errors:
            raise self._errors.pop(0)
        return "answer"


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_what_passes_is_tried_again() -> None:
    attempts = Attempts(PassingError("HTTP 500"))
    assert await retried(attempts, ends_at=in_seconds(60)) == "answer"
    assert attempts.made == 2


async def test_the_attempts_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.embedding.retries._FIRST_PAUSE_S", 0.001)
    attempts = Attempts(*(PassingError(f"HTTP 50{number}") for number in range(ATTEMPTS)))
    with pytest.raises(UnavailableError, match="HTTP 503"):
        await retried(attempts, ends_at=in_seconds(60))
    assert attempts.made == ATTEMPTS


async def test_a_wait_that_ends_too_late_is_not_begun() -> None:
    attempts = Attempts(PassingError("HTTP 429", wait_s=3_600))
    with pytest.raises(UnavailableError, match="HTTP 429"):
        async with asyncio.timeout(1):
            await retried(attempts, ends_at=in_seconds(60))
    assert attempts.made == 1


async def test_any_other_error_ends_the_attempts() -> None:
    attempts = Attempts(KeyError("a bug"))
    with pytest.raises(KeyError):
        await retried(attempts, ends_at=in_seconds(60))
    assert attempts.made == 1


def test_pauses_double_up_to_a_limit_and_jitter_takes_up_to_half() -> None:
    assert [pause_after(made, asked_s=None, jitter=0) for made in (1, 2, 3, 9, 999)] == [0.25, 0.5, 1, 4, 4]
    assert pause_after(2, asked_s=None, jitter=0.5) == 0.375


def test_a_server_may_ask_for_a_longer_pause_but_not_for_none() -> None:
    assert pause_after(1, asked_s=7, jitter=0) == 7
    assert pause_after(1, asked_s=0, jitter=0) == 0.25
