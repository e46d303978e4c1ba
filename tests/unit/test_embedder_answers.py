"""No embedder's answer is taken on trust."""

from array import array

import numpy as np
import pytest

from adapters.embedding.answers import rows_of, unit_vectors
from domain.errors import MisconfiguredError, UnindexableError
from domain.ports.embedder import TEXT_REFUSED, EmbeddingModel

MODEL = EmbeddingModel(name="four", dimension=4)


def test_rows_are_scaled_to_unit_length() -> None:
    vectors = unit_vectors(np.array([[3, 0, 4, 0]], dtype=np.float32), model=MODEL, count=1)
    assert array("f", vectors.buffer).tolist() == pytest.approx([0.6, 0, 0.8, 0])


@pytest.mark.parametrize("shape", [(2, 4), (1, 5), (0, 4), (4,)])
def test_another_count_or_dimension_is_a_misconfiguration(shape: tuple[int, ...]) -> None:
    with pytest.raises(MisconfiguredError):
        unit_vectors(np.ones(shape, dtype=np.float32), model=MODEL, count=1)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_vector_without_direction_is_the_fault_of_its_text(value: float) -> None:
    with pytest.raises(UnindexableError):
        unit_vectors(np.full((1, 4), value, dtype=np.float32), model=MODEL, count=1)


@pytest.mark.parametrize("value", [3e38, 1e-45])
def test_a_vector_whose_length_float32_cannot_hold_has_no_direction(value: float) -> None:
    with pytest.raises(UnindexableError):
        unit_vectors(np.full((1, 4), value, dtype=np.float32), model=MODEL, count=1)


def test_rows_come_from_numbers_and_from_bytes() -> None:
    rows = rows_of([[1.0, 2.0, 3.0, 4.0], np.array([5, 6, 7, 8], dtype="<f4").tobytes()], model=MODEL)
    assert rows.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize("vector", [[1.0] * 3, [1.0] * 5, [], b"", b"123", b"1" * 15, b"1" * 20])
def test_a_row_of_another_dimension_is_a_misconfiguration_that_names_the_setting(vector: list[float | None]) -> None:
    with pytest.raises(MisconfiguredError, match=r"not of 4 \(MILVUS_EMBEDDING_DIM\)"):
        rows_of([vector], model=MODEL)


@pytest.mark.parametrize("value", [None, 1e300, float("inf")])
def test_a_number_that_float32_cannot_hold_makes_no_vector(value: float | None) -> None:
    rows = rows_of([[1.0, 2.0, 3.0, value]], model=MODEL)
    with pytest.raises(UnindexableError, match="not finite") as raised:
        unit_vectors(rows, model=MODEL, count=1)
    assert raised.value.code == TEXT_REFUSED
