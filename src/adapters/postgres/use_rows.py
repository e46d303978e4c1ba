"""Uses of devices as rows and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from adapters.postgres.many_rows import Row as NewRow
from domain.addresses import Address
from domain.chunk import Place, chunk_id
from domain.document import DocumentRef
from domain.ladder.roles import Role
from domain.ports.device_catalogue import FoundUse
from domain.touched import Touched
from domain.uses import Use

ALL_OF_A_WORD = -1


def row_of_use(use: Use, rung: int, *, set_id: int, pgm_number: int) -> NewRow:
    """A row of `device_uses`."""
    return {
        "set_id": set_id,
        "pgm_number": pgm_number,
        "rung": rung,
        "step": use.step,
        "first": use.first,
        "last": use.last,
        "bit": ALL_OF_A_WORD if use.bit is None else use.bit,
        "is_open": use.is_open,
        "is_shifted": use.is_shifted,
        "space": use.space,
        "role": use.role.value,
        "mnemonic": use.mnemonic,
        "operand": use.operand,
    }


def found_use_of_row(row: Row[Any]) -> FoundUse:
    """A use of a row that joins it with its document, and with the comment of the device that was asked for."""
    ref = DocumentRef(document_id=row.document_id, generation=row.generation)
    return FoundUse(
        use=Use(
            role=Role(row.role),
            space=row.space,
            first=row.first,
            last=row.last,
            bit=bit_of(row.bit),
            is_open=row.is_open,
            is_shifted=row.is_shifted,
            step=row.step,
            mnemonic=row.mnemonic,
            operand=row.operand,
        ),
        chunk_id=chunk_id(ref, row.rung),
        pgm_id=row.pgm_id,
        document_id=row.document_id,
        document_name=row.document_name,
        place=Place(
            logic_id=row.logic_id,
            logic_name=row.logic_name,
            folder_id=row.folder_id,
            folder_name=row.folder_name,
            sub_folder_name=row.sub_folder_name,
        ),
        comment=row.comment,
    )


def counts_by_device(rows: Sequence[Row[Any]]) -> Mapping[tuple[Address, int | None], Mapping[Role, int]]:
    """Rows of one device and role each, in the order of the devices."""
    counts: dict[tuple[Address, int | None], dict[Role, int]] = {}
    for row in rows:
        device = Address(space=row.space, number=row.first), bit_of(row.bit)
        counts.setdefault(device, {})[Role(row.role)] = row.how_many
    return counts


def touched_of_row(row: Row[Any]) -> Touched:
    """A sum of uses."""
    return Touched(
        space=row.space,
        first=row.first,
        last=row.last,
        bit=bit_of(row.bit),
        role=Role(row.role),
        is_coil=row.is_coil,
        is_step=row.is_step,
        is_vague=row.is_vague,
        count=row.how_many,
        first_use=row.first_use,
        last_use=row.last_use,
    )


def bit_of(stored: int) -> int | None:
    """The bit of a word, None for all of it."""
    return None if stored == ALL_OF_A_WORD else stored
