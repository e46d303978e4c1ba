"""Documents for tests, with every field that does not matter filled in."""

from datetime import UTC, datetime
from typing import Any

from domain.document import Document, DocumentState, DocumentType

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_document(**fields: Any) -> Document:
    """A ladder document of PGM_1; say only what the test is about."""
    given: dict[str, Any] = {
        "document_id": "PGM_1-r1-0002",
        "pgm_id": "PGM_1",
        "revision": 1,
        "ordinal": 2,
        "document_type": DocumentType.LADDER_CSV,
        "document_name": "0000_11.csv",
        "blob_key": "programs/PGM_1/r1/zip/ladder.zip",
        "member": "0000_11.csv",
        "size_bytes": 10,
        "sha256": "0" * 64,
        "create_dt": NOW,
        "state": DocumentState.PENDING,
        "logic_id": "0000_11",
        "logic_name": "CV1_MAIN",
        "folder_id": "0",
        "folder_name": "이송부",
    }
    return Document(**given | fields)
