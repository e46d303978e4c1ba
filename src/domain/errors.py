"""What can go wrong, named by what the caller should do about it."""

from domain.findings import Finding
from domain.told import Told


class LadderbaseError(Exception):
    """The root of every error that the core raises."""


class InvalidUploadError(LadderbaseError):
    """The upload cannot be registered: correct what the findings name and send it again."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"the upload has {len(findings)} findings")
        self.findings = findings


class InvalidRequestError(LadderbaseError):
    """A field of the request cannot be used: correct it and ask again."""

    def __init__(self, field: str, message: Told, *, code: str = "field_invalid") -> None:
        super().__init__(message)
        self.field = field
        self.message = message
        self.code = code


class UnauthenticatedError(LadderbaseError):
    """Nobody knows who asks: come again with a credential that holds.

    `reason` is for the log, and so is `credential`, which is no more of it than may be shown.
    """

    def __init__(self, reason: str, *, credential: str = "") -> None:
        super().__init__(f"the credential does not hold: {reason}")
        self.reason = reason
        self.credential = credential


class ForbiddenError(LadderbaseError):
    """Whoever asks may not do this: ask with a credential that has the scope `needed`."""

    def __init__(self, needed: str) -> None:
        super().__init__(f"this needs the scope {needed}")
        self.needed = needed


class RateLimitedError(LadderbaseError):
    """This caller asks too often, or for too much at once: come again after `wait_s` seconds."""

    def __init__(self, message: Told, *, wait_s: float) -> None:
        super().__init__(message)
        self.message = message
        self.wait_s = wait_s


class BusyError(LadderbaseError):
    """There is no place left, whoever asks: come again after `wait_s` seconds."""

    def __init__(self, message: Told, *, wait_s: float) -> None:
        super().__init__(message)
        self.message = message
        self.wait_s = wait_s


class TooLargeError(LadderbaseError):
    """More bytes than the limit allows: send less."""

    def __init__(self, message: str, *, limit_bytes: int) -> None:
        super().__init__(message)
        self.limit_bytes = limit_bytes


class NotFoundError(LadderbaseError):
    """There is no such thing, or no longer: stop asking for it."""

    def __init__(self, kind: str, identity: str) -> None:
        super().__init__(f"there is no {kind} {identity}")
        self.kind = kind
        self.identity = identity


class ConflictError(LadderbaseError):
    """Somebody else moved on first: read the present state before deciding again."""


class ReusedKeyError(ConflictError):
    """The idempotency key is that of another request: send this one under a key of its own."""


class NotRemovableError(ConflictError):
    """The document came with its program's files: upload those anew without it, or delete the program."""


class TooManyDocumentsError(ConflictError):
    """The program has as many further documents as it may: remove one first."""


class UnavailableError(LadderbaseError):
    """A dependency gave no answer (timeout, lost connection, 5xx): try again later."""

    def __init__(self, dependency: str, reason: str) -> None:
        super().__init__(f"{dependency} is unavailable: {reason}")
        self.dependency = dependency
        self.reason = reason


class UnindexableError(LadderbaseError):
    """This one document can never be indexed as it is: mark it failed under `code`, do not retry."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NewerEventError(UnindexableError):
    """An event of a version that knows more: leave it to the workers of that one, who may not be there yet."""

    def __init__(self, message: str) -> None:
        super().__init__("event_unknown", message)


class MisconfiguredError(LadderbaseError):
    """A setting and the world disagree (a wrong dimension, a missing bucket): an operator must act."""
