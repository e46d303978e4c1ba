"""The records of a ZIP file as they stand in its bytes, before anything is believed of them (PKWARE APPNOTE 6.3.10)."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from adapters.plc_files.archive_problems import corrupt, encrypted, spanned, too_many_entries
from domain.told import told

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
ENCRYPTED_FLAG, DESCRIPTOR_FLAG, STRONG_ENCRYPTION_FLAG, UTF8_FLAG, MASKED_FLAG = (
    1 << 0,
    1 << 3,
    1 << 6,
    1 << 11,
    1 << 13,
)
_END64_SIGNATURE = b"PK\x06\x06"
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_NONE16, _NONE32 = 0xFFFF, 0xFFFFFFFF
_LONGEST_COMMENT = 0xFFFF
_ZIP64_EXTRA = 0x0001
UNICODE_PATH_EXTRA = 0x7075
_READ_EXTRAS = frozenset({_ZIP64_EXTRA, UNICODE_PATH_EXTRA})
_MOST_EXTRAS = 64
_VERSION_OF_ENCRYPTED_DIRECTORY = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRecord:
    """Where the central directory lies and how many entries it claims; sizes and offsets in bytes."""

    entry_count: int
    directory_offset: int
    directory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralEntry:
    """One entry as the central directory tells it. `raw_name` is undecoded; nothing is checked yet."""

    raw_name: bytes
    extra: Mapping[int, bytes]
    flags: int
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    disk: int
    unix_mode: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHeader:
    """What stands in front of an entry's bytes; `data_offset` is where they begin.

    `has_name` says whether its name is the directory's. It is not kept: headers may share the bytes of their names.
    """

    has_name: bool
    flags: int
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    data_offset: int


def read_end(file: BinaryIO, file_bytes: int) -> EndRecord:
    """Find the one end record, which must close the file, and the directory, which must stand before it.

    Raises ArchiveProblem.
    """
    tail_start = max(0, file_bytes - _END.size - _LONGEST_COMMENT)
    file.seek(tail_start)
    tail = file.read(file_bytes - tail_start)
    place = _only_end(tail)
    end_offset = tail_start + place
    _, disk, first_disk, count_here, count, size, offset, _ = _END.unpack_from(tail, place)
    if disk not in {0, _NONE16} or first_disk not in {0, _NONE16}:
        raise spanned()
    if count_here != count:
        raise corrupt(told("its end record contradicts itself"))
    record = EndRecord(entry_count=count, directory_offset=offset, directory_bytes=size)
    if locator := _locator_before(file, end_offset):
        record, end_offset = _read_end64(file, record, *locator)
    if record.directory_offset + record.directory_bytes != end_offset:
        raise corrupt(told("bytes stand before or in it that belong to no file, or parts are missing"))
    return record


def _only_end(tail: bytes) -> int:
    place = tail.find(END_SIGNATURE)
    while 0 <= place <= len(tail) - _END.size:
        if place + _END.size + _END.unpack_from(tail, place)[7] == len(tail):
            comment = tail[place + _END.size :]
            if any(mark in comment for mark in (END_SIGNATURE, CENTRAL_SIGNATURE, LOCAL_SIGNATURE)):
                raise corrupt(told("a second archive hides in its comment"))
            return place
        place = tail.find(END_SIGNATURE, place + 1)
    raise corrupt(told("its end is missing, or bytes follow it"))


def _locator_before(file: BinaryIO, end_offset: int) -> tuple[int, int, int] | None:
    """The Zip64 locator in front of the end record: its own offset, the record's offset, the number of disks."""
    offset = end_offset - _LOCATOR.size
    if offset < 0:
        return None
    file.seek(offset)
    signature, _, record_offset, disks = _LOCATOR.unpack(file.read(_LOCATOR.size))
    return (offset, record_offset, disks) if signature == _LOCATOR_SIGNATURE else None


