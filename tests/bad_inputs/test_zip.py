"""Cases 26 to 62: archives that lie, hide, explode or lead out of their folder."""

import unicodedata
import zlib
from dataclasses import replace

import pytest

from bad_inputs.target import GOOD_ENTRY, GOOD_LADDER, GOOD_ZIP, MEBIBYTE, Target, upload
from builders.archives import (
    DESCRIPTOR,
    STORED,
    UTF8,
    End,
    Entry,
    a_zip,
    a_zip64,
    central_header,
    end_record,
    extra_field,
    in_many,
    quoted_overlap,
    stacked_headers,
    unicode_path,
)
from builders.workbooks import a_template

GOOD = GOOD_ENTRY
BAD = Entry(name=b"x.csv", content=b"x")


def refuses_names(target: Target, case: int, *names: bytes, flags: int = 0, code: str = "") -> None:
    """Each of the names beside a good entry."""
    for name in names:
        body = target.refuses(case, upload(a_zip(GOOD, Entry(name=name, content=b"x", flags=flags))), code)
        assert "ladder.zip" in body["detail"]


def refuses_entries(target: Target, case: int, *entries: Entry) -> None:
    for entry in entries:
        target.refuses(case, upload(a_zip(entry)))


def test_026_an_archive_that_breaks_off(target: Target) -> None:
    content = a_zip(GOOD, replace(GOOD, name=b"b.csv", content=bytes(range(256)) * 8))
    for length in range(100, len(content), 100):
        target.refuses(26, upload(content[:length]))


def test_027_an_archive_of_nothing(target: Target) -> None:
    target.refuses(27, upload(end_record(0, 0, 0)))


@pytest.mark.parametrize("names", [(b"a/", b"b/"), (b"__MACOSX/._a.csv", b".DS_Store")])
def test_028_an_archive_without_a_document(target: Target, names: tuple[bytes, ...]) -> None:
    target.refuses(28, upload(a_zip(*(Entry(name=name, method=STORED) for name in names))))


def test_029_an_entry_above_its_folder(target: Target) -> None:
    refuses_names(target, 29, b"../x", b"../../../../etc/cron.d/x")


def test_030_an_absolute_entry(target: Target) -> None:
    refuses_names(target, 30, b"/etc/x", b"\\\\server\\x", b"C:\\x", b"C:x")


def test_031_an_entry_with_odd_parts(target: Target) -> None:
    refuses_names(target, 31, b"a/../../x", b"a//b", b"./x", b"a\\b")


def test_032_a_nul_in_a_name(target: Target) -> None:
    refuses_names(target, 32, b"a.csv\0.exe")


def test_033_a_name_too_long_or_too_deep(target: Target) -> None:
    refuses_names(target, 33, b"n" * 65_535, b"d/" * 200 + b"x.csv", b"n" * 256)
    marks = "a" + "\u0301" * 16_000 + "\u0323" * 16_000  # seconds for each, to whoever sorts them by insertion
    entries = [Entry(name=f"{number}{marks}".encode(), flags=UTF8) for number in range(10)]
    target.refuses(33, upload(a_zip(GOOD, *entries)))


def test_034_a_name_that_windows_cannot_have(target: Target) -> None:
    refuses_names(target, 34, b"CON", b"NUL.txt", b"a/com1.csv", b"b.csv.", b"b.csv ")


def test_035_links_devices_and_pipes(target: Target) -> None:
    for mode in (0o120777, 0o020666, 0o010666):
        target.refuses(35, upload(a_zip(GOOD, replace(BAD, mode=mode, made_by=3))))


def test_036_a_name_twice(target: Target) -> None:
    target.refuses(36, upload(a_zip(GOOD, BAD, BAD)))


def test_037_two_spellings_of_one_name(target: Target) -> None:
    spellings = [
        ("한글.csv".encode(), unicodedata.normalize("NFD", "한글.csv").encode()),
        (b"A.csv", b"a.CSV"),
        ("한글.csv".encode("cp949"), "한글.csv".encode()),
    ]
    for names in spellings:
        target.refuses(37, upload(a_zip(GOOD, *(replace(BAD, name=name) for name in names))))


def test_038_a_file_where_a_folder_is_needed(target: Target) -> None:
    target.refuses(38, upload(a_zip(GOOD, replace(BAD, name=b"a"), replace(BAD, name=b"a/b"))))


