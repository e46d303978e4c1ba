"""What the outbox stores can be read by the version before and after."""

import pytest

from adapters.postgres.event_rows import event_of, row_of_event
from domain.document import DocumentRef
from domain.errors import NewerEventError, UnindexableError
from domain.events import DocumentsRegistered, DocumentsRemoved, Event, ProgramDeleted

REGISTERED = DocumentsRegistered(
    pgm_id="PGM_7",
    documents=(DocumentRef(document_id="a", generation=1), DocumentRef(document_id="b", generation=12)),
)
# Rows as they stand in the databases of schema 1: change neither, add new ones.
STORED: list[tuple[str, object, Event]] = [
    ("documents_registered", {"schema": 1, "pgm_id": "PGM_7", "documents": [["a", 1], ["b", 12]]}, REGISTERED),
    ("program_deleted", {"schema": 1, "pgm_id": "PGM_7"}, ProgramDeleted(pgm_id="PGM_7")),
    (
        "documents_removed",
        {"schema": 1, "pgm_id": "PGM_7", "documents": [["a", 1], ["b", 12]], "prefix": "programs/PGM_7/d3"},
        DocumentsRemoved(pgm_id="PGM_7", documents=REGISTERED.documents, prefix="programs/PGM_7/d3"),
    ),
]


@pytest.mark.parametrize(("kind", "payload", "event"), STORED)
def test_an_event_is_stored_in_these_words(kind: str, payload: object, event: Event) -> None:
    assert row_of_event(event) == {"kind": kind, "payload": payload}


@pytest.mark.parametrize(("kind", "payload", "event"), STORED)
def test_a_stored_event_is_read_back(kind: str, payload: object, event: Event) -> None:
    assert event_of(kind, payload) == event


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("program_deleted", {"schema": 0, "pgm_id": "PGM_7"}),
        ("program_deleted", {"schema": "2", "pgm_id": "PGM_7"}),
        ("program_deleted", {"pgm_id": "PGM_7"}),
        ("program_deleted", {"schema": 1}),
        ("program_deleted", None),
        ("program_deleted", []),
        ("program_deleted", "PGM_7"),
        ("documents_registered", {"schema": 1, "pgm_id": "PGM_7", "documents": [["a"]]}),
        ("documents_registered", {"schema": 1, "pgm_id": "PGM_7", "documents": [["a", "1"]]}),
        ("documents_registered", {"schema": 1, "pgm_id": 7, "documents": []}),
    ],
)
def test_what_cannot_be_read_says_so(kind: str, payload: object) -> None:
    with pytest.raises(UnindexableError) as caught:
        event_of(kind, payload)
    assert caught.value.code == "event_unreadable"


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("documents_renamed", {"schema": 1, "pgm_id": "PGM_7"}),
        ("documents_renamed", None),
        ("program_deleted", {"schema": 2, "pgm_id": "PGM_7"}),
        ("documents_registered", {"schema": 2}),
    ],
)
def test_what_only_a_newer_version_can_have_written_is_told_apart(kind: str, payload: object) -> None:
    with pytest.raises(NewerEventError) as caught:
        event_of(kind, payload)
    assert caught.value.code == "event_unknown"
