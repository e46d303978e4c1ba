"""A context for whoever reasons about ladders: rungs as text, as many as fit a budget of tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.document import DocumentType
from domain.search import FoundChunk

BETWEEN_PIECES = "\n\n"
"""What stands between the texts of a prompt; each piece pays for one."""

# Addresses, steps and ids are cut small: of three to a token, rungs took up to 1.6 times the estimate.
_ASCII_PER_TOKEN = 2
_TOKENS_OF_ANOTHER = 1.5


class Why(StrEnum):
    """Why a rung is told."""

    HIT = "hit"
    WRITES = "writes"
    NEIGHBOUR = "neighbour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A rung that is told: because it was found, writes what the hit `of` reads (`device`), or stands beside that.

    `ladder` is its text, cut at the end of a line where `is_cut`.
    """

    chunk: FoundChunk
    why: Why
    of: str = ""
    device: str = ""
    ladder: str = ""
    is_cut: bool = False

    @property
    def citation(self) -> str:
        """Program, path, file and steps, or where in it a passage stands, and the id by which it can be asked for."""
        chunk, place = self.chunk, self.chunk.place
        path = "/".join(filter(None, (place.folder_name, place.sub_folder_name, place.logic_name)))
        where = "" if chunk.first_step is None else f"steps {chunk.first_step}-{chunk.last_step}"
        if chunk.document_type is DocumentType.FURTHER and chunk.title != chunk.document_name:
            where = f"({chunk.title.removeprefix(f'{chunk.document_name}, ')})"  # its title ends with its place
        return " ".join(filter(None, (chunk.pgm_id, path, chunk.document_name, where, f"[{chunk.chunk_id}]")))

    @property
    def text(self) -> str:
        """What is told of it: the citation, title, instructions, and the comments of its devices."""
        comments = "; ".join(f"{use.device} = {use.comment}" for use in self.chunk.devices if use.comment)
        title = "" if self.chunk.document_type is DocumentType.FURTHER else self.chunk.title  # it is cited
        return "\n".join(filter(None, (self.citation, title, self.ladder, comments)))

    @property
    def tokens(self) -> int:
        """The estimate for its text and what stands between it and the next."""
        return estimated_tokens(self.text + BETWEEN_PIECES)


def estimated_tokens(text: str) -> int:
    """A token for every two ASCII characters, three for every two others: rather too many than too few.

    Of 180 rungs, cl100k_base and o200k_base made .9 times as many in sum, of one rung 1.07 times at worst.
    """
    ascii_count = sum(map(str.isascii, text))
    return -(-ascii_count // _ASCII_PER_TOKEN) + round((len(text) - ascii_count) * _TOKENS_OF_ANOTHER)


def packed(pieces: Iterable[Piece], *, budget: int) -> Sequence[Piece]:
    """Those that fit, the first ones first, each rung once; one that does not fit makes room for a smaller one.

    The first of all is cut where it is too long for the budget alone.
    """
    chosen: dict[str, Piece] = {}
    left = budget
    for piece in pieces:
        whole = replace(piece, ladder=piece.chunk.ladder)
        if piece.chunk.chunk_id in chosen:
            continue
        if not chosen and whole.tokens > left:
            whole = _cut(whole, left)
        if whole.tokens <= left:
            chosen[piece.chunk.chunk_id] = whole
            left -= whole.tokens
    return tuple(chosen.values())


def _cut(piece: Piece, budget: int) -> Piece:
    lines = piece.ladder.split("\n")
    shortest, longest = 0, len(lines)
    while shortest < longest:  # the most lines that fit
        middle = (shortest + longest + 1) // 2
        if _with_lines(piece, lines[:middle]).tokens <= budget:
            shortest = middle
        else:
            longest = middle - 1
    return _with_lines(piece, lines[:shortest])


def _with_lines(piece: Piece, lines: Sequence[str]) -> Piece:
    return replace(piece, ladder="\n".join((*lines, "…")), is_cut=True)
