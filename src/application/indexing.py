"""What happens to a document when it is indexed: a registry of document types, one entry each.

An entry is a chain of steps; a type without an entry is skipped. The registry is built in
entrypoints/container.py, where every type of domain.attachments has an entry by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Protocol

from domain.chunk import Chunk
from domain.comments import DeviceComments
from domain.document import Document, DocumentType, Failure
from domain.errors import NotFoundError
from domain.events import DOCUMENTS_PER_EVENT
from domain.failures import Stage
from domain.ports.unit_of_work import UnitOfWork
from domain.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Workpiece:
    """A document on its way through the steps: `chunks` or `failure` once it was read, `content` its local copy.

    `failed_at` is where it failed, if it did.
    """

    document: Document
    chunks: tuple[Chunk, ...] = ()
    failure: Failure | None = None
    content: Path | None = None
    failed_at: Stage = Stage.READ

    def failed(self, failure: Failure, *, at: Stage = Stage.READ) -> "Workpiece":
        """The same document, given up."""
        return replace(self, failure=failure, failed_at=at, chunks=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the steps may use: the program's template and comments, and a scratch folder that goes afterwards."""

    pgm_id: str
    template: Template
    comments: DeviceComments
    scratch: Path


async def surroundings_of(document: Document, unit_of_work: UnitOfWork, *, scratch: Path) -> Surroundings | None:
    """What the steps may use for a document and its neighbours; None where its program or its revision is gone."""
    try:
        async with unit_of_work.begin() as transaction:
            template = await transaction.programs.template_of(document.pgm_id, document.revision)
            comments = await transaction.programs.comments_of(document.pgm_id, document.revision)
    except NotFoundError:
        return None
    return Surroundings(pgm_id=document.pgm_id, template=template, comments=comments, scratch=scratch)


def by_revision(documents: Sequence[Document]) -> list[list[Document]]:
    """Slices of at most DOCUMENTS_PER_EVENT documents that share their surroundings, in their order."""
    slices = (list(group) for _, group in groupby(documents, key=lambda each: (each.pgm_id, each.revision)))
    return [
        of_one[start : start + DOCUMENTS_PER_EVENT]
        for of_one in slices
        for start in range(0, len(of_one), DOCUMENTS_PER_EVENT)
    ]


class IndexingStep(Protocol):
    """One step of a chain, over many documents of one program at a time."""

    async def __call__(self, pieces: Sequence[Workpiece], surroundings: Surroundings, /) -> list[Workpiece]:
        """Advance each piece; pieces that already failed pass through. Raises UnavailableError; repeatable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexingSteps:
    """The registry."""

    chains: Mapping[DocumentType, tuple[IndexingStep, ...]] = field(default_factory=dict)

    @property
    def indexed_types(self) -> frozenset[DocumentType]:
        """The types that have something to index."""
        return frozenset(self.chains)

    async def read(self, documents: Sequence[Document], surroundings: Surroundings) -> list[Workpiece]:
        """Lead documents through the chains of their types. One without a chain fails: nobody else would finish it."""
        done = [
            Workpiece(
                document=document,
                failure=Failure(code="type_not_indexed", message="this version does not index its type"),
            )
            for document in documents
            if document.document_type not in self.chains
        ]
        for document_type, steps in self.chains.items():
            pieces = [Workpiece(document=d) for d in documents if d.document_type is document_type]
            for step in steps if pieces else ():
                pieces = await step(pieces, surroundings)
            done += pieces
        return done
