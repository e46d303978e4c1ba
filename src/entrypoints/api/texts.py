"""Which texts and file names are taken from outside, and in which spelling they are kept."""

import re
import unicodedata

MAX_NAME_BYTES = 255
_LINE_CHARACTERS = "\t\n\r"
_FORMAT_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NONCHARACTER = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17)) + "]"
)


class InvalidTextError(ValueError):
    """The text cannot be kept; the message says why, in words for its sender."""


def plain_text(text: str, *, lines: bool = False) -> str:
    """Trim and compose (NFC) a text; `lines` allows line breaks and tabs. Raises InvalidTextError."""
    if storable := unstorable(text):
        raise InvalidTextError(storable)
    allowed = _LINE_CHARACTERS if lines else ""
    if any(unicodedata.category(character) == "Cc" and character not in allowed for character in text):
        raise InvalidTextError("it holds a control character")
    return unicodedata.normalize("NFC", text).strip()


def unstorable(text: str) -> str:
    """Why no text column can hold this text; empty when it can."""
    if "\0" in text:
        return "it holds U+0000"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "it holds half of a surrogate pair"
    if _NONCHARACTER.search(text):
        return "it holds a code point that is no character"
    return ""


def display_name(sent: str) -> str:
    """The name under which a file is shown: the last segment of what was sent, composed (NFC).

    It is never used as a path. Raises InvalidTextError for names that show something else than they are
    (control, bidirectional and zero-width characters), are blank, only dots, or longer than 255 bytes.
    """
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", sent)[-1]).strip()
    if any(unicodedata.category(character) in _FORMAT_CATEGORIES for character in sent) or unstorable(sent):
        raise InvalidTextError("the file name holds characters that cannot be seen")
    if not name.strip(". "):
        raise InvalidTextError("the file has no name")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidTextError(f"the file name is longer than {MAX_NAME_BYTES} bytes")
    return name
