"""What kind of bytes a document is, by the ending of its name."""

from pathlib import PurePath

from domain.document import Document, DocumentType

ANY_BYTES = "application/octet-stream"
_TEXT = "text/plain"
_BY_SUFFIX = {
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".txt": "text/csv",  # what GX Works calls its tables
    ".zip": "application/zip",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MEDIA_TYPES = sorted({ANY_BYTES, _TEXT, *_BY_SUFFIX.values()})


def media_type_of(document: Document) -> str:
    """The media type of a document."""
    suffix = PurePath(document.document_name).suffix.lower()
    if suffix == ".txt" and document.document_type is DocumentType.FURTHER:
        return _TEXT
    return _BY_SUFFIX.get(suffix, ANY_BYTES)
