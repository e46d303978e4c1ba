"""What the collection looks like on the kinds of Milvus servers, told from their version."""

import re
from dataclasses import dataclass

from domain.errors import MisconfiguredError
from domain.search import Lane

_OLDEST = (2, 3)  # the first one that compares by COSINE and can upsert
_FIRST_WITH_BM25 = (2, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKind:
    """`analyzer` splits the lexical text and leaves our tokens whole; None where there is no BM25.

    `partitions` is over how many partitions the programs are spread, None where their id is a plain field.
    `suffix` ends the name of the collection, `notice` says what an operator should know.
    """

    indexed: tuple[str, ...]
    analyzer: str | None = None
    partitions: int | None = None
    suffix: str = ""
    notice: str = ""
    is_lite: bool = False

    @property
    def lanes(self) -> frozenset[Lane]:
        """The lanes that can be searched."""
        return frozenset(Lane) if self.analyzer else frozenset({Lane.DENSE})


# Its analyzer named `standard` works by a grammar that need not leave bigrams of kanji alone. Sixteen partitions
# are what 2.5 makes unless told: said here so that no other version decides. A search of one program leaves the
# segments of most others aside; one of all programs visits them all, so there are not more.
MILVUS = ServerKind(
    analyzer="whitespace",
    indexed=("dense", "lexical", "pgm_id", "document_id", "folder_id", "logic_id"),
    partitions=16,
)

# Its `standard`, the only analyzer it has, takes runs of word characters. And it writes the files of dense and
# scalar indexes in place: killed meanwhile, it never loads the collection again ("Not an Arrow file"). The sparse
# index has no file. Without the others searches are exact: 25 ms among 6,000 rungs (HNSW: 11), 155 among 20,000
# (36). No partitions: each has segments of its own, BM25 counts words per segment there, and a search over all
# programs would visit every one of them.
LITE = ServerKind(analyzer="standard", indexed=("lexical",), is_lite=True)


def kind_of(version: str) -> ServerKind:
    """The kind of a server that reports this version; one that names no number is taken for a new one.

    Raises MisconfiguredError for a server that is too old.
    """
    if version.startswith("milvus_lite"):
        return LITE
    found = re.search(r"(\d+)\.(\d+)", version)
    numbers = (int(found[1]), int(found[2])) if found else _FIRST_WITH_BM25
    if numbers < _OLDEST:
        raise MisconfiguredError(f"Milvus {version} is too old: 2.3 finds by meaning, 2.5 by words as well")
    return MILVUS if numbers >= _FIRST_WITH_BM25 else _dense_only(version)


def _dense_only(version: str) -> ServerKind:
    """One without BM25. Its scalar indexes have other names than those of today: it filters row by row.

    No partitions: up to 2.3.9 an upsert spreads rows by the wrong field, and a search of one program misses
    most of them (seen with 2.3.5: 3 of 50; milvus pull request 30772).
    """
    number = version.removeprefix("v")
    return ServerKind(
        indexed=("dense",),
        suffix="_dense",  # a server that is upgraded gets a new collection, and is rebuilt
        notice=f"the lexical lane is off: Milvus {number} has no BM25, 2.5 has",
    )
