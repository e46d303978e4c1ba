"""The names of archive entries: decoded as Korean Windows wrote them, and refused where they could do harm."""

import re
import struct
import unicodedata
import zlib
from collections.abc import Iterable

from adapters.plc_files.archive_problems import name_encoding, name_too_long, unsafe_path
from adapters.plc_files.zip_records import UNICODE_PATH_EXTRA, UTF8_FLAG, CentralEntry
from domain.normal_forms import composed
from domain.told import Told, told
from domain.upload import UploadLimits

_UNICODE_PATH = struct.Struct("<BL")  # version and CRC-32 of the raw name; the UTF-8 path follows
_NONCHARACTERS = re.compile(
    "[\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)
_DEVICE_NAMES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"}
)
_JUNK_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_JUNK_FOLDER = "__MACOSX"
_MOST_RAW_BYTES = 8_192  # eight levels of 255 bytes each, and room for macOS, which writes a syllable as three letters
_FORMAT_CHARACTERS_OF_WORDS = frozenset("\u200c\u200d")  # Persian and emoji need the joiners; the rest only deceives


def stored_name(entry: CentralEntry) -> str:
    """The raw name as lossless text, equal to what zipfile calls it: UTF-8 where flagged, else CP437."""
    if entry.flags & UTF8_FLAG:
        return entry.raw_name.decode("utf-8", "surrogateescape")
    return entry.raw_name.decode("cp437")


def decoded_name(entry: CentralEntry) -> str:
    """The name that people gave the file, NFC. Raises ArchiveProblem where no encoding explains it.

    Order: the UTF-8 flag; Info-ZIP's Unicode path (only while its CRC fits the raw name); plain UTF-8, which macOS
    and Linux write without the flag; CP949, which Korean Windows writes. One that is far too long is not looked at.
    """
    if len(entry.raw_name) > _MOST_RAW_BYTES:
        start = entry.raw_name[:256].decode("ascii", "backslashreplace")
        raise name_too_long(start, told("has a name of more than {most} bytes", most=_MOST_RAW_BYTES))
    if entry.flags & UTF8_FLAG:
        name = _strictly(entry.raw_name, ("utf-8",))
    else:
        name = _unicode_path(entry) or _strictly(entry.raw_name, ("utf-8", "cp949"))
    if name is None:
        raise name_encoding(entry.raw_name.decode("ascii", "backslashreplace"))
    return composed(name)


def _strictly(raw_name: bytes, encodings: Iterable[str]) -> str | None:
    for encoding in encodings:
        try:
            return raw_name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _unicode_path(entry: CentralEntry) -> str | None:
    content = entry.extra.get(UNICODE_PATH_EXTRA, b"")
    if len(content) <= _UNICODE_PATH.size:
        return None
    version, crc = _UNICODE_PATH.unpack_from(content)
    if version != 1 or crc != zlib.crc32(entry.raw_name):
        return None
    return _strictly(content[_UNICODE_PATH.size :], ("utf-8",))


def is_junk(name: str) -> bool:
    """Whether an operating system put the file there, not its owner."""
    segments = name.split("/")
    return segments[0] == _JUNK_FOLDER or segments[-1].casefold() in _JUNK_NAMES or segments[-1].startswith("._")


def check_name(name: str, raw_name: bytes, limits: UploadLimits) -> None:
    """Refuse names that are no plain relative path on every system. Raises ArchiveProblem."""
    if b"\0" in raw_name or "\0" in name:
        raise unsafe_path(name, told("it holds a NUL character"))
    segments = name.removesuffix("/").split("/")
    if any(len(segment.encode()) > limits.name_bytes for segment in segments):
        raise name_too_long(name, told("has a name of more than {most} bytes", most=limits.name_bytes))
    if len(segments) > limits.path_depth:
        reason = told("lies {depth} levels deep, deeper than {most}", depth=len(segments), most=limits.path_depth)
        raise name_too_long(name, reason)
    if against := next(filter(None, map(_reason_against, segments)), None):
        raise unsafe_path(name, against)


def _reason_against(segment: str) -> Told | None:
    if segment in {"", ".", ".."}:
        return told("its path is absolute or has empty, '.' or '..' parts")
    if "\\" in segment or ":" in segment:
        return told("it holds a backslash or a colon")
    if any(_deceives(character) for character in segment):
        return told("it holds control or invisible characters")
    if segment[-1] in ". ":
        return told("a part of it ends in a dot or a blank")
    if segment.partition(".")[0].rstrip(" ").casefold() in _DEVICE_NAMES:
        return told("a part of it is the name of a Windows device")
    return None


def _deceives(character: str) -> bool:
    """Control characters, line separators, bidi overrides, zero-width characters, noncharacters."""
    category = unicodedata.category(character)
    if category == "Cn":
        return bool(_NONCHARACTERS.match(character))
    return category in {"Cc", "Zl", "Zp", "Cs"} or (category == "Cf" and character not in _FORMAT_CHARACTERS_OF_WORDS)


def comparable(name: str) -> str:
    """Names that some file system takes for one and the same compare equal."""
    return composed(composed(name).casefold()).removesuffix("/")
