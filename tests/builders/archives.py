"""ZIP archives for tests, byte by byte: good ones, and ones that lie in exactly one place."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

STORED, DEFLATED = 0, 8
UTF8 = 0x800
DESCRIPTOR = 0x8


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry. `local` and `central` override what its two headers say; `offset` where the directory says it is."""

    name: bytes
    content: bytes = b""
    method: int = DEFLATED
    flags: int = 0
    extra: bytes = b""
    mode: int = 0
    made_by: int = 0
    packed: bytes | None = None
    descriptor: bytes = b""
    offset: int | None = None
    has_local: bool = True
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)

    @property
    def packed_content(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflated(self.content) if self.method == DEFLATED else self.content

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "extra": self.extra,
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.content),
            "packed_bytes": len(self.packed_content),
            "size_bytes": len(self.content),
            "date": 0x5A21,
            "disk": 0,
        }


@dataclass(frozen=True, kw_only=True)
class End:
    """What the end record says instead of the truth."""

    count: int | None = None
    count_here: int | None = None
    disk: int = 0
    directory_offset: int | None = None
    directory_bytes: int | None = None


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def a_zip(*entries: Entry, comment: bytes = b"", end: End | None = None) -> bytes:
    """An archive of these entries, in this order."""
    body, directory = b"", b""
    for entry in entries:
        offset = len(body)
        if entry.has_local:
            body += local_header(entry) + entry.packed_content + entry.descriptor
        directory += central_header(entry, entry.offset if entry.offset is not None else offset)
    return body + directory + end_record(len(entries), len(body), len(directory), comment=comment, end=end or End())


def a_zip_of(files: dict[str, bytes]) -> bytes:
    """A good archive with UTF-8 names."""
    return a_zip(*(Entry(name=name.encode(), content=content, flags=UTF8) for name, content in files.items()))


def local_header(entry: Entry) -> bytes:
    facts = entry.facts | entry.local
    packed: bytes = (
        struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            20,
            facts["flags"],
            facts["method"],
            0,
            facts["date"],
            facts["crc"],
            facts["packed_bytes"],
            facts["size_bytes"],
            len(facts["name"]),
            len(facts["extra"]),
        )
        + facts["name"]
        + facts["extra"]
    )
    return packed


def central_header(entry: Entry, offset: int) -> bytes:
    facts = entry.facts | entry.central
    packed: bytes = (
        struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            entry.made_by << 8 | 20,
            20,
            facts["flags"],
            facts["method"],
            0,
            facts["date"],
            facts["crc"],
            facts["packed_bytes"],
            facts["size_bytes"],
            len(facts["name"]),
            len(facts["extra"]),
            0,
            facts["disk"],
            0,
            entry.mode << 16,
            offset,
        )
        + facts["name"]
        + facts["extra"]
    )
    return packed


def end_record(count: int, offset: int, directory_bytes: int, *, comment: bytes = b"", end: End | None = None) -> bytes:
    end = end or End()
    total = count if end.count is None else end.count
    return (
        struct.pack(
            "<4s4H2LH",
            b"PK\x05\x06",
            end.disk,
            end.disk,
            (total if end.count_here is None else end.count_here) & 0xFFFF,
            total & 0xFFFF,
            directory_bytes if end.directory_bytes is None else end.directory_bytes,
            offset if end.directory_offset is None else end.directory_offset,
            len(comment),
        )
        + comment
    )


def a_zip64(
    *entries: Entry,
    count: int | None = None,
    needed: int = 45,
    disks: int = 1,
    more: bytes = b"",
    size: int | None = None,
) -> bytes:
    """A good archive with Zip64 end records; `size` replaces 0xFFFFFFFF in the last entry's extra field."""
    body, directory = b"", b""
    for entry in entries:
        wide = struct.pack("<2H2Q", 1, 16, len(entry.content) if size is None else size, len(entry.packed_content))
        told = {"size_bytes": 0xFFFFFFFF, "packed_bytes": 0xFFFFFFFF, "extra": wide}
        wide_entry = replace(entry, local=entry.local | told, central=entry.central | told)
        directory += central_header(wide_entry, len(body))
        body += local_header(wide_entry) + entry.packed_content
    total = len(entries) if count is None else count
    end64 = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44 + len(more), 45, needed, 0, 0, total, total, len(directory), len(body)
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body) + len(directory), disks)
    none = End(count=0xFFFF, directory_offset=0xFFFFFFFF, directory_bytes=0xFFFFFFFF)
    return body + directory + end64 + more + locator + end_record(0, 0, 0, end=none)


def quoted_overlap(files: int, kernel_bytes: int) -> bytes:
    """David Fifield's construction: each file's deflate stream quotes the next local header and ends in one kernel."""
    kernel = b"\0" * kernel_bytes
    packed = deflated(kernel)
    content, entries = kernel, [Entry(name=b"%03d.csv" % files, content=kernel, packed=packed)]
    for number in range(files - 1, 0, -1):
        header = local_header(entries[0])
        quote = b"\0" + struct.pack("<HH", len(header), len(header) ^ 0xFFFF) + header
        content = header + content
        packed = quote + packed
        entries.insert(0, Entry(name=b"%03d.csv" % number, content=content, packed=packed))
    body, directory, offset = b"", b"", 0
    body = local_header(entries[0]) + entries[0].packed_content
    for entry in entries:
        directory += central_header(entry, offset)
        offset += len(local_header(entry)) + 5  # over the quoting block's own header
    return body + directory + end_record(len(entries), len(body), len(directory))


def stacked_headers(count: int) -> bytes:
    """Headers one behind the other, each with the 64 KiB behind it as its name and as much as its extra field."""
    entry = Entry(name=b"")
    head = local_header(entry)[:26] + b"\xff\xff" * 2
    directory = b"".join(
        central_header(replace(entry, name=b"%04d" % number), number * len(head)) for number in range(count)
    )
    body = head * count + bytes(2 * 65_535)
    return body + directory + end_record(count, len(body), len(directory))


def extra_field(kind: int, content: bytes) -> bytes:
    return struct.pack("<2H", kind, len(content)) + content


def unicode_path(raw_name: bytes, name: str, *, crc: int | None = None) -> bytes:
    """Info-ZIP's 0x7075: the true name beside a raw one."""
    return extra_field(0x7075, struct.pack("<BL", 1, zlib.crc32(raw_name) if crc is None else crc) + name.encode())


def in_many(entries: int) -> Sequence[Entry]:
    return [Entry(name=b"%05d.csv" % number, method=STORED) for number in range(entries)]
