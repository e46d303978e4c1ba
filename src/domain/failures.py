"""The history of what went wrong: an entry for each attempt that failed, and for each document that failed for good."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from domain.document import DocumentRef, Failure
from domain.errors import MisconfiguredError, UnavailableError
from domain.events import DocumentsRegistered, StartedEvent


class Stage(StrEnum):
    """What was being done when it failed; unknown where the worker was gone before it could say."""

    READ = "read"
    EMBED = "embed"
    INDEX = "index"
    PROVE = "prove"
    RECORD = "record"
    UNKNOWN = "unknown"


Reached = Callable[[Stage], None]
"""Told of each stage as it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAttempt:
    """Attempt number `attempt` at an event, and the documents that it failed for; `is_final` if for good."""

    pgm_id: str
    documents: tuple[DocumentRef, ...]
    event_id: int
    attempt: int
    stage: Stage
    failure: Failure
    is_final: bool = False

    @classmethod
    def of(cls, started: StartedEvent, failure: Failure, *, stage: Stage) -> Self:
        """Of every document of an event; it is tried again."""
        event = started.event
        return cls(
            pgm_id=event.pgm_id,
            documents=event.documents if isinstance(event, DocumentsRegistered) else (),
            event_id=started.event_id,
            attempt=started.attempts,
            stage=stage,
            failure=failure,
        )

    def repeats(self, last: Self) -> bool:
        """Whether an entry of the same event tells all of this already."""
        mine, its = ((each.attempt, each.stage, each.failure.code, each.is_final) for each in (self, last))
        return mine == its

    def final_for(self, ref: DocumentRef) -> Self:
        """The same of one document, which it failed for good."""
        return replace(self, documents=(ref,), is_final=True)


def passing_failure(error: UnavailableError | MisconfiguredError | OSError) -> Failure:
    """What everybody may know of an error that is tried again.

    Never its own text: that is for the log, and may quote addresses, paths and statements.
    """
    match error:
        case UnavailableError():
            return Failure(code="unavailable", message=f"{error.dependency} gave no answer that could be used")
        case MisconfiguredError():
            return Failure(code="misconfigured", message="a dependency and the settings disagree: see the worker's log")
        case TimeoutError():
            return Failure(code="timeout", message="it was not done in time")
        case _:
            reason = os.strerror(error.errno) if error.errno else "the system refused it"
            return Failure(code="io_error", message=reason)
