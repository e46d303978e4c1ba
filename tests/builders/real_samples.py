"""Real exports, where they are at hand: they are no part of the project."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

SHARED = Path(__file__).parents[3] / "shared"
SAMPLES = SHARED / "samples"
# Label lists, comment lists, and two files that their author broke on purpose.
NO_LADDER = ("Global", "ProgPou1", "io.csv", "comment", "strct_fail.zip/0002_11", "strct_fail.zip/0004_11")


def real_ladders() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every ladder file, those in archives included."""
    for name, content in _files():
        if not any(word in name for word in NO_LADDER):
            yield name, content


def _files() -> Iterator[tuple[str, bytes]]:
    for path in sorted(SAMPLES.rglob("*.csv")):
        yield path.name, path.read_bytes()
    for path in sorted([*SAMPLES.rglob("*.zip"), *SHARED.glob("retrieval/*.zip")]):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield f"{path.name}/{name}", archive.read(name)
