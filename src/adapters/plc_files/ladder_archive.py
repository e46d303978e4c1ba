"""The ladder ZIP of an upload: which CSVs it holds, what else lies in it, and all that is wrong with it."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from adapters.plc_files.archive import Archive, Member, read_archive
from adapters.plc_files.archive_problems import ArchiveProblem, nested, no_documents, shown
from adapters.plc_files.unpack import unpack_whole
from adapters.plc_files.zip_records import LOCAL_SIGNATURE
from domain.findings import Finding, Section, Severity
from domain.inspection import ArchivedCsv, NamedCsv
from domain.ladder.listing import parse_listing
from domain.ladder.table import TableError
from domain.told import Told, told
from domain.upload import LadderMember, UploadLimits

_LADDER_SUFFIXES = frozenset({".csv", ".txt"})
_ARCHIVE_SUFFIXES = frozenset(
    ".zip .7z .rar .gz .tgz .tar .bz2 .xz .zst .lzh .alz .egg .cab .jar .iso".split(" ")  # alz, egg: Korean packers
)
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderArchive:
    """The CSVs of the archive, the stems of entries that were refused, and the findings.

    Where `is_trustworthy` is False the archive is wrong as a whole, and what is missing from it is unknown.
    """

    csvs: tuple[ArchivedCsv, ...] = ()
    refused_stems: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    is_trustworthy: bool = True

    @property
    def is_without_documents(self) -> bool:
        """Whether there is nothing to compare: one finding says so, one for every logic would say it again."""
        return not self.csvs and not self.refused_stems


def open_archive(file: BinaryIO, limits: UploadLimits) -> Archive:
    """Check the archive that the open file holds."""
    return read_archive(file, file.seek(0, SEEK_END), limits)


def read_ladder_archive(path: Path, file_name: str, limits: UploadLimits) -> LadderArchive:
    """Check the archive's directory; no CSV is read yet."""
    with path.open("rb") as file:
        archive = open_archive(file, limits)
    ladders, others = _split(archive.members)
    problems = list(archive.problems)
    problems += [nested(member.path) for member in others if member.suffix in _ARCHIVE_SUFFIXES]
    if not ladders and not problems:
        problems.append(no_documents())
    return LadderArchive(
        csvs=tuple(map(_archived_csv, ladders)),
        refused_stems=tuple(_stems(problems, limits)),
        findings=(*_errors(problems, file_name), *_notices(archive.junk, others, file_name)),
        is_trustworthy=archive.is_trustworthy,
    )


def read_ladders(named: Sequence[NamedCsv], path: Path, limits: UploadLimits) -> Iterator[LadderMember | Finding]:
    """Read each CSV: its facts, or what is wrong with it. One value per CSV, in order."""
    with path.open("rb") as file:
        members = {member.stored_name: member for member in open_archive(file, limits).members}
        for one in named:
            yield _read_ladder(file, members[one.csv.member], one, zip_name=path.name, limits=limits)


def _read_ladder(
    file: BinaryIO, member: Member, named: NamedCsv, *, zip_name: str, limits: UploadLimits
) -> LadderMember | Finding:
    if member.size_bytes > limits.csv_bytes:
        return Finding(
            section=Section.LADDER_CSV,
            code="too_large",
            file=member.path,
            message=told(
                "the CSV has {size:,} bytes, more than the limit of {most:,}",
                size=member.size_bytes,
                most=limits.csv_bytes,
            ),
            hint=told("Split the program body, or export it without the empty rows."),
        )
    try:
        content = unpack_whole(file, member)
        if content.startswith(LOCAL_SIGNATURE):
            raise nested(member.path)
        facts = parse_listing(content).facts()
    except ArchiveProblem as problem:
        return _error(problem, zip_name)
    except TableError as error:
        return Finding(
            section=Section.LADDER_CSV,
            code=error.code,
            file=member.path,
            row=error.row,
            message=error.message,
            hint=error.hint,
        )
    return LadderMember(
        member=member.stored_name,
        document_name=member.file_name,
        logic_id=named.logic.logic_id,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        facts=facts,
    )


def _stems(problems: Iterable[ArchiveProblem], limits: UploadLimits) -> Iterator[str]:
    """Of the entries that are refused; no logic is named like one whose name is too long, however long that is."""
    for problem in problems:
        if problem.entry and len(problem.entry) <= limits.name_bytes * limits.path_depth:
            yield PurePosixPath(problem.entry).stem


def _split(members: Iterable[Member]) -> tuple[list[Member], list[Member]]:
    ladders: list[Member] = []
    others: list[Member] = []
    for member in members:
        (ladders if member.suffix in _LADDER_SUFFIXES else others).append(member)
    return ladders, others


def _archived_csv(member: Member) -> ArchivedCsv:
    return ArchivedCsv(member=member.stored_name, path=member.path, document_name=member.file_name, stem=member.stem)


def _errors(problems: Sequence[ArchiveProblem], file_name: str) -> Iterator[Finding]:
    """The first twenty by name; one more says how many follow."""
    for problem in problems[:_MOST_NAMED]:
        yield _error(problem, file_name)
    if more := problems[_MOST_NAMED:]:
        message = told("and {count:,} more entries are refused", count=len(more))
        rest = ArchiveProblem(more[0].code, message, hint=more[0].hint)
        yield _error(rest, file_name)


def _error(problem: ArchiveProblem, file_name: str) -> Finding:
    return Finding(
        section=Section.LADDER_ZIP, code=problem.code, file=file_name, message=problem.message, hint=problem.hint
    )


def _notices(junk: Sequence[str], others: Sequence[Member], file_name: str) -> Iterator[Finding]:
    if junk:
        yield _notice(
            "junk_ignored",
            file_name,
            told(
                "{count} files of the operating system are ignored, such as {entry}",
                count=len(junk),
                entry=shown(junk[0]),
            ),
        )
    for member in others:
        if member.suffix not in _ARCHIVE_SUFFIXES:
            message = told("entry {entry} is no CSV and is left out", entry=shown(member.path))
            yield _notice("file_left_out", file_name, message)


def _notice(code: str, file_name: str, message: Told) -> Finding:
    return Finding(
        section=Section.LADDER_ZIP,
        code=code,
        file=file_name,
        message=message,
        hint=told("Nothing needs to be done."),
        severity=Severity.NOTICE,
    )
