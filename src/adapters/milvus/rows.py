"""Index entries as rows of the collection, and search results as candidates."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

from adapters.milvus.filters import scope_values
from adapters.milvus.texts import clipped_id, clipped_tokens
from domain.document import DocumentRef
from domain.ports.vector_index import HeldDocument, IndexEntry
from domain.search import Candidate, SearchScope
from domain.vectors import Vectors

# The primary key too: older servers do not say its name, and pymilvus then calls it "id" outside of the entity.
OUTPUT_FIELDS = ("chunk_id", "lexical_text", "pgm_id", "folder_id", "logic_id", "document_type")
OWNER_FIELDS = ("chunk_id", "pgm_id", "document_id", "generation")


def floats(vectors: Vectors, index: int) -> list[float]:
    """One vector as pymilvus takes it."""
    return array("f", bytes(vectors.row(index))).tolist()


def rows(entries: Sequence[IndexEntry], vectors: Vectors, *, start: int) -> list[dict[str, Any]]:
    """The rows of some entries; `start` is the place of the first one's vector."""
    return [
        {
            "chunk_id": entry.chunk_id,
            "pgm_id": clipped_id(entry.pgm_id),
            "document_id": entry.document.document_id,
            "generation": entry.document.generation,
            "document_type": str(entry.document_type),
            "folder_id": clipped_id(entry.folder_id),
            "logic_id": clipped_id(entry.logic_id),
            "lexical_text": clipped_tokens(entry.lexical_text),
            "dense": floats(vectors, place),
        }
        for place, entry in enumerate(entries, start)
    ]


def candidates(hits: Iterable[Mapping[str, Any]], scope: SearchScope, *, sign: int, limit: int) -> list[Candidate]:
    """Hits as candidates, best first, equals by chunk id; `sign` makes a higher distance the better one.

    Nothing that came back is trusted: Milvus Lite ignores filters it does not understand, and a server may
    answer one primary key twice.
    """
    fixed = scope_values(scope).items()
    found: dict[str, Candidate] = {}
    for hit in hits:
        entity = hit["entity"]
        if all(entity[field] == value for field, value in fixed):
            chunk_id = str(entity["chunk_id"])
            candidate = Candidate(
                chunk_id=chunk_id, score=sign * float(hit["distance"]), lexical_text=str(entity["lexical_text"])
            )
            found.setdefault(chunk_id, candidate)
    return list(islice(sorted(found.values(), key=lambda c: (-c.score, c.chunk_id)), limit))


def held_documents(page: Sequence[Mapping[str, Any]]) -> list[HeldDocument]:
    """The documents whose chunks stand side by side in a page that is ordered by chunk id."""
    return [
        HeldDocument(
            ref=DocumentRef(document_id=str(document_id), generation=int(generation)),
            pgm_id=str(pgm_id),
            chunks=sum(1 for _ in chunks),
        )
        for (document_id, generation, pgm_id), chunks in groupby(
            page, key=lambda row: (row["document_id"], row["generation"], row["pgm_id"])
        )
    ]
