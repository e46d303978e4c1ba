"""Our own check of a ZIP's directory before anything in it is read.

zipfile accepts duplicates, links, overlapping entries, lying sizes and polyglots without a word, and which of them
it refuses differs between patch levels of Python; so nothing of it is used here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import BinaryIO

from adapters.plc_files.archive_problems import (
    ArchiveProblem,
    bomb,
    corrupt,
    duplicate_name,
    empty,
    encrypted,
    method_unsupported,
    overlapping,
    path_conflict,
    shown,
    spanned,
    special_file,
)
from adapters.plc_files.entry_names import check_name, comparable, decoded_name, is_junk, stored_name
from adapters.plc_files.zip_records import (
    DESCRIPTOR_FLAG,
    ENCRYPTED_FLAG,
    MASKED_FLAG,
    STRONG_ENCRYPTION_FLAG,
    UTF8_FLAG,
    CentralEntry,
    LocalHeader,
    central_entries,
    read_end,
    read_local_header,
)
from domain.told import told
from domain.upload import MEBIBYTE, UploadLimits

STORED, DEFLATED = 0, 8
_AES_METHOD = 99
_ENCRYPTION_FLAGS = ENCRYPTED_FLAG | STRONG_ENCRYPTION_FLAG | MASKED_FLAG
_FLAGS_THAT_MUST_AGREE = _ENCRYPTION_FLAGS | DESCRIPTOR_FLAG | UTF8_FLAG
_EMPTY_DEFLATE_BYTES = 2  # some packers deflate the nothing of a folder
_RATIO_COUNTS_FROM_BYTES = MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file of the archive that passed every check; sizes and offsets in bytes.

    `stored_name` is the entry's name as it stands in the directory and identifies it; `path` is what people see.
    """

    stored_name: str
    path: str
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    data_offset: int

    @property
    def file_name(self) -> str:
        """The last part of the path, NFC."""
        return PurePosixPath(self.path).name

    @property
    def stem(self) -> str:
        """The file name without its suffix."""
        return PurePosixPath(self.path).stem

    @property
    def suffix(self) -> str:
        """The suffix with its dot, lower case."""
        return PurePosixPath(self.path).suffix.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What an archive holds: the files that may be read, those that operating systems left, and every problem.

    Where `is_trustworthy` is False the archive is wrong as a whole, and what it holds is unknown.
    """

    members: tuple[Member, ...] = ()
    junk: tuple[str, ...] = ()
    problems: tuple[ArchiveProblem, ...] = ()
    is_trustworthy: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    central: CentralEntry
    local: LocalHeader | None

    @property
    def shown_name(self) -> str:
        """A name to report even where the true one cannot be decoded."""
        try:
            return decoded_name(self.central)
        except ArchiveProblem as problem:
            return problem.entry or ""

    @property
    def end(self) -> int:
        """The offset behind the entry's bytes."""
        start = self.local.data_offset if self.local else self.central.offset
        return start + self.central.packed_bytes


def read_archive(file: BinaryIO, file_bytes: int, limits: UploadLimits) -> Archive:
    """Check the whole directory and collect every problem; nothing is unpacked, nothing is raised for bad input."""
    try:
        end = read_end(file, file_bytes)
        centrals = tuple(central_entries(file, end, limits.entries))
    except ArchiveProblem as problem:
        return Archive(problems=(problem,), is_trustworthy=False)
    if not centrals:
        return Archive(problems=(empty(),), is_trustworthy=False)
    entries = [_entry(file, central, end.directory_offset) for central in centrals]
    if problems := tuple(_of_the_whole(entries, end.directory_offset)):
        return Archive(problems=problems, is_trustworthy=False)
    return _sift(entries, end.directory_offset, limits)


def _entry(file: BinaryIO, central: CentralEntry, directory_offset: int) -> _Entry:
    in_place = central.offset < directory_offset
    local = read_local_header(file, central.offset, central.raw_name) if in_place else None
    return _Entry(central=central, local=local)


def _of_the_whole(entries: list[_Entry], directory_offset: int) -> Iterator[ArchiveProblem]:
    """Problems after which no single entry can be believed."""
    if any(entry.central.disk for entry in entries):
        yield spanned()
        return
    in_place = sorted(entries, key=lambda entry: (entry.central.offset, entry.end))
    if in_place[0].central.offset:
        yield corrupt(told("bytes stand before it that belong to no file"))
    for before, after in pairwise(in_place):
        if after.central.offset < before.end <= directory_offset:
            yield overlapping(after.shown_name)


