"""Texts cut to what a VARCHAR field holds. Milvus counts bytes of UTF-8."""

ID_BYTES = 1_024
LEXICAL_BYTES = 65_535


def clipped_id(value: str) -> str:
    """An id of at most 1,024 bytes; a longer one (a template cell may hold 32,767 characters) keeps its beginning.

    Applied alike to what is stored and to what is asked for.
    """
    return _beginning(value, ID_BYTES)


def clipped_tokens(tokens: str) -> str:
    """Blank-separated tokens in at most 65,535 bytes: those that fit, each of them whole."""
    beginning = _beginning(tokens, LEXICAL_BYTES)
    if len(beginning) == len(tokens) or tokens[len(beginning)] == " ":
        return beginning
    whole, blank, _ = beginning.rpartition(" ")
    return whole if blank else ""


def _beginning(text: str, size_bytes: int) -> str:
    if len(text) * 4 <= size_bytes:
        return text
    return text.encode()[:size_bytes].decode(errors="ignore")
