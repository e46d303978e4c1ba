"""Builders of what the record keeps: everything has a default, a test spells out what matters to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.chunk import Chunk, DeviceUse, Place
from domain.comments import DeviceComments
from domain.document import Document, DocumentState, DocumentType, LadderFacts
from domain.events import DocumentsRegistered, ProgramDeleted
from domain.ports.document_repo import IndexedDocument
from domain.ports.unit_of_work import Transaction, UnitOfWork
from domain.program import Program, ProgramDetails, Registration
from domain.template import Logic, Template

CREATED = datetime(2026, 1, 5, 8, 30, 15, 123456, tzinfo=UTC)
FACTS = LadderFacts(encoding="utf-16-le", delimiter="\t", tool="GX Works2", cpu="QnUDV", row_count=640, rung_count=52)


def a_registration(pgm_id: str = "PGM_1", **changes: Any) -> Registration:
    details = ProgramDetails(
        pgm_name="도장 라인 #2", create_user="김철수", pgm_version="1.2", description="搬送コンベア", notes="'; --\t\n"
    )
    program = Program(pgm_id=pgm_id, details=details, revision=1, create_dt=CREATED, update_dt=CREATED)
    registration = Registration(
        program=program,
        documents=(),
        template=Template(logics=(a_logic(2, "0000_11"), a_logic(3, "0000_12"))),
        comments=DeviceComments(by_device={"M1234": "컨베이어  정지", "D500": "速度設定 "}),
    )
    return replace(registration, **changes)


def a_logic(row: int, logic_id: str) -> Logic:
    return Logic(
        row=row,
        folder_id="F01",
        folder_name="반송",
        sub_folder_name="コンベア",
        logic_id=logic_id,
        logic_name=f"정지 조건 {row}",
    )


def a_document(ordinal: int = 0, *, pgm_id: str = "PGM_1", **changes: Any) -> Document:
    document = Document(
        document_id=f"{pgm_id}.r1.{ordinal}",
        pgm_id=pgm_id,
        revision=1,
        ordinal=ordinal,
        document_type=DocumentType.LADDER_CSV,
        document_name=f"반송_{ordinal}.csv",
        blob_key=f"programs/{pgm_id}/r1/zip/ladder.zip",
        member=f"ラダー/{ordinal}.csv",
        size_bytes=40_000,
        sha256="ab" * 32,
        create_dt=CREATED,
        state=DocumentState.PENDING,
        logic_id=f"0000_{ordinal}",
        logic_name="비상 정지",
        folder_id="F01",
        folder_name="반송",
        sub_folder_name="コンベア",
        ladder=FACTS,
    )
    return replace(document, **changes)


def a_chunk(ordinal: int = 0, **changes: Any) -> Chunk:
    chunk = Chunk(
        ordinal=ordinal,
        place=Place(
            logic_id="0000_11", logic_name="비상 정지", folder_id="F01", folder_name="반송", sub_folder_name="コンベア"
        ),
        first_step=ordinal * 10,
        last_step=ordinal * 10 + 9,
        title="컨베이어 정지",
        ladder="LD M1234\nOUT Y10",
        devices=(DeviceUse(device="M1234", comment="컨베이어 정지"), DeviceUse(device="Y10", comment="")),
        dense_text="반송/비상 정지. 컨베이어 정지",
        lexical_text="m1234 y10 컨베 베이 이어 정지",
    )
    return replace(chunk, **changes)


def indexed(document: Document, *chunks: Chunk) -> IndexedDocument:
    return IndexedDocument(ref=document.ref, chunks=chunks or (a_chunk(),))


def documents_registered(*documents: Document, pgm_id: str = "PGM_1") -> DocumentsRegistered:
    return DocumentsRegistered(pgm_id=pgm_id, documents=tuple(document.ref for document in documents))


def program_deleted(pgm_id: str = "PGM_1") -> ProgramDeleted:
    return ProgramDeleted(pgm_id=pgm_id)


class _Rollback(Exception):  # noqa: N818 - no error, a way out
    """Ends a transaction as a bug would."""


@asynccontextmanager
async def rolled_back(unit_of_work: UnitOfWork) -> AsyncIterator[Transaction]:
    """A transaction that is worked in and then fails; its exception must come out again."""
    with pytest.raises(_Rollback):  # noqa: PT012 - the transaction itself is under test
        async with unit_of_work.begin() as transaction:
            yield transaction
            raise _Rollback


async def register(unit_of_work: UnitOfWork, *documents: Document, pgm_id: str = "PGM_1") -> None:
    async with unit_of_work.begin() as transaction:
        await record(transaction, *documents, pgm_id=pgm_id)


async def record(transaction: Transaction, *documents: Document, pgm_id: str = "PGM_1") -> None:
    await transaction.programs.add(a_registration(pgm_id))
    await transaction.documents.add(documents)


async def delete(unit_of_work: UnitOfWork, pgm_id: str = "PGM_1") -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.programs.delete(pgm_id)


async def mark_indexed(unit_of_work: UnitOfWork, *documents: IndexedDocument) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.documents.mark_indexed(documents)
