"""No embedder's answer is taken on trust."""

from array import array

import numpy as np
import pytest

from adapters.embedding.answers import unit_vectors
from adapters.embedding.embedded import readable
from adapters.embedding.registry import EMBEDDERS, embedder_named
from domain.errors import MisconfiguredError
from domain.ports.embedder import EmbeddingModel

MODEL = EmbeddingModel(name="four", dimension=4)


def test_rows_are_scaled_to_unit_length() -> None:
    vectors = unit_vectors(np.array([[3, 0, 4, 0]], dtype=np.float32), model=MODEL, count=1)
    assert array("f", vectors.buffer).tolist() == pytest.approx([0.6, 0, 0.8, 0])


@pytest.mark.parametrize("shape", [(2, 4), (1, 5), (0, 4), (4,)])
def test_another_count_or_dimension_is_a_misconfiguration(shape: tuple[int, ...]) -> None:
    with pytest.raises(MisconfiguredError):
        unit_vectors(np.ones(shape, dtype=np.float32), model=MODEL, count=1)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_vector_without_direction_is_a_misconfiguration(value: float) -> None:
    with pytest.raises(MisconfiguredError):
        unit_vectors(np.full((1, 4), value, dtype=np.float32), model=MODEL, count=1)


def test_an_unknown_embedder_is_a_misconfiguration_that_names_the_known_ones() -> None:
    with pytest.raises(MisconfiguredError, match="embedded"):
        embedder_named("no such")
    assert "embedded" in EMBEDDERS


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ｻｰﾎﾞ １", "サーボ 1"), ("모터\ud800 정지", "모터 정지"), ("", ""), ("x" * 9_000, "x" * 2_000)],
)
def test_a_text_is_made_readable(text: str, expected: str) -> None:
    assert readable(text) == expected


def test_a_text_that_grows_when_normalised_is_cut_after_that() -> None:
    assert len(readable("\ufdfa" * 2_000)) == 2_000
