"""Filter expressions: every value passes through `quoted`, because Milvus Lite knows no filter templates."""

from collections.abc import Sequence

from adapters.milvus.texts import clipped_id
from domain.document import DocumentRef
from domain.search import SearchScope

# Backslash first. Newlines may not stand in a literal of the server's grammar; both servers know these escapes.
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


def quoted(value: str) -> str:
    """A string literal that stands for exactly this value. Raises ValueError for text that is no Unicode."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"a filter value is Unicode text: {value!r}") from error
    for character, escape in _ESCAPES:
        value = value.replace(character, escape)
    return f'"{value}"'


def scope_values(scope: SearchScope) -> dict[str, str]:
    """The fields that a scope fixes, with their values as stored."""
    fixed = {
        "pgm_id": scope.pgm_id,
        "folder_id": scope.folder_id,
        "logic_id": scope.logic_id,
        "document_type": scope.document_type,
    }
    return {field: clipped_id(value) for field, value in fixed.items() if value is not None}


def within(scope: SearchScope) -> str:
    """The filter of a scope; '' where it limits nothing."""
    return " and ".join(f"{field} == {quoted(value)}" for field, value in scope_values(scope).items())


def of_documents(documents: Sequence[DocumentRef]) -> str:
    """Rows of these documents at exactly these generations."""
    return _by_generation(documents, "==")


def before_documents(documents: Sequence[DocumentRef]) -> str:
    """Rows of these documents at generations before these."""
    return _by_generation(documents, "<")


def of_chunks(chunk_ids: Sequence[str]) -> str:
    """Rows under these keys."""
    return f"chunk_id in [{', '.join(map(quoted, chunk_ids))}]"


def after(chunk_id: str) -> str:
    """Rows whose id comes after this one, in the order of their bytes; '' comes before all."""
    return f"chunk_id > {quoted(chunk_id)}"


def of_program(pgm_id: str) -> str:
    """Rows of a program."""
    return within(SearchScope(pgm_id=pgm_id))


def _by_generation(documents: Sequence[DocumentRef], comparison: str) -> str:
    """Of generations there are few: one `in` for each."""
    by_generation: dict[int, list[str]] = {}
    for document in documents:
        by_generation.setdefault(document.generation, []).append(quoted(document.document_id))
    return " or ".join(
        f"(document_id in [{', '.join(literals)}] and generation {comparison} {generation:d})"
        for generation, literals in by_generation.items()
    )