def test_039_a_folder_with_content(target: Target) -> None:
    target.refuses(39, upload(a_zip(GOOD, Entry(name=b"a/", content=b"x"))))


def test_040_an_encrypted_archive(target: Target) -> None:
    for entry in (replace(BAD, flags=1), replace(BAD, method=99, flags=1), replace(BAD, flags=1 << 13)):
        target.refuses(40, upload(a_zip(GOOD, entry)))
    target.refuses(40, upload(a_zip64(GOOD, needed=62, more=b"\x0e\x66" + bytes(26))))


@pytest.mark.parametrize("method", [14, 12, 9, 93, 98, 0xFFFF])
def test_041_a_method_that_is_not_read(target: Target, method: int) -> None:
    target.refuses(41, upload(a_zip(GOOD, replace(BAD, method=method))))


def test_042_a_wrong_checksum(target: Target) -> None:
    body = target.refuses(42, upload(a_zip(replace(GOOD, local={"crc": 1}, central={"crc": 1}))))
    assert "0000_11.csv" in body["detail"]


@pytest.mark.parametrize(("case", "size"), [(43, 20), (44, len(GOOD_LADDER) + 100)])
def test_043_and_044_a_declared_size_that_is_not_the_real_one(target: Target, case: int, size: int) -> None:
    lie = {"size_bytes": size}
    refuses_entries(
        target, case, replace(GOOD, local=lie, central=lie), replace(GOOD, method=STORED, local=lie, central=lie)
    )


def test_045_a_size_that_reaches_past_the_end(target: Target) -> None:
    lie = {"packed_bytes": 100_000}
    refuses_entries(target, 45, replace(GOOD, local=lie, central=lie))


def test_046_a_plain_bomb(target: Target) -> None:
    bomb = replace(GOOD, packed=zeros_packed(10 * 1024))
    lie = {"size_bytes": 10 * 1024 * MEBIBYTE}
    target.refuses(46, upload(a_zip64(bomb, size=lie["size_bytes"])), is_bomb=True)
    modest = {"size_bytes": 400 * MEBIBYTE, "crc": 0}
    modest_bomb = replace(GOOD, packed=zeros_packed(400), local=modest, central=modest)
    target.refuses(46, upload(a_zip(modest_bomb)), is_bomb=True)


def test_047_a_hundred_entries_on_the_same_bytes(target: Target) -> None:
    again = replace(GOOD, has_local=False, offset=0)
    target.refuses(47, upload(a_zip(GOOD, *[again] * 99)), is_bomb=True)
    target.refuses(47, upload(stacked_headers(5_000)))


def test_048_quoted_overlap(target: Target) -> None:
    target.refuses(48, upload(quoted_overlap(250, 100_000)), is_bomb=True)


@pytest.mark.parametrize("count", [5_001, 70_000])
def test_049_too_many_entries(target: Target, count: int) -> None:
    directory = b"".join(central_header(entry, 0) for entry in in_many(count))
    target.refuses(49, upload(directory + end_record(count, 0, len(directory))), is_bomb=True)


def test_049_a_count_that_claims_too_many(target: Target) -> None:
    target.refuses(49, upload(a_zip(GOOD, end=End(count=0xFFFF))), is_bomb=True)
    target.refuses(49, upload(a_zip64(GOOD, count=2**32)), is_bomb=True)


def test_050_a_sum_over_the_limit(target: Target) -> None:
    content, packed = bytes(MEBIBYTE), zeros_packed(1)
    crc = {"crc": zlib.crc32(content), "size_bytes": len(content)}
    many = [Entry(name=b"%d.csv" % n, packed=packed, local=crc, central=crc) for n in range(501)]
    target.refuses(50, upload(a_zip(*many)), is_bomb=True)


def test_051_an_archive_in_the_archive(target: Target) -> None:
    inner = a_zip(*(Entry(name=b"lib %d.zip" % n, content=GOOD_ZIP) for n in range(16)))
    forty_two = a_zip(GOOD, *(Entry(name=b"lib %d.zip" % n, content=inner) for n in range(16)))
    quine = a_zip(GOOD, Entry(name=b"r/r.zip", content=GOOD_ZIP))
    disguised = a_zip(replace(GOOD, content=GOOD_ZIP))
    for nested in (forty_two, quine, disguised):
        target.refuses(51, upload(nested), is_bomb=True)