def _sift(entries: list[_Entry], directory_offset: int, limits: UploadLimits) -> Archive:
    members, junk, problems = [], [], []
    taken = _Taken()
    for entry in entries:
        try:
            name = _checked_name(entry, directory_offset, limits)
            taken.take(name, stored_name(entry.central))
        except ArchiveProblem as problem:
            problems.append(problem)
            continue
        if is_junk(name):
            junk.append(name)
        elif not name.endswith("/"):
            members.append(_member(entry, name))
    problems += taken.conflicts()
    total = sum(entry.central.size_bytes for entry in entries)
    if total > limits.unpacked_bytes:
        what = told(
            "the archive unpacks to {size:,} bytes, more than the limit of {most:,}",
            size=total,
            most=limits.unpacked_bytes,
        )
        return Archive(problems=(*problems, bomb(what)), is_trustworthy=False)
    return Archive(members=tuple(members), junk=tuple(junk), problems=tuple(problems))


def _member(entry: _Entry, name: str) -> Member:
    return Member(
        stored_name=stored_name(entry.central),
        path=name,
        method=entry.central.method,
        crc=entry.central.crc,
        packed_bytes=entry.central.packed_bytes,
        size_bytes=entry.central.size_bytes,
        data_offset=entry.end - entry.central.packed_bytes,
    )


def _checked_name(entry: _Entry, directory_offset: int, limits: UploadLimits) -> str:
    central = entry.central
    name = decoded_name(central)
    check_name(name, central.raw_name, limits)
    if central.flags & _ENCRYPTION_FLAGS or central.method == _AES_METHOD:
        raise encrypted(told("entry {entry}", entry=shown(name)), name)
    if central.method not in {STORED, DEFLATED}:
        raise method_unsupported(name, central.method)
    kind = S_IFMT(central.unix_mode)
    if kind not in {0, S_IFREG, S_IFDIR} or (kind == S_IFDIR) > name.endswith("/"):
        raise special_file(name)
    _check_bytes(entry, name, directory_offset)
    _check_expansion(central, name, limits)
    return name


def _check_bytes(entry: _Entry, name: str, directory_offset: int) -> None:
    central = entry.central
    if name.endswith("/") and (central.size_bytes or central.packed_bytes > _EMPTY_DEFLATE_BYTES):
        raise corrupt(told("it is a folder with content"), name)
    if central.method == STORED and central.packed_bytes != central.size_bytes:
        raise corrupt(told("its two sizes differ though it is not packed"), name)
    if entry.local is None:
        raise corrupt(told("there is no file where the directory says"), name)
    if entry.end > directory_offset:
        raise corrupt(told("it reaches past the end of the files"), name)
    if _contradicts(central, entry.local):
        raise corrupt(told("the directory and the file's own header contradict each other"), name)


def _contradicts(central: CentralEntry, local: LocalHeader) -> bool:
    if not local.has_name or central.method != local.method:
        return True
    if (central.flags ^ local.flags) & _FLAGS_THAT_MUST_AGREE:
        return True
    told = (local.crc, local.packed_bytes, local.size_bytes)
    true = (central.crc, central.packed_bytes, central.size_bytes)
    if central.flags & DESCRIPTOR_FLAG:  # written as a stream: the header may leave them open
        return any(said not in {0, value} for said, value in zip(told, true, strict=True))
    return told != true


def _check_expansion(central: CentralEntry, name: str, limits: UploadLimits) -> None:
    if central.size_bytes > limits.unpacked_bytes:
        reason = told(
            "entry {entry} unpacks to more than the limit of {most:,} bytes",
            entry=shown(name),
            most=limits.unpacked_bytes,
        )
        raise bomb(reason, name)
    expands = central.size_bytes > limits.expansion_ratio * max(central.packed_bytes, 1)
    if expands and central.size_bytes > _RATIO_COUNTS_FROM_BYTES:
        reason = told(
            "entry {entry} unpacks to more than {most} times its packed size",
            entry=shown(name),
            most=limits.expansion_ratio,
        )
        raise bomb(reason, name)


class _Taken:
    """The names seen so far, compared as the most forgiving file system would."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._stored: dict[str, str] = {}

    def take(self, name: str, stored: str) -> None:
        """Raise ArchiveProblem where another has the name; `stored` too: by that one an entry is found again."""
        if earlier := self._stored.get(stored):
            raise duplicate_name(name, earlier)
        key = comparable(name)
        same, other = (self._folders, self._files) if name.endswith("/") else (self._files, self._folders)
        if key in same:
            raise duplicate_name(name, same[key])
        if key in other:
            raise path_conflict(name, other[key])
        same[key] = self._stored[stored] = name

    def conflicts(self) -> Iterator[ArchiveProblem]:
        """Files that stand where another entry needs a folder."""
        for key, name in (self._files | self._folders).items():
            for parent in PurePosixPath(key).parents:
                if file := self._files.get(str(parent)):
                    yield path_conflict(name, file)
