"""A chunk: the unit that is embedded, indexed and found. Of a ladder it is one rung, of a template one logic."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from domain.document import DocumentRef
from domain.uses import Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a chunk lives in its program: the logic and its folders, as the template names them."""

    logic_id: str = ""
    logic_name: str = ""
    folder_id: str = ""
    folder_name: str = ""
    sub_folder_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceUse:
    """A device that a rung names, with its comment (empty where there is none)."""

    device: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One rung or template row, rendered for both search lanes.

    `first_step` and `last_step` are None where the listing has no step numbers. `ladder` is mnemonic
    text, one instruction a line. `dense_text` is what the embedder reads; `lexical_text` is tokens
    separated by blanks, made by domain.lexical, the same way for chunks and queries.
    `uses` is what its instructions do to devices; they are recorded apart, and nothing of them is embedded.
    """

    ordinal: int
    place: Place
    first_step: int | None
    last_step: int | None
    title: str
    ladder: str
    devices: tuple[DeviceUse, ...]
    dense_text: str
    lexical_text: str
    uses: tuple[Use, ...] = ()

    @property
    def dense_digest(self) -> bytes:
        """What tells the text that is embedded from every other one, in 16 bytes."""
        return hashlib.blake2b(self.dense_text.encode(errors="surrogatepass"), digest_size=16).digest()


def chunk_id(ref: DocumentRef, ordinal: int) -> str:
    """The deterministic id of a chunk: the same work done twice writes the same rows."""
    return f"{ref.document_id}.g{ref.generation}.{ordinal}"


def parts_of(chunk: str) -> tuple[DocumentRef, int]:
    """What `chunk_id` was made of. Raises ValueError for what is no such id."""
    name, _, ordinal = chunk.rpartition(".")
    document_id, _, generation = name.rpartition(".g")
    return DocumentRef(document_id=document_id, generation=int(generation)), int(ordinal)


def neighbours_of(chunk: str) -> tuple[str, ...]:
    """The ids of the chunks before and behind this one in its document, which may not be there."""
    ref, ordinal = parts_of(chunk)
    return tuple(chunk_id(ref, each) for each in (ordinal - 1, ordinal + 1) if each >= 0)


def by_document(chunk_ids: Iterable[str], documents: Iterable[DocumentRef]) -> dict[DocumentRef, set[str]]:
    """Ids of chunks by that one of the documents that they name; one that names none of them is left out."""
    beginnings = {f"{ref.document_id}.g{ref.generation}": ref for ref in documents}
    named: dict[DocumentRef, set[str]] = {}
    for each in chunk_ids:
        if ref := beginnings.get(each.rpartition(".")[0]):
            named.setdefault(ref, set()).add(each)
    return named
