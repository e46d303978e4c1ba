"""A short campaign of a fixed seed; `make api-fuzz` runs a long one."""

from collections.abc import Iterator

import pytest

from api_fuzz.campaign import Target, a_target

SEED = 20261125
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with a_target(tmp_path_factory.mktemp("api_fuzz")) as target:
        yield target


def test_the_service_answers_just_as_its_document_says(target: Target) -> None:
    fuzzed = target.fuzz(seed=SEED, examples=8, with_key=True, phases="fuzzing,stateful")
    assert fuzzed.exit_code == 0, fuzzed.said
    assert fuzzed.server_errors == 0, fuzzed.figures
    assert fuzzed.requests > 200, "most of the document was not reached"
    assert {"POST /v1/programs", "GET /v1/programs/{pgm_id}"} <= set(fuzzed.carried_out), "links lead nowhere"


def test_nothing_is_carried_out_for_whoever_has_no_key(target: Target) -> None:
    fuzzed = target.fuzz(seed=SEED, examples=4, with_key=False, phases="fuzzing")
    assert fuzzed.exit_code == 0, fuzzed.said
    assert fuzzed.server_errors == 0, fuzzed.figures
    assert fuzzed.statuses[401] > 50
    assert fuzzed.carried_out == {}
