"""How far the indexing of a program is at one moment, and what somebody who was told of an earlier one has missed."""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from domain.document import DocumentState
from domain.program import IndexingProgress

_WRITTEN = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-2])-([0-9]{1,18})(?:-([0-9a-f]{16}))?", re.ASCII)
_PENDING, _INDEXING, _ENDED = range(3)


class IndexingState(StrEnum):
    """Where the indexing of a revision is. The last two end it."""

    PENDING = "pending"
    INDEXING = "indexing"
    INDEXED = "indexed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A moment of a program's indexing, read off its documents: every process names it alike.

    A retry raises the generations of documents, and so their sum. A further document that is removed takes its own
    along: `documents` tells apart what has one sum; blank, in ids of older versions, it is any.
    """

    revision: int
    generations: int
    stage: int
    done: int
    documents: str = field(default="", compare=False)

    def __str__(self) -> str:
        written = f"{self.revision}-{self.generations}-{self.stage}-{self.done}"
        return f"{written}-{self.documents}" if self.documents else written

    def is_of_same_documents(self, other: "Position") -> bool:
        """Whether both are moments of one run, as far as their ids say so."""
        of_one = self.documents == other.documents or not (self.documents and other.documents)
        return of_one and (self.revision, self.generations) == (other.revision, other.generations)

    @classmethod
    def read(cls, written: str) -> "Position | None":
        """What `str` wrote; None for anything else."""
        match = _WRITTEN.fullmatch(written)
        if match is None:
            return None
        revision, generations, stage, done = map(int, match.groups()[:4])
        return cls(revision, generations, stage, done, match[5] or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexingStanding:
    """The documents of a program and its latest revision by state, and the sum of their generations.

    `answering` is the revision that searches see; `fingerprint` is another one for any other documents, or the same
    at other generations.
    """

    pgm_id: str
    revision: int
    answering: int
    generations: int
    fingerprint: int
    progress: IndexingProgress

    @property
    def run(self) -> str:
        """Names what is indexed: these documents at these generations.

        Not by the sum of the generations: a further document that is removed takes its own along, and the next one
        brings it back.
        """
        return f"r{self.revision}-g{self.generations}-{self.fingerprint % 2**64:016x}"

    @property
    def state(self) -> IndexingState:
        """Pending until the first document is begun."""
        counts, progress = self.progress.counts, self.progress
        if progress.done == progress.total:
            return IndexingState(progress.status.value)
        is_begun = counts.get(DocumentState.INDEXING) or progress.done > self._skipped
        return IndexingState.INDEXING if is_begun else IndexingState.PENDING

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in {IndexingState.INDEXED, IndexingState.FAILED}

    @property
    def position(self) -> Position:
        """The moment."""
        stage = {IndexingState.PENDING: _PENDING, IndexingState.INDEXING: _INDEXING}.get(self.state, _ENDED)
        documents = f"{self.fingerprint % 2**64:016x}"
        return Position(self.revision, self.generations, stage, self.progress.done, documents)

    def since(self, last: Position | None) -> "tuple[IndexingStanding, ...]":
        """What is to be told to whoever was told `last`: the states that were passed through, and this one.

        No document is indexed that was not begun before, so that what went by between two looks is known all the
        same. Whoever was told nothing, or of a moment that a restored backup has undone, is told this one alone.
        """
        now = self.position
        is_same_run = last is not None and last.is_of_same_documents(now)
        if last == now and is_same_run:
            return ()
        if last is None or last > now:
            return (self,)
        is_begun_before = is_same_run and last.stage >= _INDEXING
        missed: list[IndexingStanding] = []
        if last.revision < now.revision and now.stage > _PENDING:
            missed.append(self._at_first(DocumentState.PENDING))
        if now.stage == _ENDED and not is_begun_before:
            missed.append(self._at_first(DocumentState.INDEXING))
        return (*missed, self)

    @property
    def _skipped(self) -> int:
        return self.progress.counts.get(DocumentState.SKIPPED, 0)

    def _at_first(self, state: DocumentState) -> "IndexingStanding":
        counts = {state: self.progress.total - self._skipped, DocumentState.SKIPPED: self._skipped}
        return replace(self, progress=IndexingProgress(counts=counts))
