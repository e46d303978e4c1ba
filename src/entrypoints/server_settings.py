"""What is asked of the servers at a start: whether they are set up to keep what they are given."""

import asyncio
import logging
from collections.abc import Mapping

from application.check_readiness import Check, CheckReadiness, Limited
from domain.errors import UnavailableError

ASKED = ("postgres", "queue")
_LONGEST_S = 5.0
_log = logging.getLogger("ladderbase.start")


async def warn_of_settings(checks: Mapping[str, Check]) -> None:
    """Log what the readiness checks of these servers say now. Nobody is waited for: readiness goes on asking."""
    for found in await CheckReadiness(checks={name: checks[name] for name in ASKED})():
        said = found.notice if isinstance(found, Limited) else found.reason
        _log.warning("%s: %s", found.dependency, said)


async def require_lasting_queue(checks: Mapping[str, Check]) -> None:
    """Raise MisconfiguredError for a queue that forgets. One that is silent is for whoever needs it to complain of."""
    try:
        async with asyncio.timeout(_LONGEST_S):
            await checks["queue"]()
    except (UnavailableError, TimeoutError) as error:
        _log.warning("the queue could not be asked whether it forgets: %s", str(error) or type(error).__name__)
