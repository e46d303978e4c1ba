"""Is what the documents do to devices recorded of each that is found, at its generation, and as its listing says?"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from adapters.postgres.document_rows import document_of_row
from adapters.postgres.use_rows import row_of_use
from domain.comments import DeviceComments
from domain.document_chunks import document_chunks
from domain.uses import USES_VERSION
from faults.evidence import Evidence, Row

_MOST_READ = 40
"""Of so many ladders the listing is read again; of all, the sums are compared."""

_SAID = ("rung", "step", "first", "last", "bit", "is_open", "is_shifted", "space", "role", "mnemonic", "operand")


def wrong_uses(evidence: Evidence, indexed: Mapping[str, Row]) -> Iterator[str]:
    """I3: `indexed` are the documents that are found, by their ids."""
    sets = {row["document_id"]: row for row in evidence.tables["used_documents"]}
    rows: defaultdict[int, list[Row]] = defaultdict(list)
    for row in evidence.tables["device_uses"]:
        rows[row["set_id"]].append(row)
    for document_id, document in indexed.items():
        if (of_it := sets.get(document_id)) is None:
            yield f"what {document_id} does to devices is not recorded"
        else:
            yield from _wrong(document, of_it, rows[of_it["set_id"]])
    ladders = [row for row in indexed.values() if row["document_type"] == "PGM_LADDER_CSV"]
    for document in sorted(ladders, key=lambda row: str(row["sha256"]))[:_MOST_READ]:
        if (of_it := sets.get(document["document_id"])) and not of_it["is_unreadable"]:
            yield from _misread(evidence, document, rows[of_it["set_id"]])


def uses_of_the_gone(evidence: Evidence) -> Iterator[str]:
    """I4: a purge takes them along."""
    known = {row["document_id"] for row in evidence.tables["documents"] if row["pgm_id"] in evidence.live}
    sets = {row["set_id"]: row for row in evidence.tables["used_documents"]}
    for of_it in sets.values():
        if of_it["document_id"] not in known:
            yield f"uses of {of_it['document_id']}"
    if orphans := {row["set_id"] for row in evidence.tables["device_uses"]} - sets.keys():
        yield f"uses of {len(orphans)} documents of which nothing is recorded"


def _wrong(document: Row, of_it: Row, rows: Sequence[Row]) -> Iterator[str]:
    name = document["document_id"]
    if (of_it["generation"], of_it["uses_version"]) != (document["generation"], USES_VERSION):
        yield f"the uses of {name} are those of generation {of_it['generation']}, version {of_it['uses_version']}"
    if of_it["is_unreadable"]:
        yield f"the uses of {name} are given up"
    if of_it["use_count"] not in {None, len(rows)}:
        yield f"{name} has {len(rows)} uses, and {of_it['use_count']} were recorded"
    number = int(document["pgm_id"].removeprefix("PGM_"))
    if any(row["pgm_number"] != number for row in rows):
        yield f"uses of {name} are noted for another program"


def _misread(evidence: Evidence, document: Row, rows: Sequence[Row]) -> Iterator[str]:
    stored = evidence.blobs.get(document["blob_key"])
    if stored is None or stored.sha256 != document["sha256"]:
        return  # that is for I5
    expected = _expected(stored.content, tuple(sorted(document.items(), key=lambda item: item[0])))
    found = Counter(tuple(row[name] for name in _SAID) for row in rows)
    if found != expected:
        yield f"the uses of {document['document_id']} are not what its listing says: {found - expected} too many"


@lru_cache(maxsize=1_000)
def _expected(content: bytes, fields: tuple[tuple[str, Any], ...]) -> Counter[tuple[Any, ...]]:
    document = document_of_row(cast("Any", SimpleNamespace(**dict(fields))))
    chunks = document_chunks(content, document, DeviceComments())
    rows = (row_of_use(use, chunk.ordinal, set_id=0, pgm_number=0) for chunk in chunks for use in chunk.uses)
    return Counter(tuple(row[name] for name in _SAID) for row in rows)
