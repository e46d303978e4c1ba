"""Vectors as one buffer."""

import math
from array import array

import pytest

from domain.vectors import Vectors


def vectors(*values: float, dimension: int = 2) -> Vectors:
    return Vectors(dimension=dimension, buffer=array("f", values).tobytes())


def test_rows_are_slices_of_the_buffer() -> None:
    two = vectors(1, 2, 3, 4)
    assert len(two) == 2
    assert array("f", two.row(1).tobytes()).tolist() == [3.0, 4.0]


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_found(poison: float) -> None:
    assert vectors(1, 2, 3, 4).are_finite()
    assert not vectors(1, 2, poison, 4).are_finite()


def test_a_buffer_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="no rows of 3 floats"):
        vectors(1, 2, dimension=3)
