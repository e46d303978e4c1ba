"""Small PDFs, written by hand: pages of text, scans, protected ones."""

import zlib
from collections.abc import Collection, Sequence


def a_pdf(*pages: str, trailer: str = "", pages_named: int | None = None) -> bytes:
    """A PDF with these texts on its pages, one line of the page for each of the text; a blank text is a scan."""
    font = (
        "<< /Type /Font /Subtype /Type0 /BaseFont /Batang /Encoding /Identity-H /ToUnicode 4 0 R"
        " /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Batang"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>] >>"
    )
    numbers = [5 + 2 * place for place in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages) if pages_named is None else pages_named} >>".encode(),
        font.encode(),
        pdf_stream(_cmap({character for text in pages for character in text})),
    ]
    for number, text in zip(numbers, pages, strict=True):
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {number + 1} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>".encode(),
            pdf_stream(_content(text.splitlines())),
        ]
    return pdf_file(objects, trailer)


def a_pdf_in(encoding: str, codes: bytes) -> bytes:
    """A page with a font whose codes a CMap that everybody is to know makes characters of."""
    font = (
        f"<< /Type /Font /Subtype /Type0 /BaseFont /Batang /Encoding /{encoding}"
        " /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Batang"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (Korea1) /Supplement 1 >> >>] >>"
    )
    page = (
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        font.encode(),
        page.encode(),
        pdf_stream(f"BT /F1 12 Tf 50 800 Td <{codes.hex()}> Tj ET".encode()),
    ]
    return pdf_file(objects)


def _cmap(characters: Collection[str]) -> bytes:
    """Which character each code of the font is; the codes are UTF-16."""
    codes = sorted(character.encode("utf-16-be").hex() for character in characters if character != "\n")
    mapped = "".join(f"<{code}> <{code}>\n" for code in codes)
    return (
        "/CIDInit /ProcSet findresource begin\nbegincmap\n1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{mapped}endbfchar\nendcmap\n"
    ).encode()


def _content(lines: Sequence[str]) -> bytes:
    shown = " ".join(f"<{line.encode('utf-16-be').hex()}> Tj T*" for line in lines)
    return f"BT /F1 12 Tf 14 TL 50 800 Td {shown} ET".encode()


def pdf_stream(content: bytes, *, times: int = 1) -> bytes:
    """A stream that is compressed so many times."""
    for _ in range(times):
        content = zlib.compress(content, 9)
    filters = " /FlateDecode" * times
    return f"<< /Length {len(content)} /Filter [{filters}] >>\nstream\n".encode() + content + b"\nendstream"


def a_page(stream: bytes, *more: bytes, page: str = "", pages: str = "/Kids [4 0 R] /Count 1") -> bytes:
    """A PDF whose one page (4 0 R) shows a stream (5 0 R), with more objects (6 0 R and on).

    `page` is what its dictionary says, `pages` that of the tree.
    """
    page = page or "/MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Type /Page /Parent 2 0 R {page} >>".encode(),
        stream,
        *more,
    ]
    return pdf_file(objects)


def pdf_file(objects: Sequence[bytes], trailer: str = "") -> bytes:
    """The objects, numbered from 1, and where each begins. The first is the root."""
    out, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return (
        out
        + f"{end}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{len(out)}\n%%EOF\n".encode()
    )