@pytest.mark.parametrize("lie", [{"name": b"0000_12.csv"}, {"flags": UTF8}, {"flags": 1}, {"size_bytes": 1}])
def test_052_headers_that_contradict_each_other(target: Target, lie: dict[str, object]) -> None:
    refuses_entries(target, 52, replace(GOOD, local=lie))


def test_053_an_end_record_that_miscounts(target: Target) -> None:
    for end in (End(count=2), End(count=0), End(count=1, count_here=2)):
        target.refuses(53, upload(a_zip(GOOD, end=end)))


def test_054_bytes_before_and_behind(target: Target) -> None:
    for content in (b"%PDF-1.7\n" + GOOD_ZIP, b"MZ\x90\x00" + GOOD_ZIP, GOOD_ZIP + b"\n", GOOD_ZIP + bytes(70_000)):
        target.refuses(54, upload(content))


def test_055_a_second_archive(target: Target) -> None:
    target.refuses(55, upload(a_zip(GOOD, comment=a_zip(replace(GOOD, name=b"hidden.csv")))))
    target.refuses(55, upload(a_zip(GOOD, comment=end_record(0, 0, 0))))
    target.refuses(55, upload(GOOD_ZIP + GOOD_ZIP))


def test_056_one_part_of_several(target: Target) -> None:
    target.refuses(56, upload(a_zip(GOOD, end=End(disk=1))))
    target.refuses(56, upload(a_zip(replace(GOOD, central={"disk": 1}))))
    target.refuses(56, upload(a_zip64(GOOD, disks=2)))


@pytest.mark.parametrize(
    ("case", "raw_name", "extra"),
    [
        (57, "0029_12 - 복사본.csv".encode("cp949"), b""),
        (58, "0029_12 - 복사본.csv".encode(), b""),
        (58, b"0029_12 - ___.csv", unicode_path(b"0029_12 - ___.csv", "0029_12 - 복사본.csv")),
        (58, "0029_12 - 복사본.csv".encode("cp949"), unicode_path(b"?", "wrong.csv", crc=1)),
        (58, "0029_12 - 복사본.csv".encode("cp949"), extra_field(0x7075, b"\x01")),
    ],
)
def test_057_and_058_a_korean_name_as_packers_write_it(
    target: Target, case: int, raw_name: bytes, extra: bytes
) -> None:
    archive = a_zip(replace(GOOD, name=raw_name, extra=extra))
    registered = target.accepts(case, upload(archive, a_template("0029_12 - 복사본")))
    assert "0029_12 - 복사본.csv" in {each["document_name"] for each in registered["documents"]}


def test_059_a_name_that_is_not_the_utf8_it_claims(target: Target) -> None:
    refuses_names(target, 59, b"\xff\xfe.csv", flags=UTF8)


@pytest.mark.parametrize("descriptor", [b"PK\x07\x08", b""])
def test_060_an_archive_written_as_a_stream(target: Target, descriptor: bytes) -> None:
    open_sizes = {"crc": 0, "packed_bytes": 0, "size_bytes": 0}
    target.accepts(
        60, upload(a_zip(replace(GOOD, flags=DESCRIPTOR, local=open_sizes, descriptor=descriptor + bytes(12))))
    )


@pytest.mark.parametrize("date", [0x0000, 0x01E0, 0xFFFF])
def test_061_a_date_that_is_none(target: Target, date: int) -> None:
    target.accepts(61, upload(a_zip(replace(GOOD, local={"date": date}, central={"date": date}))))


def test_062_good_and_bad_entries_are_all_or_nothing_and_every_bad_one_is_named(target: Target) -> None:
    bad = [replace(BAD, name=b"../%02d.csv" % number) for number in range(30)]
    body = target.refuses(62, upload(a_zip(GOOD, *bad)))
    messages = " ".join(finding["message"] for finding in body["findings"])
    assert all(f"'../{number:02d}.csv'" in messages for number in range(20))
    assert "and 10 more" in messages


def zeros_packed(mebibytes: int) -> bytes:
    """The deflate stream of so many MiB of zeros, each flushed in full, so that it can be repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first * mebibytes + packer.flush()
