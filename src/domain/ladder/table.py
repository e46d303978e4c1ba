"""From bytes to cells: the encodings and delimiters in which ladder and comment CSVs really come.

GX Works writes UTF-16LE with a BOM, tabs and quotes; people re-save as UTF-8, cp949 or cp932 with commas.
"""

import codecs
import csv
import io
import re
from dataclasses import dataclass

from domain.errors import LadderbaseError
from domain.normal_forms import compatible
from domain.told import Told, told

MAX_ROWS = 200_000
MAX_COLUMNS = 500
MAX_CELL_CHARACTERS = 32_767
_LINES_SHOWING_DELIMITER = 3
_BOM = "\ufeff"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# U+FFFE and U+FFFF of every plane, U+FDD0..U+FDEF: no text holds them, a wrongly read binary file does.
_NO_TEXT = re.compile(
    "[\ufdd0-\ufdef" + "".join(f"{chr(p + 0xFFFE)}{chr(p + 0xFFFF)}" for p in range(0, 0x110000, 0x10000)) + "]"
)
# All the rest, and no NUL: nearly every text matches to its end, in a fifth of the time of a search for the above.
_TEXT = re.compile("[\1-\ufdcf\ufdf0-\ufffd\U00010000-\U0001fffd\U00020000-\U0002fffd]*+")
_BOM_OF_A_LINE = re.compile(f"^{_BOM}+", re.MULTILINE)
_HALF_WIDTH_KATAKANA = re.compile("[\uff61-\uff9f]")
_HALF_WIDTH_WORD = re.compile("(?<![\uff61-\uff9f\u3041-\u9fff])[\uff66-\uff9f]{2,}(?![\uff61-\uff65])")
_JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
# What the codecs make of bytes that stand for nothing: 0x80, 0xA0, and the user-defined rows as private characters.
_CODEC_MAKESHIFT = re.compile("[\x80\xa0\ue000-\uf8ff]")
_FOREIGN = re.compile("[^\x00-\x7f]+")
_FOREIGN_CHARACTERS = 200_000
_HANGUL = re.compile("[\uac00-\ud7a3]")


