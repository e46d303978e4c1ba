"""What the vector index holds of each of several documents."""

from collections.abc import Mapping, Sequence

from domain.chunk import by_document
from domain.document import DocumentRef
from domain.ports.vector_index import VectorIndex


async def held_chunks(index: VectorIndex, documents: Sequence[DocumentRef]) -> Mapping[DocumentRef, set[str]]:
    """By strong reads; a document of which nothing is held is left out. Raises UnavailableError.

    One read tells of all of them, as long as every id says whose it is; else they are asked for one by one.
    """
    held = await index.chunk_ids(documents)
    by_name = by_document(held, documents)
    if sum(map(len, by_name.values())) == len(held):
        return by_name
    return {ref: set(ids) for ref in documents if (ids := await index.chunk_ids([ref]))}
