"""The header by which servers say when to come again (RFC 9110, 10.2.3)."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after_s(header: str, *, now: datetime) -> float | None:
    """Seconds from now that a Retry-After header asks for, as a number or as a date; None where it says neither."""
    if re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", header, flags=re.ASCII):
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())