class TableError(LadderbaseError):
    """The bytes are no table of the promised shape. `row` counts from 1; None where the whole file is meant."""

    def __init__(self, code: str, message: Told, *, hint: Told, row: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.row = row


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells as found: rows may differ in width. `encoding` is a Python codec's name, `delimiter` one character."""

    encoding: str
    delimiter: str
    rows: tuple[tuple[str, ...], ...]


def decode_table(content: bytes) -> Table:
    """Find out encoding and delimiter and split into cells. Raises TableError."""
    encoding, text = _read_text(content)
    delimiter = _delimiter_of(text)
    return Table(encoding=encoding, delimiter=delimiter, rows=_split(text, delimiter))


def decode_text(content: bytes) -> str:
    """Find out the encoding of a text, as of a table's. Raises TableError."""
    return _read_text(content)[1]


def render_table(table: Table) -> bytes:
    """Write the cells as GX Works does: every field quoted, CRLF, in the table's own encoding and delimiter."""
    out = io.StringIO()
    csv.writer(out, delimiter=table.delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(table.rows)
    bom = _BOM if table.encoding.startswith("utf-16") else ""
    return (bom + out.getvalue()).encode(table.encoding)


def _read_text(content: bytes) -> tuple[str, str]:
    encoding, text = _decode(content)
    if _BOM in text:
        text = _BOM_OF_A_LINE.sub("", text)  # scripts that append files leave up to six of them
    _refuse_what_is_no_text(text)
    return encoding, text


def _decode(content: bytes) -> tuple[str, str]:
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return encoding, _decode_as(content, encoding)
    if looks_like := _utf16_without_bom(content):
        return looks_like, _decode_as(content, looks_like)
    try:
        return "utf-8", content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _decode_legacy(content, error)


def _decode_as(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(content, error, encoding) from error


def _utf16_without_bom(content: bytes) -> str | None:
    """A listing's digits, commas and mnemonics are ASCII: in UTF-16 every second byte of them is NUL."""
    head = content[:512]
    if not head or len(content) % 2:
        return None
    evens, odds = head[0::2].count(0), head[1::2].count(0)
    quarter = len(head) // 8
    # A majority, not all: 가 is U+AC00 and 开 U+5F00, their low byte is NUL as well.
    if odds > quarter and odds > 4 * evens:
        return "utf-16-le"
    if evens > quarter and evens > 4 * odds:
        return "utf-16-be"
    return None


def _decode_legacy(content: bytes, utf8_error: UnicodeDecodeError) -> tuple[str, str]:
    readings = []
    for encoding, score in (("cp949", _korean_share), ("cp932", _japanese_share)):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CODEC_MAKESHIFT.search(text):
            continue
        readings.append((score(_foreign(text)), encoding, text))
    if not readings:
        raise _undecodable(content, utf8_error, told("UTF-8, cp949 or cp932")) from utf8_error
    _, encoding, text = max(readings, key=lambda reading: reading[0])
    return encoding, text


def _foreign(text: str) -> str:
    """What is not ASCII, as much of it as tells the language: of ten million syllables each would be looked at."""
    runs: list[str] = []
    left = _FOREIGN_CHARACTERS
    for run in _FOREIGN.finditer(text):
        runs.append(run[0][:left])
        left -= len(runs[-1])
        if not left:
            break
    return " ".join(runs)


def _korean_share(text: str) -> float:
    """The share of everyday Hangul (KS X 1001): cp932 bytes read as cp949 give rare syllables and Hanja."""
    foreign = [character for character in text if not character.isascii()]
    # Python's euc_kr spells rare syllables out in eight bytes; the everyday ones take two.
    everyday = sum(len(character.encode("euc_kr", "ignore")) == 2 for character in _HANGUL.findall(text))  # noqa: PLR2004 - said above
    return everyday / (len(foreign) or 1)


def _japanese_share(text: str) -> float:
    """The share of Kana and Kanji, half-width Katakana only where it makes up words.

    Korean bytes read as cp932 give half-width Katakana too, but in a jumble with Kanji and punctuation: words
    of it, from two letters on, are what Japanese plants write where eight bits must do.
    """
    foreign = sum(not character.isascii() for character in text)
    words = sum(map(len, _HALF_WIDTH_WORD.findall(text)))
    jumbled = len(_HALF_WIDTH_KATAKANA.findall(text)) - words
    return (len(_JAPANESE.findall(text)) + words - jumbled) / (foreign or 1)


def _undecodable(content: bytes, error: UnicodeDecodeError, encoding: str) -> TableError:
    line = error.object.count(b"\n", 0, error.start) + 1
    place = len(content) - len(error.object) + error.start  # a mark in front is not decoded
    if _is_half_a_pair(error):
        return TableError(
            "text_invalid",
            told("byte {byte} (line {line}) is half of a surrogate pair, which is no character", byte=place, line=line),
            hint=told("Type the cell again, or export the file again."),
            row=line,
        )
    return TableError(
        "csv_encoding",
        told("byte {byte} (line {line}) is not {encoding}", byte=place, line=line, encoding=encoding),
        hint=told("Export it again from GX Works, or save it as UTF-8."),
        row=line,
    )


def _is_half_a_pair(error: UnicodeDecodeError) -> bool:
    """Whether what cannot be decoded is a surrogate without its other half."""
    unit_bytes = 3 if error.encoding == "utf-8" else 2
    try:
        unit = error.object[error.start : error.start + unit_bytes].decode(error.encoding, "surrogatepass")
    except UnicodeDecodeError:
        return False
    return "\ud800" <= unit < "\ue000"


def _refuse_what_is_no_text(text: str) -> None:
    if _TEXT.fullmatch(text):
        return
    if (place := text.find("\0")) >= 0:
        line = text.count("\n", 0, place) + 1
        raise TableError(
            "csv_invalid",
            told("line {line} holds a NUL byte", line=line),
            hint=told("The file is binary or damaged: export it again."),
            row=line,
        )
    if found := _NO_TEXT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise TableError(
            "text_invalid",
            told("line {line} holds U+{code:04X}, which is no character", line=line, code=ord(found.group())),
            hint=told("The file is binary or damaged: export it again."),
            row=line,
        )


def _delimiter_of(text: str) -> str:
    head = "\n".join(line for _, line in zip(range(_LINES_SHOWING_DELIMITER), io.StringIO(text), strict=False))
    if "\t" in head:
        return "\t"
    return max(",;|", key=head.count)


def _split(text: str, delimiter: str) -> tuple[tuple[str, ...], ...]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[str, ...]] = []
    opened = 1
    may_be_too_long = len(text) > MAX_CELL_CHARACTERS
    try:
        for row in reader:
            if len(row) > MAX_COLUMNS or len(rows) == MAX_ROWS or may_be_too_long:
                _check_size(row, len(rows) + 1)
            rows.append(tuple(row))
            opened = reader.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error):  # the module's own, four times ours
            raise _cell_too_long(opened) from error
        raise TableError(
            "csv_invalid",
            told("line {line}: a quote is not closed, or text follows a closing quote", line=opened),
            hint=told("Close the quote, or export the file again."),
            row=opened,
        ) from error
    return tuple(rows)


def _check_size(row: list[str], number: int) -> None:
    if number > MAX_ROWS:
        message = told("more than {most:,} rows", most=MAX_ROWS)
        raise TableError("csv_too_large", message, hint=told("Split the program."), row=number)
    if len(row) > MAX_COLUMNS:
        raise TableError(
            "csv_too_large",
            told("row {row} has {columns:,} columns, more than {most}", row=number, columns=len(row), most=MAX_COLUMNS),
            hint=told("Remove them."),
            row=number,
        )
    if row and len(max(row, key=len)) > MAX_CELL_CHARACTERS:
        raise _cell_too_long(number)


def _cell_too_long(number: int) -> TableError:
    return TableError(
        "cell_too_long",
        told("row {row} has a cell of more than {most:,} characters", row=number, most=MAX_CELL_CHARACTERS),
        hint=told("A quote may be missing; export the file again."),
        row=number,
    )


def normalised(cell: str) -> str:
    """A header cell without what versions and languages spell differently: NFKC, no blanks, no slashes, lower case."""
    return re.sub(r"[\s/]", "", compatible(cell)).lower()
