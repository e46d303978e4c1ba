"""The record of the audits that workers do by turns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """What an audit found: how much of which kind of drift, nothing of a kind that was not found."""

    ended_at: datetime
    counts: Mapping[str, int]


class AuditLog(Protocol):
    """All times are the database's. Raises UnavailableError like every port."""

    async def take_turn(self, *, every: timedelta, lease: timedelta) -> bool:
        """Begin an audit where the last one began longer ago than `every`; of several that ask at once, one may.

        One that was begun and not recorded is given to another after `lease`.
        """
        ...

    async def record(self, counts: Mapping[str, int]) -> None:
        """Record what the audit that was begun last has found."""
        ...

    async def last(self) -> AuditRecord | None:
        """The last one that was recorded."""
        ...
