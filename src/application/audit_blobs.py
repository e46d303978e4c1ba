"""Compare the blobs with the documents that own them."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime

from application.find_orphans import GRACE
from application.indexing_steps import STORAGE_CORRUPT, STORAGE_MISSING
from domain.document import Document, DocumentState, DocumentType, Failure
from domain.drift import IDS_SHOWN, Drift, DriftKind, about
from domain.errors import NotFoundError
from domain.ports.blob_store import BlobEntry, BlobStore
from domain.ports.catalogue import Catalogue
from domain.program import Program
from domain.registration import own_blob_key, prefix_of, revision_prefix

_PER_PAGE = 500
_READ_FROM_BLOBS = {DocumentType.LADDER_CSV, DocumentType.FURTHER}
_FAILURES = {
    DriftKind.BLOB_MISSING: Failure(code=STORAGE_MISSING, message="its bytes are no longer in the blob store"),
    DriftKind.BLOB_WRONG_SIZE: Failure(code=STORAGE_CORRUPT, message="its blob has another size"),
    DriftKind.BLOB_CORRUPT: Failure(code=STORAGE_CORRUPT, message="its blob holds other bytes"),
}


@dataclass(slots=True, kw_only=True)
class _Folder:
    """What a listing shows of one revision: the sizes of what is owned, and a few of the others."""

    sizes: dict[str, int] = field(default_factory=dict)
    others: int = 0
    shown: list[str] = field(default_factory=list)

    def add_other(self, entry: BlobEntry) -> None:
        self.others += 1
        if len(self.shown) < IDS_SHOWN:
            self.shown.append(entry.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditBlobs:
    """From the record to the blobs, one program at a time: one listing tells of its blobs and of what is too much.

    What is found is looked at once more, record first, so that no document is accused that was deleted or moved
    to a blob of its own in between.
    """

    catalogue: Catalogue
    blobs: BlobStore
    clock: Callable[[], datetime]

    async def __call__(self, *, deep: bool = False) -> AsyncIterator[Drift]:
        """Yield drift, newest program first; `deep` reads every byte. Raises UnavailableError."""
        async for program in self._programs():
            try:
                documents = [document async for document in self._documents(program.pgm_id)]
            except NotFoundError:
                continue  # deleted meanwhile
            folder = await self._folder(program, documents)
            for document in documents:
                if drift := await self._of_document(document, folder.sizes, deep=deep):
                    yield drift
            if folder.others and await self._is_live(program.pgm_id):
                ids = tuple(folder.shown)
                yield Drift(kind=DriftKind.BLOB_ORPHAN, pgm_id=program.pgm_id, ids=ids, count=folder.others)

    async def _programs(self) -> AsyncIterator[Program]:
        page = await self.catalogue.programs(limit=_PER_PAGE)
        while True:
            for view in page.items:
                yield view.program
            if page.next_cursor is None:
                return
            page = await self.catalogue.programs(limit=_PER_PAGE, cursor=page.next_cursor)

    async def _documents(self, pgm_id: str) -> AsyncIterator[Document]:
        page = await self.catalogue.documents(pgm_id, limit=_PER_PAGE)
        while True:
            for document in page.items:
                yield document
            if page.next_cursor is None:
                return
            page = await self.catalogue.documents(pgm_id, limit=_PER_PAGE, cursor=page.next_cursor)

    async def _folder(self, program: Program, documents: list[Document]) -> _Folder:
        # A ladder's own object may stand before its document says so, and after it failed.
        owned = {key for document in documents for key in (document.blob_key, own_blob_key(document))}
        oldest = self.clock() - GRACE
        folder = _Folder()
        prefixes = {revision_prefix(program.pgm_id, program.revision), *map(prefix_of, owned)}
        for prefix in sorted(filter(None, prefixes)):
            async for entry in self.blobs.list_below(prefix):
                if entry.key in owned:
                    folder.sizes[entry.key] = entry.size_bytes
                elif entry.modified < oldest:
                    folder.add_other(entry)
        return folder

    async def _of_document(self, document: Document, sizes: dict[str, int], *, deep: bool) -> Drift | None:
        kind = _suspicion(document, sizes.get(document.blob_key))
        if kind is None and deep and _is_whole_blob(document):
            kind = await self._depth(document)
        if kind is None or kind is not await self._look_again(document, deep=deep):
            return None
        failure = None if _is_read_anew(document) else _FAILURES[kind]
        return about(kind, document, [document.blob_key], failure=failure)

    async def _look_again(self, document: Document, *, deep: bool) -> DriftKind | None:
        try:
            present = await self.catalogue.document(document.document_id)
        except NotFoundError:
            return None
        if (present.ref, present.blob_key) != (document.ref, document.blob_key):
            return None
        kind = _suspicion(present, await self._size(present.blob_key))
        return await self._depth(present) if kind is None and deep and _is_whole_blob(present) else kind

    async def _size(self, key: str) -> int | None:
        try:
            return await self.blobs.size(key)
        except NotFoundError:
            return None

    async def _depth(self, document: Document) -> DriftKind | None:
        digest = hashlib.sha256()
        try:
            async for piece in self.blobs.read(document.blob_key):
                digest.update(piece)
        except NotFoundError:
            return DriftKind.BLOB_MISSING
        return None if digest.hexdigest() == document.sha256 else DriftKind.BLOB_CORRUPT

    async def _is_live(self, pgm_id: str) -> bool:
        try:
            await self.catalogue.program(pgm_id)
        except NotFoundError:
            return False
        return True


def _suspicion(document: Document, size_bytes: int | None) -> DriftKind | None:
    if _is_known_elsewhere(document):
        return None
    if size_bytes is None:
        return DriftKind.BLOB_MISSING
    if document.member is None and size_bytes != document.size_bytes:
        return DriftKind.BLOB_WRONG_SIZE
    return None


def _is_whole_blob(document: Document) -> bool:
    """Whether its bytes are all of a blob: those of a member are checked with the archive's."""
    return document.member is None and not _is_known_elsewhere(document)


def _is_known_elsewhere(document: Document) -> bool:
    """Whether its failure says that bytes are lost, or a worker is about to find out."""
    if document.failure is not None:
        return document.failure.code in {STORAGE_MISSING, STORAGE_CORRUPT}
    return _is_read_anew(document) and not document.state.is_terminal


def _is_read_anew(document: Document) -> bool:
    """Whether indexing reads the blob, and so finds out by itself."""
    return document.document_type in _READ_FROM_BLOBS and document.state is not DocumentState.SKIPPED
