"""Who is asking, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum

from domain.errors import ForbiddenError, InvalidRequestError
from domain.normal_forms import composed
from domain.told import told

MAX_NAME_CHARACTERS = 200


class Scope(StrEnum):
    """What a credential allows, from the least to the most: each allows what stands before it too."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def level(self) -> int:
        """Its place in the order."""
        return list(Scope).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. `name` is what people are shown, `identity` tells two callers of one name apart.

    `credential` is what may be shown of that by which they are known; both texts are empty where nobody is asked who
    they are.
    """

    identity: str
    name: str
    scopes: frozenset[Scope]
    credential: str = ""

    def may(self, needed: Scope) -> bool:
        """Whether any of the scopes allows it."""
        return any(scope.level >= needed.level for scope in self.scopes)

    def require(self, needed: Scope) -> None:
        """Raise ForbiddenError unless the caller may."""
        if not self.may(needed):
            raise ForbiddenError(needed)


ANYBODY = Caller(identity="", name="", scopes=frozenset(Scope))
"""Whoever asks where nobody has to say who they are."""

NOBODY = Caller(identity="", name="", scopes=frozenset())
"""Whoever asks for what is open to all."""


def caller_name(text: str) -> str:
    """A name as it is kept: trimmed and composed (NFC). Raises InvalidRequestError for what no line can show."""
    name = composed(text).strip()
    if not name or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        message = told("it is not 1 to {most} characters that can be seen", most=MAX_NAME_CHARACTERS)
        raise InvalidRequestError("name", message)
    return name
