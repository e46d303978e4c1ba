"""A ZIP that is made while it is sent is one that everybody can read."""

import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import UTC, datetime

import pytest

from application.zip_stream import ZipEntry, zipped

AT = datetime(2026, 1, 5, 9, 30, 15, tzinfo=UTC)
MEBIBYTE = 1024 * 1024


async def pieces(content: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(content), MEBIBYTE):
        yield content[start : start + MEBIBYTE]


async def entries(contents: Mapping[str, bytes], *, size_bytes: int | None = None) -> AsyncIterator[ZipEntry]:
    for name, content in contents.items():
        expected = len(content) if size_bytes is None else size_bytes
        yield ZipEntry(name=name, size_bytes=expected, modified=AT, content=pieces(content))


async def archive_of(contents: Mapping[str, bytes], *, size_bytes: int | None = None) -> zipfile.ZipFile:
    made = b"".join([piece async for piece in zipped(entries(contents, size_bytes=size_bytes))])
    return zipfile.ZipFile(io.BytesIO(made))


async def test_it_holds_what_was_put_in_under_its_names() -> None:
    contents = {"ladder_files/0000_11.csv": b"0,LD,X0\n" * 1_000, "template/템플릿.xlsx": b"\0\xff", "empty": b""}
    with await archive_of(contents) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents
        assert archive.infolist()[0].date_time == (2026, 1, 5, 9, 30, 14)  # by two seconds


async def test_one_without_files_is_a_zip_too() -> None:
    with await archive_of({}) as archive:
        assert archive.namelist() == []


async def test_a_file_that_may_be_larger_than_four_gibibytes_has_fields_for_it() -> None:
    made = b"".join([piece async for piece in zipped(entries({"large": b"x"}, size_bytes=5 * 1024**3))])
    assert made[4:6] == (45).to_bytes(2, "little")  # the version that knows ZIP64
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.read("large") == b"x"


async def test_seventy_thousand_files_are_more_than_a_plain_zip_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    with await archive_of({f"{number}": b"" for number in range(5)}) as archive:
        assert len(archive.namelist()) == 5


async def test_what_is_behind_a_piece_is_not_read_before_it_is_asked_for() -> None:
    read: list[int] = []

    async def endless() -> AsyncGenerator[bytes, None]:
        noise = bytes(range(256)) * 4
        while True:
            read.append(1)
            yield noise

    async def one() -> AsyncIterator[ZipEntry]:
        yield ZipEntry(name="endless", size_bytes=0, modified=AT, content=endless())

    stream = zipped(one())
    await anext(stream)
    assert len(read) == 1
    await stream.aclose()
