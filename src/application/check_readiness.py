"""Whether an upload would be accepted and searched now, and if not, what that waits for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from domain.errors import MisconfiguredError, UnavailableError

Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A dependency that is not ready, and why."""

    dependency: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReadiness:
    """Asks every dependency at once, each for `timeout_s` seconds at most."""

    checks: Mapping[str, Check]
    timeout_s: float = 2.0

    async def __call__(self) -> list[Waiting]:
        """What is waited for; empty when ready."""
        answers = await asyncio.gather(*(_ask(name, check, self.timeout_s) for name, check in self.checks.items()))
        return [answer for answer in answers if answer is not None]


async def _ask(dependency: str, check: Check, timeout_s: float) -> Waiting | None:
    try:
        async with asyncio.timeout(timeout_s):
            await check()
    except UnavailableError as error:
        return Waiting(dependency=dependency, reason=error.reason)
    except MisconfiguredError as error:
        return Waiting(dependency=dependency, reason=str(error))
    except TimeoutError:
        return Waiting(dependency=dependency, reason=f"no answer within {timeout_s:g} s")
    return None
