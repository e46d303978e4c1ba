"""What the fuzzer ever came upon is read as it was found to be: accepted, or refused under a listed code."""

from pathlib import Path

import pytest

from fuzz.targets import TARGETS, seeds

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_breaks_no_reader(name: str) -> None:
    kept = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    assert len(kept) > 20
    for content in (*kept, *seeds(name).values()):
        TARGETS[name](content)
