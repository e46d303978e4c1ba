"""What one process lets its callers do at once and by the minute."""

from dataclasses import dataclass

from application.places import StreamPlaces, UploadPlaces
from application.rate_limiter import RateLimiter


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Uploads and searches count for their caller, keys that nobody knows for the address that they come from."""

    places: UploadPlaces
    uploads: RateLimiter
    searches: RateLimiter
    unknown_keys: RateLimiter
    streams: StreamPlaces
