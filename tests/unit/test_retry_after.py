"""When servers say that they may be asked again."""

from datetime import UTC, datetime

import pytest

from adapters.retry_after import retry_after_s

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 2 ", 2),
        ("1.5", 1.5),
        ("Thu, 05 Nov 2026 12:00:30 GMT", 30),
        ("Thu, 05 Nov 2026 12:00:30 -0000", 30),
        ("Thu, 05 Nov 2026 21:00:30 +0900", 30),
        ("Thu, 05 Nov 2026 11:00:00 GMT", 0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("٣", None),
        ("1e9", None),
        ("9" * 5_000, None),
        ("Thu, 99 Nov 2026 12:00:30 GMT", None),
        ("Thu, 05 Nov 99999999999 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    assert retry_after_s(header, now=NOW) == seconds
