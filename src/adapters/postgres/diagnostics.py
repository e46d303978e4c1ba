"""What may be kept of an error's text."""

_LONGEST = 2_000


def legible(message: str) -> str:
    """Cut a message to 2,000 characters and replace what Postgres refuses: recording an error must not fail."""
    return message[:_LONGEST].replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
