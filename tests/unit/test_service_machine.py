"""Whatever happens in whatever order: the same sequences in every run of the tests, others by `make soak`."""

import pytest
from hypothesis import settings

from faults.machine import ServiceMachine, run_quietly


@pytest.mark.timeout(600)  # long enough for one that failed to be made short
def test_whatever_happens_in_whatever_order_ends_as_the_model_says() -> None:
    run_quietly(ServiceMachine, settings(max_examples=80, stateful_step_count=12, derandomize=True))
