"""What a blob key may look like, the same for every store."""

LONGEST_KEY_BYTES = 1_024
LONGEST_SEGMENT_BYTES = 255


def checked_key(key: str) -> str:
    """The key itself. Raises ValueError unless it is a relative POSIX path that every store can hold.

    The limits are those of the narrowest store: 1,024 bytes for an object key, 255 for a file name.
    """
    if _size_bytes(key) > LONGEST_KEY_BYTES:
        raise ValueError(f"a blob key has at most {LONGEST_KEY_BYTES} bytes: {key[:80]!r}…")
    for segment in key.split("/"):
        if segment in {"", ".", ".."} or "\\" in segment or "\0" in segment:
            raise ValueError(f"a blob key is a relative POSIX path: {key!r}")
        if _size_bytes(segment) > LONGEST_SEGMENT_BYTES:
            raise ValueError(f"a segment of a blob key has at most {LONGEST_SEGMENT_BYTES} bytes: {segment[:80]!r}…")
    return key


def checked_prefix(prefix: str) -> str:
    """The folder that a prefix names, without a slash at its end. Raises ValueError; '' stays ''."""
    folder = prefix.removesuffix("/")
    return checked_key(folder) if prefix else ""


def checked_range(start: int, stop: int | None) -> None:
    """Raise ValueError for a negative bound. A range beyond the end is an empty one, as with slices."""
    if start < 0 or (stop is not None and stop < 0):
        raise ValueError(f"a range of bytes has no negative bound: [{start}, {stop})")


def _size_bytes(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise ValueError(f"a blob key is Unicode text: {text!r}") from error
