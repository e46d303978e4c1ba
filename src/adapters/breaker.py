"""Spares searches the wait for a server that gives no answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from domain.errors import UnavailableError


class Breaker:
    """Opens after `failures` calls in a row without an answer: then calls fail at once for `pause_s` seconds.

    After the pause one call is let through as a probe. An answer closes the breaker, silence opens it anew.
    Silence is an error of the type `silence`. Any other error is an answer; a call that its caller gave up says
    nothing.
    """

    def __init__(
        self,
        dependency: str,
        *,
        clock: Callable[[], float],
        silence: type[UnavailableError] = UnavailableError,
        failures: int = 3,
        pause_s: float = 2.0,
    ) -> None:
        self._dependency = dependency
        self._clock = clock
        self._silence = silence
        self._failures = failures
        self._pause_s = pause_s
        self._in_a_row = 0
        self._opened_at_s = 0.0
        self._is_probing = False

    @contextmanager
    def call(self, *, proves: bool = True) -> Iterator[None]:
        """Run one call. Raises UnavailableError at once while open.

        `proves` is False where an answer shows that there is a server, but not yet that it searches: such an
        answer lets the next calls through, and the first of them that gets none opens the breaker again.
        """
        is_probe = self._enter()
        try:
            yield
        except self._silence:
            self._in_a_row += 1
            self._opened_at_s = self._clock()
            raise
        except Exception:
            self._answered(proves=proves)
            raise
        else:
            self._answered(proves=proves)
        finally:
            if is_probe:
                self._is_probing = False

    def _enter(self) -> bool:
        """Whether this call is a probe."""
        if self._in_a_row < self._failures:
            return False
        if self._is_probing or self._clock() < self._opened_at_s + self._pause_s:
            raise UnavailableError(self._dependency, "it gave no answer a moment ago and is asked again soon")
        self._is_probing = True
        return True

    def _answered(self, *, proves: bool) -> None:
        self._in_a_row = 0 if proves else min(self._in_a_row, self._failures - 1)
