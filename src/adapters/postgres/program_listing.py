"""The listing of programs: which of them, in which order, and from where on. Nothing here is a pattern to match."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, func, literal, select, text, tuple_, union

from adapters.postgres.cursors import cursor_after, key_of, text_key_of
from adapters.postgres.program_rows import is_of
from adapters.postgres.tables import FOLDER_CHARACTERS, documents, programs, template_rows
from domain.document import DocumentState
from domain.errors import InvalidRequestError
from domain.ports.catalogue import EVERY_PROGRAM, ProgramFilter, ProgramSort
from domain.program import ProgramStatus
from domain.told import told

_ORDER = {
    ProgramSort.NEWEST: (programs.c.pgm_number.desc(),),
    ProgramSort.OLDEST: (programs.c.pgm_number,),
    ProgramSort.NAME: (programs.c.name_key, programs.c.pgm_number),
}
_NAMED = re.compile(r"(?P<number>[0-9]{1,18})\.(?P<name>(?:[0-9a-f]{2}){0,800})")
_UNFINISHED = [state.value for state in DocumentState if not state.is_terminal]


def ordered(statement: Select[Any], sort: ProgramSort) -> Select[Any]:
    """The statement in the order that its cursors go on in."""
    return statement.order_by(*_ORDER[sort])


def is_after(cursor: str, only: ProgramFilter, sort: ProgramSort) -> ColumnElement[bool]:
    """Whether a program comes after the last one shown. Raises InvalidRequestError for another listing's cursor."""
    listing = _listing(only, sort)
    if sort is ProgramSort.NAME:
        name, number = _name_and_number(text_key_of(cursor, listing=listing))
        return tuple_(programs.c.name_key, programs.c.pgm_number) > tuple_(literal(name), literal(number))
    number = key_of(cursor, listing=listing)
    return programs.c.pgm_number < number if sort is ProgramSort.NEWEST else programs.c.pgm_number > number


def cursor_after_program(row: Row[Any], only: ProgramFilter, sort: ProgramSort) -> str:
    """Where the listing goes on after this program, even if it is renamed or deleted meanwhile."""
    key = f"{row.pgm_number}.{row.name_key.encode().hex()}" if sort is ProgramSort.NAME else row.pgm_number
    return cursor_after(_listing(only, sort), key)


def is_wanted(only: ProgramFilter) -> Iterator[ColumnElement[bool]]:
    """What holds for the programs of a listing, besides that they live."""
    if only.pgm_id is not None:
        yield programs.c.pgm_id == only.pgm_id
    if only.name is not None:
        # No LIKE: what is asked for may hold its wildcards, some only once it is normalized.
        yield func.strpos(programs.c.name_key, func.lower(func.normalize(only.name, text("NFKC")))) > 0
    if only.status is not None:
        yield _has_status(only.status)
    if only.create_user is not None:
        yield programs.c.create_user == only.create_user
    if only.folder is not None:
        yield _has_folder(only.folder)
    if only.created_from is not None:
        yield programs.c.create_dt >= only.created_from
    if only.created_to is not None:
        yield programs.c.create_dt < only.created_to


def _name_and_number(key: str) -> tuple[str, int]:
    match = _NAMED.fullmatch(key)
    try:
        name, number = (bytes.fromhex(match["name"]).decode(), int(match["number"])) if match else ("\0", 0)
    except ValueError:
        name, number = "\0", 0
    if "\0" in name:
        raise InvalidRequestError("cursor", told("this cursor was not given out for this listing"))
    return name, number


def _listing(only: ProgramFilter, sort: ProgramSort) -> str:
    """What a cursor is bound to: the plain listing keeps the name that it has always had."""
    if only == EVERY_PROGRAM and sort is ProgramSort.NEWEST:
        return "programs"
    asked = repr([sort.value, *(str(getattr(only, each.name)) for each in fields(only))])
    return f"programs:{hashlib.sha256(asked.encode()).hexdigest()[:16]}"


def _has_status(status: ProgramStatus) -> ColumnElement[bool]:
    """As IndexingProgress derives it, each state asked for where an index has it."""
    is_unfinished, has_failed = _has_document_in(*_UNFINISHED), _has_document_in(DocumentState.FAILED.value)
    if status is ProgramStatus.INDEXING:
        return is_unfinished
    return ~is_unfinished & (has_failed if status is ProgramStatus.FAILED else ~has_failed)


def _has_document_in(*states: str) -> ColumnElement[bool]:
    return (
        exists()
        .where(
            documents.c.state.in_(states),
            documents.c.pgm_id == programs.c.pgm_id,
            is_of(programs.c.revision, documents.c.revision),
        )
        .correlate(programs)
    )


def _has_folder(folder: str) -> ColumnElement[bool]:
    having = union(
        *(
            select(template_rows.c.pgm_id, template_rows.c.revision).where(
                func.left(column, text(str(FOLDER_CHARACTERS))) == folder[:FOLDER_CHARACTERS], column == folder
            )
            for column in (template_rows.c.folder_id, template_rows.c.folder_name)
        )
    ).subquery("having_folder")
    return tuple_(programs.c.pgm_id, programs.c.revision).in_(select(having.c.pgm_id, having.c.revision))
