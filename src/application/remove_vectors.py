"""Remove what the indexes hold for documents, of whichever generation."""

from collections.abc import Sequence

from domain.document import DocumentRef
from domain.ports.vector_index import VectorIndex


async def remove_vectors(index: VectorIndex, documents: Sequence[DocumentRef]) -> None:
    """All that there is, up to these generations. Raises UnavailableError."""
    await index.remove_documents(documents)
    await remove_former(index, documents)


async def remove_former(index: VectorIndex, documents: Sequence[DocumentRef]) -> None:
    """What was indexed before a re-index stands under ids of its own. The first generation has none before it."""
    if again := [ref for ref in documents if ref.generation > 1]:
        await index.remove_former(again)