def _read_end64(
    file: BinaryIO, short: EndRecord, locator_offset: int, record_offset: int, disks: int
) -> tuple[EndRecord, int]:
    if disks > 1:
        raise spanned()
    if record_offset + _END64.size > locator_offset:
        raise corrupt(told("its end record lies outside of it"))
    file.seek(record_offset)
    signature, length, _, needed, disk, first_disk, count_here, count, size, offset = _END64.unpack(
        file.read(_END64.size)
    )
    if signature != _END64_SIGNATURE or record_offset + 12 + length != locator_offset:
        raise corrupt(told("its end record is damaged"))
    if needed >= _VERSION_OF_ENCRYPTED_DIRECTORY and 12 + length > _END64.size:
        raise encrypted(told("the archive's list of files"))
    if disk or first_disk:
        raise spanned()
    if (
        count_here != count
        or short.entry_count not in {_NONE16, count}
        or short.directory_bytes not in {_NONE32, size}
        or short.directory_offset not in {_NONE32, offset}
    ):
        raise corrupt(told("its two end records contradict each other"))
    return EndRecord(entry_count=count, directory_offset=offset, directory_bytes=size), record_offset


def central_entries(file: BinaryIO, end: EndRecord, most: int) -> Iterator[CentralEntry]:
    """Yield the directory's entries, never more than `most` of them. Raises ArchiveProblem."""
    if end.entry_count > most:
        raise too_many_entries(end.entry_count, most)
    file.seek(end.directory_offset)
    left, seen = end.directory_bytes, 0
    while left:
        head = file.read(min(left, _CENTRAL.size))
        if len(head) < _CENTRAL.size or head[:4] != CENTRAL_SIGNATURE:
            raise corrupt(told("its list of files breaks off after {count:,} entries", count=seen))
        if seen == most:
            raise too_many_entries(seen + 1, most)
        fields = _CENTRAL.unpack(head)
        lengths = fields[10:13]
        left -= _CENTRAL.size + sum(lengths)
        if left < 0:
            raise corrupt(told("its list of files breaks off after {count:,} entries", count=seen))
        yield _central_entry(fields, *(file.read(length) for length in lengths))
        seen += 1
    if seen != end.entry_count:
        raise corrupt(told("it claims {claimed:,} entries and lists {count:,}", claimed=end.entry_count, count=seen))


def _central_entry(fields: tuple[int, ...], raw_name: bytes, extra: bytes, _comment: bytes) -> CentralEntry:
    cut = extra_fields(extra)
    size, packed, offset = _widened(cut, (fields[9], fields[8], fields[16]))
    return CentralEntry(
        raw_name=raw_name,
        extra=cut,
        flags=fields[3],
        method=fields[4],
        crc=fields[7],
        packed_bytes=packed,
        size_bytes=size,
        disk=0 if fields[13] == _NONE16 else fields[13],
        unix_mode=fields[15] >> 16,
        offset=offset,
    )


def extra_fields(extra: bytes) -> Mapping[int, bytes]:
    """The contents of the extra fields that are read here, by their id; of two of one id the last.

    A cut-off rest is dropped, as padding tools leave such, and so is what follows the 64th: there is room for 16,383.
    """
    fields: dict[int, bytes] = {}
    place = 0
    for _ in range(_MOST_EXTRAS):
        if place + 4 > len(extra):
            break
        kind, length = struct.unpack_from("<2H", extra, place)
        end = place + 4 + length
        if end > len(extra):
            break
        if kind in _READ_EXTRAS:
            fields[kind] = extra[place + 4 : end]
        place = end
    return fields


def _widened(extra: Mapping[int, bytes], values: tuple[int, ...]) -> tuple[int, ...]:
    """Replace 0xFFFFFFFF by the 64-bit values of the Zip64 extra field, which come in the same order."""
    if _NONE32 not in values:
        return values
    longs = iter(struct.iter_unpack("<Q", wide[: len(wide) // 8 * 8]) if (wide := extra.get(_ZIP64_EXTRA)) else ())
    widened = [next(longs, (value,))[0] if value == _NONE32 else value for value in values]
    return tuple(widened)


def read_local_header(file: BinaryIO, offset: int, name: bytes) -> LocalHeader | None:
    """Read the header in front of the bytes of the entry of this name; None where there is none."""
    file.seek(offset)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != LOCAL_SIGNATURE:
        return None
    fields = _LOCAL.unpack(head)
    name_bytes, extra_bytes = fields[9:11]
    raw_name, extra = file.read(name_bytes), file.read(extra_bytes)
    size, packed = _widened(extra_fields(extra), (fields[8], fields[7]))
    return LocalHeader(
        has_name=raw_name == name,
        flags=fields[2],
        method=fields[3],
        crc=fields[6],
        packed_bytes=packed,
        size_bytes=size,
        data_offset=offset + _LOCAL.size + name_bytes + extra_bytes,
    )
