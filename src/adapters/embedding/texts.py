"""What is done to a text before any model sees it."""

from domain.normal_forms import compatible


def readable(text: str, *, longest: int) -> str:
    """The text as a tokenizer can take it: NFKC, no lone surrogates (UTF-8 has none), at most `longest` characters.

    Most tokenizers normalise by themselves, but one character may become 18: so it is done before the cut.
    """
    encodable = text[:longest].encode(errors="ignore").decode()
    return compatible(encodable)[:longest]


def sendable(text: str, *, longest: int) -> str:
    """A readable text that no server refuses: some take neither a blank one nor NUL."""
    return readable(text, longest=longest).replace("\0", " ").strip() or "."
