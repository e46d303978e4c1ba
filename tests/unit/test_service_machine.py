"""Whatever happens in whatever order: some sequences in every run of the tests, many by `make soak`."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from faults.machine import ServiceMachine


@pytest.fixture(autouse=True)
def _no_logs() -> Iterator[None]:
    """A failure tells its steps; thousands of lines before them would hide them."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_any_sequence_of_events_ends_as_the_model_says() -> None:
    run_state_machine_as_test(
        ServiceMachine, settings=settings(max_examples=5, stateful_step_count=20, derandomize=True)
    )
