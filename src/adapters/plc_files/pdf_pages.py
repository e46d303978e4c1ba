"""The text of a PDF's pages, read by pypdf inside a limited child process only."""

import logging
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from domain.ladder.table import TableError
from domain.told import told
from domain.upload import MEBIBYTE

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

MOST_PAGES = 2_000
# What a file may unpack to and be made of, by its size: ten kilobytes must not buy twenty seconds. The largest drawings
# have an operator for each byte or two of the file.
_UNPACKED_BYTES, _UNPACKED_RATIO = MEBIBYTE // 4, 40
_MOST_UNPACKED_BYTES = 75_000_000
_ELEMENTS, _ELEMENTS_A_BYTE, _MOST_ELEMENTS = 50_000, 2, 2_000_000
_MOST_FORMS = 1_000  # that a page shows, one within the other or side by side
_REPAIRED_BYTES = 100_000  # of a damaged stream, one by one
# What no text column holds, and what is seen by nobody.
_UNSEEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, *range(0xD800, 0xE000), *range(0xFDD0, 0xFDF0)), " ")
_UNSEEN |= {plane << 16 | last: " " for plane in range(17) for last in (0xFFFE, 0xFFFF)}
# What damage of any kind makes of a parser that takes a file at its word.
_OF_DAMAGE = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError),
    *(AssertionError, NotImplementedError, EOFError),
)


# What the CMaps of Windows and Unix programs write, and pypdf takes for UTF-16; each across and down.
_ENCODINGS = {
    **dict.fromkeys(("KSCms-UHC", "KSCms-UHC-HW", "KSC-EUC", "KSCpc-EUC"), "cp949"),
    "KSC-Johab": "johab",
    **dict.fromkeys(("90msp-RKSJ", "90pv-RKSJ", "83pv-RKSJ", "Add-RKSJ", "Ext-RKSJ"), "cp932"),
    "EUC": "euc_jp",
    "B5pc": "cp950",
    "HKscs-B5": "big5hkscs",
}


def pages_of(content: bytes) -> Iterator[str]:
    """The text of each page, blank where it has none (a scan). Raises TableError."""
    # Here, so that the children that read no PDF have neither it nor the XML parser that it brings along.
    from pypdf import PdfReader, apply_configuration, get_configuration  # noqa: PLC0415
    from pypdf._cmap import _predefined_cmap  # noqa: PLC0415 - there is no public way, and a test holds it
    from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError, PyPdfError  # noqa: PLC0415

    _predefined_cmap.update({f"/{name}-{way}": codec for name, codec in _ENCODINGS.items() for way in "HV"})
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it thinks of a file is no business of our log
    try:
        with apply_configuration(get_configuration().with_overwrites(**_limits(len(content)))):
            yield from _pages(PdfReader(BytesIO(content)), unpacked_bytes=_unpacked_bytes(len(content)))
    except (DependencyError, FileNotDecryptedError) as error:
        raise _encrypted() from error
    except LimitReachedError as error:
        raise _too_dear() from error
    except (PyPdfError, *_OF_DAMAGE) as error:
        raise TableError(
            "pdf_corrupt",
            told("the PDF is damaged or contradicts itself"),
            hint=told("Print it into a new PDF and send that."),
        ) from error


def _limits(file_bytes: int) -> dict[str, int]:
    unpacked = min(_unpacked_bytes(file_bytes), _MOST_UNPACKED_BYTES)
    unpacking = ("zlib", "lzw", "run_length", "array_based_stream", "jbig2", "brotli")
    return {
        **{f"{name}_maximum_output_length": unpacked for name in unpacking},
        "stream_parsing_work_maximum_count": min(_ELEMENTS + _ELEMENTS_A_BYTE * file_bytes, _MOST_ELEMENTS),
        "zlib_maximum_recovery_input_length": _REPAIRED_BYTES,
        "xform_maximum_invocations_per_extraction": _MOST_FORMS,
    }


def _unpacked_bytes(file_bytes: int) -> int:
    return _UNPACKED_BYTES + _UNPACKED_RATIO * file_bytes


def _pages(reader: "PdfReader", *, unpacked_bytes: int) -> Iterator[str]:
    """All pages together unpack to so many bytes at most: one stream may be what many pages show."""
    if reader.is_encrypted:
        raise _encrypted()
    count = len(reader.pages)
    if count > MOST_PAGES:
        raise TableError(
            "document_too_long",
            told("it has {count:,} pages, more than {most:,}", count=count, most=MOST_PAGES),
            hint=told("Split the document and send its parts."),
        )
    for page in reader.pages:
        _refuse_unreadable(page)
        content = page.get_contents()
        unpacked_bytes -= len(content.get_data()) if content is not None else 0
        if unpacked_bytes < 0:
            raise _too_dear()
        yield page.extract_text().translate(_UNSEEN)


def _refuse_unreadable(page: "PageObject") -> None:
    """What pypdf would read as UTF-16 although it is not: better no text than another one."""
    fonts = _dictionary(_dictionary(page.get("/Resources")).get("/Font"))
    for font in map(_dictionary, fonts.values()):
        encoding = _resolved(font.get("/Encoding"))
        if font.get("/Subtype") == "/Type0" and "/ToUnicode" not in font and _is_unknown(encoding):
            raise TableError(
                "document_without_text",
                told("its fonts are in an encoding that is not read here: {name}", name=str(encoding)[:40]),
                hint=told("Print it into a new PDF and send that, or its text as .txt."),
            )


def _dictionary(part: object) -> dict[Any, Any]:
    """The dictionary that a part of a PDF is; an empty one where it is none, or not there, which is no damage."""
    found = _resolved(part)
    return found if isinstance(found, dict) else {}


def _resolved(part: object) -> object:
    return part.get_object() if hasattr(part, "get_object") else part


def _is_unknown(encoding: object) -> bool:
    """Of those that have a name: one that is a part of the PDF is beyond us to judge."""
    from pypdf._cmap import _predefined_cmap  # noqa: PLC0415

    if not isinstance(encoding, str) or encoding in _predefined_cmap:
        return False
    return not any(part in encoding for part in ("UCS2", "UTF16"))


def _too_dear() -> TableError:
    return TableError(
        "resource_limit",
        told("to read it takes far more than a PDF of its size should"),
        hint=told("Print it into a new PDF and send that."),
    )


def _encrypted() -> TableError:
    return TableError(
        "pdf_encrypted",
        told("the PDF is protected"),
        hint=told("Save it without a password and without restrictions."),
    )
