"""What is told of dependencies to whoever keeps the log, and not to whoever asks `/readyz`."""

import logging
from collections.abc import Sequence

from application.check_readiness import Limited, ReadinessPart, Waiting
from entrypoints.logs import log_fact

_log = logging.getLogger("ladderbase.readiness")


class ReadinessLog:
    """One for each process. Probes come every few seconds: a line is written when something has changed."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def note(self, found: Sequence[Waiting | Limited], part: ReadinessPart) -> None:
        """What a probe has found; what is waited for no longer is told by probes of the whole alone."""
        now = {entry.dependency: entry.state for entry in found}
        for entry in found:
            if self._told.get(entry.dependency) != entry.state:
                level = logging.WARNING if isinstance(entry, Waiting) else logging.INFO
                log_fact(_log, level, "dependency", name=entry.dependency, state=entry.state, reason=entry.text)
        if part is ReadinessPart.ALL:
            for name in self._told.keys() - now.keys():
                log_fact(_log, logging.INFO, "dependency", name=name, state="ready")
            self._told = now
        else:
            self._told |= now
