"""Programs and templates as rows and back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, any_, literal, select
from sqlalchemy.dialects.postgresql import array

from adapters.postgres.many_rows import Row as NewRow
from adapters.postgres.tables import programs, template_rows
from domain.further.further_document import PROGRAM_ITSELF
from domain.program import Program, ProgramDetails, Registration
from domain.template import Logic, Template

PGM_ID_PREFIX = "PGM_"


def row_of_program(program: Program) -> NewRow:
    """A row of `programs`."""
    details = program.details
    return {
        "pgm_id": program.pgm_id,
        "pgm_number": int(program.pgm_id.removeprefix(PGM_ID_PREFIX)),
        "pgm_name": details.pgm_name,
        "create_user": details.create_user,
        "pgm_version": details.pgm_version,
        "description": details.description,
        "notes": details.notes,
        "revision": program.revision,
        "latest_revision": program.revision,
        "drawn_revision": program.revision,
        "create_dt": program.create_dt,
        "update_dt": program.update_dt,
    }


def program_of_row(row: Row[Any]) -> Program:
    """A program of a row that holds all columns of `programs`."""
    return Program(
        pgm_id=row.pgm_id,
        details=ProgramDetails(
            pgm_name=row.pgm_name,
            create_user=row.create_user,
            pgm_version=row.pgm_version,
            description=row.description,
            notes=row.notes,
        ),
        revision=row.revision,
        create_dt=row.create_dt,
        update_dt=row.update_dt,
    )


def is_as_seen(program: Program) -> Sequence[ColumnElement[bool]]:
    """Whether the row of `programs` still says of this program what it said when it was read."""
    said = {
        "revision": program.revision,
        "update_dt": program.update_dt,
        "pgm_name": program.details.pgm_name,
        "pgm_version": program.details.pgm_version,
        "description": program.details.description,
        "notes": program.details.notes,
    }
    return [programs.c[name] == value for name, value in said.items()]


def rows_of_template(registration: Registration) -> list[NewRow]:
    """Rows of `template_rows`, in the order of the sheet."""
    program = registration.program
    return [
        {
            "pgm_id": program.pgm_id,
            "revision": program.revision,
            "ordinal": ordinal,
            "row": logic.row,
            "folder_id": logic.folder_id,
            "folder_name": logic.folder_name,
            "sub_folder_name": logic.sub_folder_name,
            "logic_id": logic.logic_id,
            "logic_name": logic.logic_name,
        }
        for ordinal, logic in enumerate(registration.template.logics)
    ]


def rows_of_comments(registration: Registration) -> list[NewRow]:
    """Rows of `device_comments`."""
    program = registration.program
    return [
        {
            "pgm_id": program.pgm_id,
            "revision": program.revision,
            "ordinal": ordinal,
            "device": device,
            "comment": comment,
        }
        for ordinal, (device, comment) in enumerate(registration.comments.by_device.items())
    ]


def select_template(pgm_id: str, revision: int | None = None) -> Select[Any]:
    """A revision's template rows, of the one that answers unless told: one of NULLs for an empty template.

    None for an unknown program, or a revision that is neither what answers nor the latest.
    """
    wanted = programs.c.revision if revision is None else literal(revision)
    of_revision = and_(template_rows.c.pgm_id == programs.c.pgm_id, template_rows.c.revision == wanted)
    return (
        select(template_rows)
        .select_from(programs.outerjoin(template_rows, of_revision))
        .where(programs.c.pgm_id == pgm_id, is_live(wanted))
        .order_by(template_rows.c.ordinal)
    )


def is_live(revision: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a revision of a program that is not deleted answers, or waits to answer as the latest.

    What belongs to the program itself always answers.
    """
    live = [programs.c.revision, programs.c.latest_revision, literal(PROGRAM_ITSELF)]
    return programs.c.deleted_dt.is_(None) & revision.in_(live)


def is_of(revision: ColumnElement[int], of_document: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a document is one of this revision, or of its program, whichever revision answers.

    As an array, which an index is asked for; of an OR it would read every revision.
    """
    return of_document == any_(array([revision, literal(PROGRAM_ITSELF)]))


def template_of_rows(rows: Sequence[Row[Any]]) -> Template:
    """The template of what select_template gave."""
    return Template(
        logics=tuple(
            Logic(
                row=row.row,
                folder_id=row.folder_id,
                folder_name=row.folder_name,
                sub_folder_name=row.sub_folder_name,
                logic_id=row.logic_id,
                logic_name=row.logic_name,
            )
            for row in rows
            if row.logic_id is not None
        )
    )
