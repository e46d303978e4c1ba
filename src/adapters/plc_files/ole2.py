"""The stream names of an OLE2 file: enough to tell a legacy workbook from an encrypted one ([MS-CFB] 2.2, 2.6)."""

import struct
from typing import BinaryIO

_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_MOST_SECTORS = 1_000
_LAST_REGULAR_SECTOR = 0xFFFFFFFA
_WORKBOOK_STREAMS = frozenset({"workbook", "book"})


def holds_workbook(file: BinaryIO) -> bool:
    """Whether there is a stream of a BIFF workbook. An encrypted .xlsx holds `EncryptedPackage` instead."""
    return bool(_stream_names(file) & _WORKBOOK_STREAMS)


def _stream_names(file: BinaryIO) -> set[str]:
    file.seek(0)
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        return set()
    shift = struct.unpack_from("<H", header, 30)[0]
    if shift not in {9, 12}:
        return set()
    sector_bytes = 1 << shift
    names: set[str] = set()
    for sector in _chain(file, header, sector_bytes):
        content = _read_sector(file, sector, sector_bytes)
        names |= {_name(content[at : at + _ENTRY_BYTES]) for at in range(0, len(content), _ENTRY_BYTES)}
    return names


def _chain(file: BinaryIO, header: bytes, sector_bytes: int) -> list[int]:
    """The sectors of the directory, as the file allocation table links them; a loop or a far jump ends it."""
    tables = [number for number in struct.unpack_from("<109L", header, 76) if number < _LAST_REGULAR_SECTOR]
    sector = struct.unpack_from("<L", header, 48)[0]
    chain: list[int] = []
    links_per_table = sector_bytes // 4
    while sector < _LAST_REGULAR_SECTOR and len(chain) < _MOST_SECTORS:
        chain.append(sector)
        table, place = divmod(sector, links_per_table)
        if table >= len(tables):
            break
        content = _read_sector(file, tables[table], sector_bytes)
        if len(content) < sector_bytes:
            break
        sector = struct.unpack_from("<L", content, 4 * place)[0]
    return chain


def _read_sector(file: BinaryIO, sector: int, sector_bytes: int) -> bytes:
    file.seek((sector + 1) * sector_bytes)
    return file.read(sector_bytes)


def _name(entry: bytes) -> str:
    if len(entry) < _ENTRY_BYTES:
        return ""
    name_bytes = struct.unpack_from("<H", entry, 64)[0]
    return entry[: max(0, min(name_bytes, 64) - 2)].decode("utf-16-le", "replace").casefold()
