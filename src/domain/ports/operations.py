"""The reads of whoever operates the service: frozen views of what failed and what waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.failures import FailedAttempt
from domain.ports.catalogue import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFailure:
    """An entry of the history, and when it was recorded."""

    attempt: FailedAttempt
    failed_dt: datetime


class Operations(Protocol):
    """Deleted programs and their documents are unknown here. Raises UnavailableError like every port."""

    async def failures(
        self, pgm_id: str, *, limit: int, cursor: str | None = None, document_id: str | None = None
    ) -> Page[RecordedFailure]:
        """The failures of a program, or those that concern one document of it, newest first.

        Raises NotFoundError for an unknown program, InvalidRequestError for a cursor it did not give out.
        """
        ...

    async def programs_with_failures(self, *, limit: int, cursor: str | None = None) -> Page[str]:
        """The programs of which documents have failed, oldest first. Raises InvalidRequestError as above."""
        ...
