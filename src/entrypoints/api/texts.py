"""Which texts and file names are taken from outside, and in which spelling they are kept."""

import re
import unicodedata

from domain.normal_forms import composed
from domain.told import Told, told

MAX_NAME_BYTES = 255
MAX_CHARACTERS = {"pgm_name": 200, "create_user": 200, "pgm_version": 100, "description": 4_000, "notes": 4_000}
TEXTS_WITH_LINES = frozenset({"description", "notes"})
_CONTROLS = r"\u0000-\u001f\u007f-\u009f"
LINE = f"^[^{_CONTROLS}]*$"
LINE_THAT_SAYS_SOMETHING = f"^[^{_CONTROLS}]*[^\\s{_CONTROLS}][^{_CONTROLS}]*$"
LINES = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
"""How a schema tells which texts are taken."""
_LINE_CHARACTERS = "\t\n\r"
_FORMAT_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NONCHARACTER = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17)) + "]"
)


class InvalidTextError(ValueError):
    """The text cannot be kept; the message says why, in words for its sender."""

    def __init__(self, message: Told) -> None:
        super().__init__(message)
        self.message = message


def plain_text(text: str, *, lines: bool = False) -> str:
    """Trim and compose (NFC) a text; `lines` allows line breaks and tabs. Raises InvalidTextError."""
    if against := unstorable(text):
        raise InvalidTextError(against)
    allowed = _LINE_CHARACTERS if lines else ""
    if any(unicodedata.category(character) == "Cc" and character not in allowed for character in text):
        raise InvalidTextError(told("it holds a control character"))
    return composed(text).strip()


def unstorable(text: str) -> Told | None:
    """Why no text column can hold this text; None when it can."""
    if "\0" in text:
        return told("it holds U+0000")
    if any("\ud800" <= character <= "\udfff" for character in text):
        return told("it holds half of a surrogate pair")
    if _NONCHARACTER.search(text):
        return told("it holds a code point that is no character")
    return None


def display_name(sent: str) -> str:
    """The name under which a file is shown: the last segment of what was sent, composed (NFC).

    It is never used as a path. Raises InvalidTextError for names that show something else than they are
    (control, bidirectional and zero-width characters), are blank, only dots, or longer than 255 bytes.
    """
    name = composed(re.split(r"[/\\]", sent)[-1]).strip()
    if any(unicodedata.category(character) in _FORMAT_CATEGORIES for character in sent) or unstorable(sent):
        raise InvalidTextError(told("the file name holds characters that cannot be seen"))
    if not name.strip(". "):
        raise InvalidTextError(told("the file has no name"))
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidTextError(told("the file name is longer than {most} bytes", most=MAX_NAME_BYTES))
    return name
