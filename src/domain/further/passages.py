"""Passages: the pieces of a further document that are found, each short enough to be embedded whole."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain.chunk import Chunk, Place
from domain.chunking import MAX_DENSE_CHARACTERS
from domain.document import Document
from domain.ladder.table import TableError
from domain.lexical import lexical_text
from domain.told import Told, told

MOST_PASSAGES = 10_000
"""Of one document. A worker embeds some 400 a second, and the largest manual that was tried has 3,000."""

PASSAGE_CHARACTERS = 320
_SAID = re.compile(r"\S")
_BLANKS = [chr(code) for code in range(0x3001) if chr(code).isspace()]
_HEADING_CHARACTERS = MAX_DENSE_CHARACTERS - PASSAGE_CHARACTERS - len(". ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of text, and where it stands: `place` is for people (`page 3`, `Sheet1, rows 4-6`, a heading)."""

    place: str
    text: str
    heading: str = ""
    """What it is about besides, to be found by: the sheet, the headings above it. No numbers of rows or pages."""


def bounded(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """All passages that say something. Raises TableError where there are none, or more than MOST_PASSAGES."""
    kept: list[Passage] = []
    for passage in passages:
        if not passage.text.strip():
            continue
        if len(kept) == MOST_PASSAGES:
            raise _too_long(
                told(
                    "its text is longer than {most:,} passages, which end at {place}",
                    most=len(kept),
                    place=passage.place,
                )
            )
        kept.append(passage)
    if not kept:
        raise TableError(
            "document_without_text",
            told("it holds no text that could be found"),
            hint=told("Of a scan, send what text recognition made of it."),
        )
    return tuple(kept)


def refuse_too_long(text: str) -> None:
    """Before it is cut: what it says fills more than MOST_PASSAGES, however it is cut. Raises TableError."""
    said = len(text) - sum(map(text.count, _BLANKS))
    if said > MOST_PASSAGES * PASSAGE_CHARACTERS:
        raise _too_long(
            told("its text has {said:,} characters, more than {most:,} passages hold", said=said, most=MOST_PASSAGES)
        )


def passage_chunks(passages: Iterable[Passage], document: Document) -> tuple[Chunk, ...]:
    """One chunk for each passage, under the document's title and the passage's place."""
    named = document.title or document.document_name
    return tuple(_chunk(ordinal, passage, named) for ordinal, passage in enumerate(passages))


def pieces_of(text: str) -> Iterator[str]:
    """A text in pieces of at most PASSAGE_CHARACTERS, cut between sentences or words where there are any."""
    place, end = 0, len(text.rstrip())  # no copy of the rest for each piece: a text may be one line of megabytes
    while begun := _SAID.search(text, place, end):
        place = begun.start()
        window = text[place : min(end, place + PASSAGE_CHARACTERS)]
        length = _end_of_piece(window) if place + len(window) < end else len(window)
        yield window[:length].strip()
        place += length


def _end_of_piece(head: str) -> int:
    for marks in (("\n",), (". ", "。", "! ", "? ", "; "), (" ",)):
        end = (
            max(head.rfind(mark) + len(mark) for mark in marks if mark in head) if any(m in head for m in marks) else 0
        )
        if end > PASSAGE_CHARACTERS // 2:
            return end
    return PASSAGE_CHARACTERS


def _too_long(message: Told) -> TableError:
    return TableError("document_too_long", message, hint=told("Split the document and send its parts."))


def _chunk(ordinal: int, passage: Passage, named: str) -> Chunk:
    heading = " ".join(filter(None, (named, passage.heading)))
    text = " ".join(passage.text.split())
    return Chunk(
        ordinal=ordinal,
        place=Place(),
        first_step=None,
        last_step=None,
        title=", ".join(filter(None, (named, passage.place))),
        ladder=passage.text,
        devices=(),
        dense_text=f"{heading[:_HEADING_CHARACTERS]}. {text}"[:MAX_DENSE_CHARACTERS],
        lexical_text=lexical_text([named, passage.place, passage.heading, passage.text]),
    )
