"""Texts cut into passages: by heading and paragraph, short paragraphs together."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from domain.further.passages import PASSAGE_CHARACTERS, Passage, pieces_of

_MARKS = re.compile(r"(#{1,6})\s")
_UNDERLINES = {"=": 1, "-": 2}
_MOST_HEADING_CHARACTERS = 120
_FEWEST_RULES = 3
_Section = tuple[int, tuple[str, ...]]  # its number and its headings
_NO_SECTION: _Section = (0, ())
_ENDS = "(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])"  # as str.splitlines has it
_LINE_END = re.compile(rf"{_ENDS}(?P<blank>\s*{_ENDS})?")


def prose_passages(text: str, *, place: str = "", has_headings: bool = False) -> Iterator[Passage]:
    """Passages of a text; where it `has_headings` (Markdown) each stands under those above it.

    As they are asked for: of a text without end no more is looked at than is taken.
    """
    lines = _lines(text)
    paragraphs = _under_headings(lines) if has_headings else ((_NO_SECTION, each) for each in _paragraphs(lines))
    for (_, headings), of_one in groupby(paragraphs, key=itemgetter(0)):
        heading = " / ".join(headings)
        for piece in _together(paragraph for _, paragraph in of_one):
            yield Passage(place=", ".join(filter(None, (place, heading))), text=piece, heading=heading)


def _lines(text: str) -> Iterator[str]:
    """Each line; however many blank ones follow each other are one."""
    place = 0
    for end in _LINE_END.finditer(text):
        yield text[place : end.start()]
        if end["blank"]:
            yield ""
        place = end.end()
    yield text[place:]


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    gathered: list[str] = []
    for line in lines:
        if line.strip():
            gathered.append(line.rstrip())
        elif gathered:
            yield "\n".join(gathered).strip()
            gathered = []
    if gathered:
        yield "\n".join(gathered).strip()


def _under_headings(lines: Iterable[str]) -> Iterator[tuple[_Section, str]]:
    """Each paragraph with the section that it stands in; a heading alone is a paragraph of its own."""
    headings: dict[int, str] = {}
    section = _NO_SECTION
    gathered: list[str] = []
    is_code = False
    for line in lines:
        is_code ^= line.lstrip().startswith("```")
        found = None if is_code else _heading(line, gathered)
        if found is None and line.strip():
            gathered.append(line.rstrip())
            continue
        if gathered:
            yield section, "\n".join(gathered).strip()
            gathered = []
        if found is not None:
            level, heading = found
            headings = {each: name for each, name in headings.items() if each < level} | {level: heading}
            section = section[0] + 1, tuple(headings.values())
            if heading:
                yield section, heading
    if gathered:
        yield section, "\n".join(gathered).strip()


def _heading(line: str, before: list[str]) -> tuple[int, str] | None:
    """Level and text; one that is underlined is taken away from the lines `before` it."""
    line = line.strip()
    if marks := _MARKS.match(line):
        return len(marks[1]), line[marks.end() :].rstrip("#").strip()[:_MOST_HEADING_CHARACTERS]
    is_rule = line[:1] in _UNDERLINES and len(line) >= _FEWEST_RULES and line == line[0] * len(line)
    if is_rule and len(before) == 1:
        return _UNDERLINES[line[0]], before.pop().strip()[:_MOST_HEADING_CHARACTERS]
    return None


def _together(paragraphs: Iterable[str]) -> Iterator[str]:
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
