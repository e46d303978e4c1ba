"""How rungs and template rows are rendered into chunks, for both search lanes.

The dense text is short names only: a sentence encoder drifts with length, and mnemonics or addresses in it
cost a third of the ranking quality (measured in benchmarks/retrieval.py). The lexical text holds the rest.
"""

from collections.abc import Iterable

from domain.chunk import Chunk, DeviceUse, Place
from domain.comments import DeviceComments
from domain.devices import Operand, devices_in, is_label
from domain.document import Document
from domain.ladder.listing import Listing
from domain.ladder.rung import Rung
from domain.lexical import lexical_text
from domain.template import Logic, Template
from domain.uses import uses_of

RENDERING_VERSION = 2
"""Raise it with any change to what is embedded or tokenised: the collection's name carries it."""

MAX_DENSE_CHARACTERS = 400
MAX_LADDER_CHARACTERS = 20_000
_MANY_DEVICES = 500


def ladder_chunks(listing: Listing, document: Document, comments: DeviceComments) -> tuple[Chunk, ...]:
    """One chunk per rung that says something, in program order."""
    rungs = (rung for rung in listing.rungs if rung.says_something)
    return tuple(
        _rung_chunk(rung, ordinal, document, comments, is_fx=listing.is_fx) for ordinal, rung in enumerate(rungs)
    )


def template_chunks(template: Template) -> tuple[Chunk, ...]:
    """One chunk per logic: its path and name are what people ask for when they look for a program."""
    return tuple(
        Chunk(
            ordinal=ordinal,
            place=_place_of(logic),
            first_step=None,
            last_step=None,
            title=logic.path,
            ladder="",
            devices=(),
            dense_text=logic.path[:MAX_DENSE_CHARACTERS],
            lexical_text=lexical_text([logic.path, logic.logic_id]),
        )
        for ordinal, logic in enumerate(template.logics)
    )


def mnemonic_text(rung: Rung) -> str:
    """The rung as engineers read a listing: one instruction a line, notes behind a semicolon; cut at a line's end."""
    lines = (
        f"{instruction}  ; {' '.join(' '.join(instruction.notes).split())}" if instruction.notes else str(instruction)
        for instruction in rung.instructions
    )
    text = "\n".join(lines)
    if len(text) <= MAX_LADDER_CHARACTERS:
        return text
    return text[:MAX_LADDER_CHARACTERS].rpartition("\n")[0] + "\n…"


def _rung_chunk(rung: Rung, ordinal: int, document: Document, comments: DeviceComments, *, is_fx: bool) -> Chunk:
    operands = [operand for instruction in rung.instructions for operand in instruction.operands]
    uses = tuple(_uses(devices_in(operands), comments))
    labels = [operand for operand in operands if is_label(operand)]
    first, last = rung.steps or (None, None)
    ladder = mnemonic_text(rung)
    return Chunk(
        ordinal=ordinal,
        place=_place_of(document),
        first_step=first,
        last_step=last,
        title=rung.title,
        ladder=ladder,
        devices=uses,
        dense_text=_dense_text(rung, document, [use.comment for use in uses], labels),
        lexical_text=_lexical_text(rung, document, uses),
        uses=tuple(uses_of(rung.instructions, is_fx=is_fx)),
    )


def _place_of(owner: Document | Logic) -> Place:
    return Place(
        logic_id=owner.logic_id,
        logic_name=owner.logic_name,
        folder_id=owner.folder_id,
        folder_name=owner.folder_name,
        sub_folder_name=owner.sub_folder_name,
    )


def _uses(operands: Iterable[Operand], comments: DeviceComments) -> Iterable[DeviceUse]:
    for operand in operands:
        found = (comments.of(device) for device in operand.devices)
        yield DeviceUse(device=operand.written, comment=next(filter(None, found), ""))


def _dense_text(rung: Rung, document: Document, comments: list[str], labels: list[str]) -> str:
    path = "/".join(part for part in (document.folder_name, document.logic_name) if part)
    names = dict.fromkeys(filter(None, (*rung.notes, *comments, *labels)))
    sentence = f"{path} {rung.title}".strip()
    text = f"{sentence}. {', '.join(names)}" if names else sentence
    return (text or document.document_name)[:MAX_DENSE_CHARACTERS]


def _lexical_text(rung: Rung, document: Document, uses: tuple[DeviceUse, ...]) -> str:
    """Names first, then every instruction: an index that must cut a monstrous rung cuts repetitions."""
    return lexical_text(
        [
            document.folder_name,
            document.sub_folder_name,
            document.logic_name,
            document.logic_id,
            rung.title,
            *(use.device for use in uses if len(uses) > _MANY_DEVICES),
            *(str(instruction) for instruction in rung.instructions),
            *rung.notes,
            *(use.comment for use in uses),
        ]
    )
