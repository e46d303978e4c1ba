"""Multipart bodies byte by byte: good ones, and ones that break a rule in exactly one place."""

from collections.abc import Mapping

BOUNDARY = "b0undary"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
TEXTS: Mapping[str, str] = {"pgm_name": "셀", "create_user": "kim"}


def part(name: str, content: bytes | str, filename: str | None = None, extra: str = "", headers: str = "") -> bytes:
    """One part. `extra` follows in its Content-Disposition, `headers` (each with its CRLF before it) behind that."""
    named = "" if filename is None else f'; filename="{filename}"'
    content = content.encode() if isinstance(content, str) else content
    disposition = f'Content-Disposition: form-data; name="{name}"{named}{extra}'
    return f"--{BOUNDARY}\r\n{disposition}{headers}\r\n\r\n".encode() + content + b"\r\n"


def a_form(*parts: bytes, texts: Mapping[str, str] = TEXTS) -> bytes:
    """A complete form: these texts, then the parts."""
    return b"".join([*(part(name, text) for name, text in texts.items()), *parts, f"--{BOUNDARY}--\r\n".encode()])
