"""Texts cut into passages: by heading and paragraph, short paragraphs together."""

import re
from collections.abc import Iterator

from domain.further.passages import PASSAGE_CHARACTERS, Passage, pieces_of

_HEADING = re.compile(r"(?P<marks>#{1,6})\s+(?P<text>.*?)\s*#*")
_UNDERLINES = {"=": 1, "-": 2}
_MOST_HEADING_CHARACTERS = 120


def prose_passages(text: str, *, place: str = "", has_headings: bool = False) -> Iterator[Passage]:
    """Passages of a text; where it `has_headings` (Markdown) each stands under those above it."""
    for headings, paragraphs in _sections(text) if has_headings else [((), _paragraphs(text.splitlines()))]:
        heading = " / ".join(headings)
        for piece in _together(paragraphs):
            yield Passage(place=", ".join(filter(None, (place, heading))), text=piece, heading=heading)


def _sections(text: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """The paragraphs of each section with its headings; a heading alone is a paragraph of its own."""
    headings: dict[int, str] = {}
    lines: list[str] = []
    is_code = False
    for line in text.splitlines():
        is_code ^= line.lstrip().startswith("```")
        found = None if is_code else _heading(line, lines)
        if found is None:
            lines.append(line)
            continue
        level, heading = found
        yield tuple(headings.values()), _paragraphs(lines)
        headings = {each: name for each, name in headings.items() if each < level} | {level: heading}
        lines = [heading, ""]
    yield tuple(headings.values()), _paragraphs(lines)


def _heading(line: str, before: list[str]) -> tuple[int, str] | None:
    if match := _HEADING.fullmatch(line.strip()):
        return len(match["marks"]), match["text"][:_MOST_HEADING_CHARACTERS]
    rule = line.strip()
    is_rule = len(rule) > 2 and rule == rule[0] * len(rule) and rule[0] in _UNDERLINES  # noqa: PLR2004 - as Markdown has it
    if is_rule and before and before[-1].strip() and (len(before) == 1 or not before[-2].strip()):
        return _UNDERLINES[rule[0]], before.pop().strip()[:_MOST_HEADING_CHARACTERS]
    return None


def _paragraphs(lines: list[str]) -> list[str]:
    paragraphs = re.split(r"\n\s*\n", "\n".join(line.rstrip() for line in lines))
    return [paragraph.strip() for paragraph in paragraphs if paragraph.strip()]


def _together(paragraphs: list[str]) -> Iterator[str]:
    """Neighbours in one piece as long as they fit."""
    gathered = ""
    for paragraph in paragraphs:
        if gathered and len(gathered) + len(paragraph) + 1 > PASSAGE_CHARACTERS:
            yield gathered
            gathered = ""
        if len(paragraph) > PASSAGE_CHARACTERS:
            yield from pieces_of(f"{gathered}\n{paragraph}" if gathered else paragraph)
            gathered = ""
        else:
            gathered = f"{gathered}\n{paragraph}" if gathered else paragraph
    if gathered:
        yield gathered
