"""What the files of a program are called in one ZIP: the ladders by their logic, the others as they were uploaded."""

import re
from collections.abc import Iterable

from domain.document import Document, DocumentType
from domain.normal_forms import composed

_FOLDERS = {
    DocumentType.LADDER_CSV: "ladder_files",
    DocumentType.TEMPLATE: "template",
    DocumentType.COMMENT_CSV: "comment",
}
_OTHERS = "attachments"
_NOT_IN_A_NAME = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f]')


def exported_names(documents: Iterable[Document]) -> list[tuple[str, Document]]:
    """Each document with its path in the ZIP; no two have one, not even where case tells nothing.

    The ladder ZIP is left out: what it holds is there.
    """
    taken: set[str] = set()
    named = []
    for document in documents:
        if document.document_type is DocumentType.LADDER_ZIP:
            continue
        name = _free(_path(document), taken)
        taken.add(_compared(name))
        named.append((name, document))
    return named


def file_name(name: str) -> str:
    """A name that every file system takes."""
    return _NOT_IN_A_NAME.sub("_", name).strip(" .") or "_"


def _path(document: Document) -> str:
    if document.document_type is DocumentType.LADDER_CSV:
        return f"{_FOLDERS[document.document_type]}/{file_name(document.logic_id)}.csv"
    return f"{_FOLDERS.get(document.document_type, _OTHERS)}/{file_name(document.document_name)}"


def _free(path: str, taken: set[str]) -> str:
    folder, _, name = path.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    candidate, number = path, 1
    while _compared(candidate) in taken:
        number += 1
        candidate = f"{folder}/{stem} ({number}){dot}{suffix}" if dot else f"{folder}/{suffix} ({number})"
    return candidate


def _compared(path: str) -> str:
    return composed(path).casefold()
