"""Requests that may be repeated: the key that a caller gives one, what it asks for, and the answer that is kept."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from domain.errors import InvalidRequestError, ReusedKeyError
from domain.told import told

MAX_KEY_CHARACTERS = 255
_PRINTABLE = re.compile(rf"[ -~]{{1,{MAX_KEY_CHARACTERS}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A caller's name for one request, 1 to 255 printable ASCII characters; each operation has names of its own.

    And so has each `client`, a caller's identity; it is empty for whoever need not say who they are. Raises
    InvalidRequestError.
    """

    operation: str
    name: str
    client: str = ""

    def __post_init__(self) -> None:
        if not _PRINTABLE.fullmatch(self.name):
            raise InvalidRequestError(
                "idempotency_key",
                told("it is not 1 to {most} printable ASCII characters", most=MAX_KEY_CHARACTERS),
                code="idempotency_key_invalid",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file of a request: the name its sender gave it, and the SHA-256 (hex) of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """A request under a key; `fingerprint` tells it from every other request."""

    key: IdempotencyKey
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What a request was answered, in bytes that only the edge can read, and the program that it is about."""

    request: KeyedRequest
    pgm_id: str
    answer: bytes

    def require_repeat(self, request: KeyedRequest) -> None:
        """Raise ReusedKeyError unless this is the answer to that very request."""
        if request != self.request:
            raise ReusedKeyError("the idempotency key was used for another request")


def keyed_request(
    key: IdempotencyKey, *, target: str = "", texts: Mapping[str, str], files: Mapping[str, SentFile]
) -> KeyedRequest:
    """A request by its key and by all that it asks for: texts by field, files by role.

    `target` is what the operation changes, where it does not make something new. A blank text is as good as none.
    Every part is told from its neighbours, so that no two requests have one fingerprint. A change of this function
    turns the repeats of what was answered before into conflicts.
    """
    told = {field: text for field, text in texts.items() if text}
    asked = [key.operation, target, told, {role: [file.name, file.sha256] for role, file in files.items()}]
    return KeyedRequest(key=key, fingerprint=sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest())
