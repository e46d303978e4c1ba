"""Which pages of other origins may ask, from inside a browser: none, unless they are named."""

from litestar.config.cors import CORSConfig


def cors_config(origins: tuple[str, ...]) -> CORSConfig | None:
    """For these origins alone, or None. A page sends a key itself: there are no credentials that a browser adds."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-ID"],
        allow_credentials=False,
        expose_headers=["ETag", "Idempotency-Replayed", "Location", "Retry-After", "WWW-Authenticate", "X-Request-ID"],
    )
