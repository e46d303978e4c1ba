"""Archives and workbooks that Hypothesis puts together by their structure, sound or not, and damages afterwards."""

from typing import Any

from hypothesis import strategies as st

from builders.archives import DEFLATED, DESCRIPTOR, STORED, UTF8, End, Entry, a_zip, a_zip64, extra_field, unicode_path
from builders.workbooks import HEADER, SHEET_PART, from_parts, sheet_of, sheet_with, xlsx_parts

_SIZES = st.sampled_from([0, 1, 21, 0xFFFF, 0x10000, 2**31, 0xFFFFFFFF])
_NAMES = st.one_of(
    st.sampled_from([b"0000_11.csv", b"a/", b"a/b.csv", b"__MACOSX/._x", b"x.zip", "복사본.csv".encode("cp949"), b""]),
    st.binary(max_size=12),
)
_EXTRAS = st.one_of(
    st.just(b""),
    st.binary(max_size=12),
    st.builds(extra_field, st.sampled_from([1, 0x7075, 0x5455]), st.binary(max_size=24)),
    st.builds(unicode_path, _NAMES, st.text(max_size=6)),
)
_LIES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "crc": _SIZES,
        "size_bytes": _SIZES,
        "packed_bytes": _SIZES,
        "flags": st.sampled_from([0, 1, DESCRIPTOR, UTF8, 1 << 13]),
        "method": st.sampled_from([STORED, DEFLATED, 9, 99]),
        "disk": st.sampled_from([0, 1, 0xFFFF]),
        "name": _NAMES,
    },
)
_RARELY_LIES = st.one_of(st.just({}), st.just({}), _LIES)
_ENTRIES = st.builds(
    Entry,
    name=_NAMES,
    content=st.binary(max_size=60),
    method=st.sampled_from([STORED, DEFLATED, DEFLATED, 12]),
    flags=st.sampled_from([0, UTF8, DESCRIPTOR, 1]),
    extra=_EXTRAS,
    mode=st.sampled_from([0, 0o100644, 0o040755, 0o120777]),
    made_by=st.sampled_from([0, 3]),
    packed=st.one_of(st.none(), st.binary(max_size=40)),
    descriptor=st.sampled_from([b"", bytes(12), b"PK\x07\x08" + bytes(12)]),
    offset=st.one_of(st.none(), st.none(), _SIZES),
    has_local=st.sampled_from([True, True, True, False]),
    local=_RARELY_LIES,
    central=_RARELY_LIES,
)
_SHORT = st.sampled_from([0, 1, 2, 0xFFFE, 0xFFFF])
_ENDS = st.one_of(
    st.just(End()),
    st.builds(
        End,
        count=st.one_of(st.none(), _SHORT),
        count_here=st.one_of(st.none(), _SHORT),
        disk=_SHORT,
        directory_offset=st.one_of(st.none(), _SIZES),
        directory_bytes=st.one_of(st.none(), _SIZES),
    ),
)


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """A ZIP of any entries, perhaps with Zip64 records, perhaps with flipped, missing or doubled bytes."""
    entries = draw(st.lists(_ENTRIES, max_size=4))
    if draw(st.booleans()):
        content = a_zip(*entries, comment=draw(st.binary(max_size=30)), end=draw(_ENDS))
    else:
        content = a_zip64(*entries, count=draw(st.one_of(st.none(), st.sampled_from([0, 1, 2**40]))))
    return draw(damaged(content))


_REFERENCES = st.one_of(
    st.none(),
    st.sampled_from(["A1", "D2", "E2", "A3", "XFD1048576", "ZZZZ9", "a2", "A0", "2", "", "A2:B2"]),
)
_KINDS = st.sampled_from([None, "n", "s", "str", "inlineStr", "b", "e", "d", "x"])
_VALUES = st.one_of(
    st.sampled_from(["", "0", "1", "-1", "60", "1e400", "NaN", "2024-02-31", "TRUE", "#REF!", "0000_11"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<&"), max_size=8),
)


@st.composite
def cells(draw: st.DrawFn) -> str:
    """One cell."""
    reference, kind, value = draw(_REFERENCES), draw(_KINDS), draw(_VALUES)
    named = "" if reference is None else f' r="{reference}"'
    typed = "" if kind is None else f' t="{kind}"'
    form = draw(st.sampled_from(["<v>{}</v>", "<is><t>{}</t></is>", "<f>1+1</f><v>{}</v>", "{}", "<v/>"]))
    return f"<c{named}{typed}>{form.format(value)}</c>"


@st.composite
def workbooks(draw: st.DrawFn) -> bytes:
    """An .xlsx whose first row is a template's header, with any rows below it, perhaps damaged."""
    rows = ""
    for _ in range(draw(st.integers(0, 3))):
        number = draw(st.sampled_from(["", ' r="2"', ' r="3"', ' r="0"', ' r="99999999"', ' r="x"']))
        rows += f"<row{number}>{''.join(draw(st.lists(cells(), max_size=6)))}</row>"
    header = sheet_of([HEADER]).partition("<sheetData>")[2].partition("</sheetData>")[0]
    parts = xlsx_parts() | {SHEET_PART: sheet_with(header + rows)}
    name = draw(st.sampled_from(sorted(parts)))
    part = parts[name]
    assert isinstance(part, str)
    if draw(st.sampled_from([False, False, True])):
        parts[name] = draw(damaged(part.encode()))
    content = from_parts(parts)
    return draw(damaged(content)) if draw(st.booleans()) else content


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The content with a few bytes flipped, or a piece of it left out or doubled."""
    changed = bytearray(content)
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 4]))):
        if changed:
            changed[draw(st.integers(0, len(changed) - 1))] ^= draw(st.integers(1, 255))
    how = draw(st.sampled_from(["whole", "whole", "whole", "cut", "doubled"]))
    if how == "whole":
        return bytes(changed)
    start, stop = sorted((draw(st.integers(0, len(changed))), draw(st.integers(0, len(changed)))))
    return bytes(changed[:start] + changed[stop:] if how == "cut" else changed[:stop] + changed[start:])
