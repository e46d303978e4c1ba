"""The first look at an uploaded file: its suffix, its size, and whether its first bytes agree with both."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

from adapters.plc_files.zip_records import END_SIGNATURE
from domain.attachments.attachment import Attachment
from domain.findings import Finding, Section
from domain.further.further_document import SUFFIXES as FURTHER_SUFFIXES
from domain.told import Told, told
from domain.upload import MEBIBYTE, SpooledFile, UploadLimits

OLE2_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PK = b"PK"
_NO_TEXT_SIGNATURES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    OLE2_SIGNATURE,
    b"%PDF-",
    b"\x89PNG",
    b"MZ\x90\x00",  # two letters alone may begin a project's title
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
)
_TAIL_BYTES = 0xFFFF + 22
_PDF_HEAD_BYTES = 1024
_MACRO_SUFFIXES = {".xlsm", ".xlsb", ".xltm"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    suffixes: tuple[str, ...]
    what: Told


_EXPECTED = {
    Section.LADDER_ZIP: _Expected(suffixes=(".zip",), what=told("a ZIP archive")),
    Section.TEMPLATE: _Expected(suffixes=(".xlsx", ".xls"), what=told("an Excel workbook")),
    Section.COMMENT_FILE: _Expected(suffixes=(".csv", ".txt"), what=told("a CSV file")),
}


def look_at(upload: SpooledFile, section: Section, limits: UploadLimits) -> Finding | None:
    """What is wrong with the file as a whole, before its content is read; None where nothing is."""
    most = {
        Section.LADDER_ZIP: limits.zip_bytes,
        Section.TEMPLATE: limits.template_bytes,
        Section.COMMENT_FILE: limits.comment_bytes,
    }[section]
    with upload.path.open("rb") as file:
        file_bytes = file.seek(0, 2)
        if finding := _look_at_size(upload, section, file_bytes, most):
            return finding
        return _look_at_kind(upload, section, file)


def _look_at_size(upload: SpooledFile, section: Section, file_bytes: int, most: int) -> Finding | None:
    if not file_bytes:
        return _finding(upload, section, "file_empty", told("the file is empty"), told("Send the file again."))
    if file_bytes <= most:
        return None
    return _finding(
        upload,
        section,
        "too_large",
        told("the file has {size:,} bytes, more than the limit of {most:,}", size=file_bytes, most=most),
        told("Send at most {most:g} MiB; leave out what does not belong to the program.", most=most / MEBIBYTE),
    )


def look_at_attachment(upload: SpooledFile, attachment: Attachment) -> Finding | None:
    """What is wrong with its name; None where nothing is. Its size was bounded when it was received."""
    what = told("what goes into {field}", field=attachment.field)
    return _look_at_suffix(upload, Section.ATTACHMENT, _Expected(suffixes=attachment.suffixes, what=what))


def look_at_document(upload: SpooledFile, limits: UploadLimits) -> Finding | None:
    """What is wrong with a further document as a whole; None where nothing is."""
    expected = _Expected(suffixes=FURTHER_SUFFIXES, what=told("a table, a text or a PDF"))
    if finding := _look_at_suffix(upload, Section.DOCUMENT, expected):
        return finding
    suffix = PurePath(upload.name).suffix.lower()
    with upload.path.open("rb") as file:
        file_bytes = file.seek(0, 2)
        if finding := _look_at_size(upload, Section.DOCUMENT, file_bytes, limits.document_bytes):
            return finding
        file.seek(0)
        head = file.read(_PDF_HEAD_BYTES)
    if _is_of_suffix(head, suffix):
        return None
    message = told("the file is named {suffix}, but its content is of another kind", suffix=suffix)
    hint = told("Save it again from the program that made it, instead of renaming it.")
    return _finding(upload, Section.DOCUMENT, "type_mismatch", message, hint)


def _is_of_suffix(head: bytes, suffix: str) -> bool:
    """A workbook's own reader tells more; a PDF's header may stand behind some junk (ISO 32000, annex H)."""
    if suffix == ".pdf":
        return b"%PDF-" in head and not head.startswith((_PK, OLE2_SIGNATURE))
    if suffix == ".xlsx":  # OLE2 is one with a password
        return head.startswith((_PK, OLE2_SIGNATURE))
    if suffix == ".xls":
        return head.startswith(OLE2_SIGNATURE)
    return not head.startswith(_NO_TEXT_SIGNATURES)


def _look_at_suffix(upload: SpooledFile, section: Section, expected: _Expected) -> Finding | None:
    suffix = PurePath(upload.name).suffix.lower()
    if suffix in expected.suffixes:
        return None
    return _finding(
        upload,
        section,
        "type_unsupported",
        told(
            "'{suffix}' is not read here: {what} is expected ({suffixes})",
            suffix=suffix or told("no suffix"),
            what=expected.what,
            suffixes=", ".join(expected.suffixes),
        ),
        told("Save it as .xlsx, without macros.")
        if suffix in _MACRO_SUFFIXES
        else told("Send the right file in this field."),
    )


def _look_at_kind(upload: SpooledFile, section: Section, file: BinaryIO) -> Finding | None:
    expected = _EXPECTED[section]
    suffix = PurePath(upload.name).suffix.lower()
    if finding := _look_at_suffix(upload, section, expected):
        return finding
    if not _agrees(section, suffix, file):
        return _finding(
            upload,
            section,
            "type_mismatch",
            told(
                "the file is named {suffix}, but its content is not that of {what} of this kind",
                suffix=suffix,
                what=expected.what,
            ),
            told("Save it again from the program that made it, instead of renaming it."),
        )
    return None


def _agrees(section: Section, suffix: str, file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(8)
    if section is Section.COMMENT_FILE:
        return not head.startswith(_NO_TEXT_SIGNATURES)
    if section is Section.TEMPLATE:
        # A password turns an .xlsx into OLE2: the workbook reader tells that from a renamed .xls.
        return head.startswith(OLE2_SIGNATURE) or (suffix == ".xlsx" and head.startswith(_PK))
    return head.startswith(_PK) or END_SIGNATURE in _tail(file)


def _tail(file: BinaryIO) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    return file.read(_TAIL_BYTES)


def _finding(upload: SpooledFile, section: Section, code: str, message: Told, hint: Told) -> Finding:
    return Finding(section=section, code=code, file=upload.name, message=message, hint=hint)
