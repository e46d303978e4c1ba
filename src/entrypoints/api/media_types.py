"""What kind of bytes a document is, by the ending of its name."""

from pathlib import PurePath

ANY_BYTES = "application/octet-stream"
_BY_SUFFIX = {
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".txt": "text/csv",
    ".zip": "application/zip",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MEDIA_TYPES = sorted({ANY_BYTES, *_BY_SUFFIX.values()})


def media_type_of(name: str) -> str:
    """The media type of a document of this name."""
    return _BY_SUFFIX.get(PurePath(name).suffix.lower(), ANY_BYTES)
