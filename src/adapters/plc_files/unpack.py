"""Unpacking one member of a checked archive, never believing what it declares."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from adapters.plc_files.archive import STORED, Member
from adapters.plc_files.archive_problems import corrupt
from domain.told import told

_PIECE_BYTES = 64 * 1024


def unpack(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield a member's bytes in pieces of at most 64 KiB, never more than it declares.

    Raises ArchiveProblem when they are damaged or when their number or checksum is not what the directory says.
    """
    size, crc = 0, 0
    for piece in _stored(file, member) if member.method == STORED else _inflated(file, member):
        size += len(piece)
        crc = zlib.crc32(piece, crc)
        if size > member.size_bytes:
            raise corrupt(told("it is longer than the directory says"), member.path)
        yield piece
    if size != member.size_bytes:
        raise corrupt(told("it is shorter than the directory says"), member.path)
    if crc != member.crc:
        raise corrupt(told("its checksum does not fit its content"), member.path)


def _stored(file: BinaryIO, member: Member) -> Iterator[bytes]:
    file.seek(member.data_offset)
    left = member.packed_bytes
    while left and (piece := file.read(min(left, _PIECE_BYTES))):
        left -= len(piece)
        yield piece


def _inflated(file: BinaryIO, member: Member) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for packed in _stored(file, member):
        rest = packed
        while rest and not inflater.eof:
            yield _inflate(inflater, rest, member)
            rest = inflater.unconsumed_tail
        if inflater.unused_data or (inflater.eof and rest):
            raise corrupt(told("bytes follow its end"), member.path)
    while not inflater.eof:  # output that did not fit into the last piece
        piece = _inflate(inflater, b"", member)
        if not piece:
            raise corrupt(told("it breaks off"), member.path)
        yield piece


def _inflate(inflater: "zlib._Decompress", packed: bytes, member: Member) -> bytes:
    try:
        return inflater.decompress(packed, _PIECE_BYTES)
    except zlib.error as error:
        raise corrupt(told("it cannot be unpacked"), member.path) from error


def unpack_whole(file: BinaryIO, member: Member) -> bytes:
    """A member's bytes at once; the caller has checked that its size is bearable. Raises ArchiveProblem."""
    return b"".join(unpack(file, member))
