"""Events: how documents are spread over them, split, and how long retries wait."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.document import DocumentRef
from domain.events import DOCUMENTS_PER_EVENT, RUNGS_PER_EVENT, RetryPolicy, batched, halves


def refs(count: int) -> list[DocumentRef]:
    return [DocumentRef(document_id=f"d{i}", generation=1) for i in range(count)]


@given(st.lists(st.integers(min_value=0, max_value=9_000), max_size=200))
def test_every_document_is_in_one_event_and_no_event_is_too_large(sizes: list[int]) -> None:
    sized = list(zip(refs(len(sizes)), sizes, strict=True))
    events = list(batched(sized, pgm_id="PGM_1"))
    assert [ref for event in events for ref in event.documents] == [ref for ref, _ in sized]
    size_of = dict(sized)
    for event in events:
        assert 1 <= len(event.documents) <= DOCUMENTS_PER_EVENT
        assert len(event.documents) == 1 or sum(size_of[ref] for ref in event.documents) <= RUNGS_PER_EVENT


def test_an_event_splits_until_the_poison_document_stands_alone() -> None:
    (event,) = batched([(ref, 1) for ref in refs(5)], pgm_id="PGM_1")
    first, second = halves(event)
    assert first.documents + second.documents == event.documents
    assert (len(first.documents), len(second.documents)) == (2, 3)


def test_the_retry_budget_outlasts_a_quarter_of_an_hour() -> None:
    policy = RetryPolicy()
    shortest = sum((policy.delay_after(n, jitter=1.0) for n in range(1, policy.max_attempts)), timedelta())
    assert shortest > timedelta(minutes=15)
    assert policy.delay_after(1, jitter=0.0) == timedelta(seconds=1)
    assert policy.delay_after(1_000, jitter=0.0) == policy.longest_delay
    assert policy.is_exhausted(policy.max_attempts)
    assert not policy.is_exhausted(policy.max_attempts - 1)
