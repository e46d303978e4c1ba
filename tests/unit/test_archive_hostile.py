"""Every archive of the bad-input corpus gets exactly its code, before anything is unpacked."""

import io
import pickle
import time
import tracemalloc
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.plc_files.archive import Archive, read_archive
from adapters.plc_files.archive_problems import ArchiveProblem
from adapters.plc_files.ladder_archive import read_ladder_archive
from adapters.plc_files.unpack import unpack, unpack_whole
from builders.archives import (
    DESCRIPTOR,
    STORED,
    UTF8,
    End,
    Entry,
    a_zip,
    a_zip64,
    a_zip_of,
    deflated,
    end_record,
    extra_field,
    in_many,
    local_header,
    quoted_overlap,
    stacked_headers,
    unicode_path,
)
from domain.findings import Severity, errors_among
from domain.upload import MEBIBYTE, UploadLimits

LIMITS = UploadLimits()
GOOD = Entry(name=b"0000_11.csv", content=b"step,instruction\n" * 40)


def archive_of(content: bytes, limits: UploadLimits = LIMITS) -> Archive:
    return read_archive(io.BytesIO(content), len(content), limits)


def codes_of(content: bytes, limits: UploadLimits = LIMITS) -> set[str]:
    return {problem.code for problem in archive_of(content, limits).problems}


def codes_on_reading(content: bytes) -> set[str]:
    """The codes of the directory, else those of reading every member."""
    archive = archive_of(content)
    codes = {problem.code for problem in archive.problems}
    for member in archive.members:
        try:
            unpack_whole(io.BytesIO(content), member)
        except ArchiveProblem as problem:
            codes.add(problem.code)
    return codes


def peak_bytes(work: Callable[[], object]) -> int:
    """The most memory that it held at a time."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def file_of(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "ladder.zip"
    path.write_bytes(content)
    return path


def named(*names: bytes, flags: int = 0) -> bytes:
    return a_zip(*(Entry(name=name, content=b"x", flags=flags) for name in names))


def test_a_good_archive_is_read_back_as_it_was_packed() -> None:
    content = a_zip_of({"a/1.csv": b"one" * 100, "a/2.csv": b"", "b.txt": b"three"})
    archive = archive_of(content)
    assert archive.problems == ()
    assert [unpack_whole(io.BytesIO(content), member) for member in archive.members] == [b"one" * 100, b"", b"three"]


def test_26_a_truncated_archive_is_corrupt_wherever_it_ends() -> None:
    content = a_zip(GOOD, replace(GOOD, name=b"b.csv", content=bytes(range(256)) * 8))
    for length in range(0, len(content), 7):
        assert codes_of(content[:length]) == {"zip_corrupt"}, length


def test_27_an_archive_of_nothing_is_empty() -> None:
    assert codes_of(end_record(0, 0, 0)) == {"zip_empty"}


@pytest.mark.parametrize(
    "entries", [[b"a/", b"b/"], [b"__MACOSX/._a.csv", b".DS_Store", b"Thumbs.db", b"desktop.ini"], [b"main.gxw"]]
)
def test_28_an_archive_without_a_csv_says_so(tmp_path: Path, entries: list[bytes]) -> None:
    content = a_zip(*(Entry(name=name, method=STORED) for name in entries))
    read = read_ladder_archive(file_of(tmp_path, content), "ladder.zip", LIMITS)
    assert {finding.code for finding in errors_among(read.findings)} == {"zip_no_documents"}


UNSAFE = [
    *(b"../x", b"/etc/x", b"\\\\server\\x", b"C:\\x", b"C:x", b"a/../../x", b"a//b", b"./x", b"a\\b", b".."),
    *(b"a.json\0.exe", b"CON", b"a/NUL.txt", b"com1.csv", b"lpt\xc2\xb9.csv", b"a./b.csv", b"a .csv /b", b"b.csv "),
    *(b"b.csv.", b"a\nb.csv", b"a\x7f.csv", "cod\u202egnp.csv".encode(), "a\u200b.csv".encode(), "\ufdd0.csv".encode()),
]


@pytest.mark.parametrize("name", UNSAFE)
def test_29_to_34_a_name_that_leads_out_or_deceives_is_unsafe(name: bytes) -> None:
    assert codes_of(named(b"good.csv", name)) == {"zip_unsafe_path"}


def test_32_a_clean_unicode_path_does_not_hide_a_nul_in_the_raw_name() -> None:
    raw_name = b"a.json\0.exe"
    assert codes_of(a_zip(replace(GOOD, name=raw_name, extra=unicode_path(raw_name, "a.json")))) == {"zip_unsafe_path"}


@pytest.mark.parametrize("name", [b"n" * 65_535, b"d/" * 200 + b"x.csv", b"d/" * 8 + b"x.csv", b"n" * 256])
def test_33_a_name_too_long_or_too_deep_is_refused(name: bytes) -> None:
    assert codes_of(named(name)) == {"zip_name_too_long"}


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o060666, 0o010666, 0o140777, 0o040755])
def test_35_links_devices_and_pipes_are_special_files(mode: int) -> None:
    assert codes_of(a_zip(replace(GOOD, mode=mode, made_by=3))) == {"zip_special_file"}


def test_35_plain_files_and_folders_of_unix_are_accepted() -> None:
    content = a_zip(replace(GOOD, mode=0o100644, made_by=3), Entry(name=b"d/", method=STORED, mode=0o040755, made_by=3))
    assert codes_of(content) == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.csv", "a.csv"),
        ("A.csv", "a.CSV"),
        ("한글.csv", unicodedata.normalize("NFD", "한글.csv")),
        ("straße.csv", "STRASSE.csv"),
    ],
)
def test_36_and_37_names_that_are_one_on_some_disk_are_duplicates(one: str, other: str) -> None:
    assert codes_of(named(one.encode(), other.encode(), flags=UTF8)) == {"zip_duplicate_name"}


def test_37_a_name_in_cp949_and_the_same_in_utf8_are_duplicates() -> None:
    assert codes_of(named("한글.csv".encode("cp949"), "한글.csv".encode())) == {"zip_duplicate_name"}


@pytest.mark.parametrize("names", [(b"a", b"a/b"), (b"a/b", b"a"), (b"A", b"a/b/c"), (b"a", b"a/")])
def test_38_a_file_where_a_folder_is_needed_is_a_conflict(names: tuple[bytes, bytes]) -> None:
    assert codes_of(a_zip(*(Entry(name=name, method=STORED) for name in names))) == {"zip_path_conflict"}


def test_39_a_folder_with_content_is_corrupt() -> None:
    assert codes_of(named(b"a/")) == {"zip_corrupt"}


@pytest.mark.parametrize(
    "entry",
    [replace(GOOD, flags=1), replace(GOOD, flags=1 << 6 | 1), replace(GOOD, flags=1 << 13), replace(GOOD, method=99)],
)
def test_40_an_encrypted_entry_is_named_as_such(entry: Entry) -> None:
    assert codes_of(a_zip(entry)) == {"zip_encrypted"}


def test_40_an_encrypted_directory_is_named_as_such() -> None:
    assert codes_of(a_zip64(GOOD, needed=62, more=b"\x0e\x66" + bytes(26))) == {"zip_encrypted"}


@pytest.mark.parametrize("method", [14, 12, 9, 93, 98, 1, 6, 0xFFFF])
def test_41_only_stored_and_deflated_entries_are_read(method: int) -> None:
    assert codes_of(a_zip(replace(GOOD, method=method))) == {"zip_method_unsupported"}


@pytest.mark.parametrize(
    "lie",
    [
        {"crc": 1},
        {"size_bytes": 20},
        {"size_bytes": 700_000},
        {"size_bytes": 2_000},
    ],
)
def test_42_to_44_a_lie_about_the_content_is_found_on_reading(lie: dict[str, int]) -> None:
    content = a_zip(replace(GOOD, local=lie, central=lie))
    assert codes_on_reading(content) <= {"zip_corrupt", "zip_bomb"}
    assert codes_on_reading(content)


@pytest.mark.parametrize("packed", [deflated(GOOD.content)[:-3], deflated(GOOD.content) + b"tail", b"\xff" * 30, b""])
def test_42_packed_bytes_that_are_damaged_are_corrupt(packed: bytes) -> None:
    assert codes_on_reading(a_zip(replace(GOOD, packed=packed))) == {"zip_corrupt"}


def test_43_never_more_is_unpacked_than_was_declared() -> None:
    lie = {"size_bytes": 100_000}
    content = a_zip(Entry(name=b"a.csv", content=bytes(900_000), local=lie, central=lie))
    (member,) = archive_of(content).members
    pieces: list[bytes] = []
    with pytest.raises(ArchiveProblem, match="longer"):
        pieces.extend(unpack(io.BytesIO(content), member))
    assert sum(len(piece) for piece in pieces) <= 100_000


def test_44_a_stored_entry_has_one_size() -> None:
    lie = {"size_bytes": 900}
    assert codes_of(a_zip(replace(GOOD, method=STORED, local=lie, central=lie))) == {"zip_corrupt"}


def test_45_a_size_that_reaches_past_the_end_is_corrupt() -> None:
    lie = {"packed_bytes": 100_000}
    assert codes_of(a_zip(replace(GOOD, local=lie, central=lie))) == {"zip_corrupt"}


def test_46_a_bomb_is_refused_before_a_byte_is_unpacked() -> None:
    zeros = bytes(20 * MEBIBYTE)
    assert codes_of(a_zip(Entry(name=b"a.csv", content=zeros))) == {"zip_bomb"}


def test_46_ten_gigabytes_in_a_zip64_are_refused() -> None:
    assert codes_of(a_zip64(GOOD, size=10 * 2**30)) == {"zip_bomb"}


def test_47_a_hundred_names_for_the_same_bytes_overlap() -> None:
    first = Entry(name=b"a.csv", content=bytes(1000))
    again = replace(first, has_local=False, offset=0)
    assert codes_of(a_zip(first, *[again] * 99)) == {"zip_overlap"}


def test_48_a_quoted_overlap_is_refused() -> None:
    assert codes_of(quoted_overlap(100, 100_000)) == {"zip_overlap"}


def test_37_two_names_that_one_name_in_the_directory_stands_for_are_double() -> None:
    """One says that it is UTF-8. The other does not, and reads the same as CP437, which zipfile takes it for."""
    korean = replace(GOOD, name="가.csv".encode("cp949"))
    drawn = replace(GOOD, name=korean.name.decode("cp437").encode(), flags=UTF8, content=b"other")
    assert codes_of(a_zip(korean, drawn)) == {"zip_duplicate_name"}
    assert {member.path for member in archive_of(a_zip(korean)).members} == {"가.csv"}


def test_headers_that_share_the_bytes_of_their_names_take_no_memory() -> None:
    """Half a megabyte that would become 300, a name for each of them, before anything is compared."""
    content = stacked_headers(5_000)
    assert peak_bytes(lambda: codes_of(content)) < 32 * MEBIBYTE
    assert codes_of(content) == {"zip_overlap"}


def test_extra_fields_without_number_take_no_memory() -> None:
    extra = extra_field(0x9999, b"") * 16_000
    content = a_zip(*(replace(GOOD, name=b"%02d.csv" % n, extra=extra) for n in range(40)))
    assert codes_of(content) == set()
    assert peak_bytes(lambda: codes_of(content)) < 16 * MEBIBYTE


def test_names_of_marks_upon_marks_are_too_long_at_once() -> None:
    """Seconds for each of them where marks are sorted by insertion."""
    name = ("a" + "\u0301" * 16_000 + "\u0323" * 16_000).encode()
    content = a_zip(*(replace(GOOD, name=b"%d" % n + name, flags=UTF8) for n in range(6)))
    started_s = time.process_time()
    assert codes_of(content) == {"zip_name_too_long"}
    assert time.process_time() - started_s < 3.0


@pytest.mark.parametrize("is_said_to_be_short", [False, True])
def test_of_names_too_long_nothing_leaves_the_reader(tmp_path: Path, *, is_said_to_be_short: bool) -> None:
    """What leaves it goes into the memory of the process that answers."""
    names = [b"%02d" % n + b"x" * 60_000 for n in range(40)]
    entries = [
        replace(GOOD, name=name, extra=unicode_path(name, f"{name[:2].decode()}.csv") if is_said_to_be_short else b"")
        for name in names
    ]
    read = read_ladder_archive(file_of(tmp_path, a_zip(*entries)), "ladder.zip", LIMITS)
    assert {finding.code for finding in read.findings} == {"zip_name_too_long"}
    assert len(pickle.dumps(read)) < 64 * 1024


@pytest.mark.parametrize("count", [5_001, 65_535, 70_000])
def test_49_too_many_entries_are_counted_not_read(count: int) -> None:
    body_free = [replace(entry, has_local=False) for entry in in_many(5_010)]
    content = a_zip(*body_free, end=End(count=count))
    assert codes_of(content) == {"zip_too_many_entries"}  # read on, and the count is wrong too


def test_49_a_zip64_that_claims_four_billion_entries_has_too_many() -> None:
    assert codes_of(a_zip64(GOOD, count=2**32)) == {"zip_too_many_entries"}


def test_50_many_small_files_may_not_sum_up_over_the_limit() -> None:
    limits = replace(LIMITS, unpacked_bytes=3 * len(GOOD.content) - 1)
    archive = archive_of(a_zip(*(replace(GOOD, name=b"%d.csv" % number) for number in range(3))), limits)
    assert [problem.code for problem in archive.problems] == ["zip_bomb"]
    assert not archive.is_trustworthy


@pytest.mark.parametrize("name", [b"lib 0.zip", b"r/r.ZIP", b"x.7z", b"old.egg"])
def test_51_an_archive_in_the_archive_is_refused(tmp_path: Path, name: bytes) -> None:
    content = a_zip(GOOD, Entry(name=name, content=b"PK"))
    read = read_ladder_archive(file_of(tmp_path, content), "ladder.zip", LIMITS)
    assert {finding.code for finding in errors_among(read.findings)} == {"zip_nested"}


@pytest.mark.parametrize(
    "lie", [{"name": b"0000_12.csv"}, {"flags": UTF8}, {"method": STORED}, {"size_bytes": 1}, {"crc": 7}, {"flags": 1}]
)
def test_52_two_headers_that_contradict_each_other_are_corrupt(lie: dict[str, object]) -> None:
    assert codes_of(a_zip(replace(GOOD, local=lie))) == {"zip_corrupt"}


@pytest.mark.parametrize("end", [End(count=2), End(count=0), End(count=1, count_here=2), End(directory_bytes=40)])
def test_53_an_end_record_that_lies_is_corrupt(end: End) -> None:
    assert codes_of(a_zip(GOOD, end=end)) == {"zip_corrupt"}


def test_54_junk_before_or_behind_is_corrupt() -> None:
    good = a_zip(GOOD)
    shifted = a_zip(replace(GOOD, offset=8), end=End(directory_offset=len(good) - 22 - 57 + 8))
    for content in (b"%PDF-1.7" + good, b"MZ" + good, good + b"\n", good + b"MZ" * 40, b"8 bytes!" + shifted):
        assert codes_of(content) == {"zip_corrupt"}


def test_55_a_second_archive_in_the_comment_is_corrupt() -> None:
    hidden = a_zip(replace(GOOD, name=b"hidden.csv"))
    assert codes_of(a_zip(GOOD, comment=hidden)) == {"zip_corrupt"}
    assert codes_of(a_zip(GOOD, comment=end_record(0, 0, 0))) == {"zip_corrupt"}
    assert codes_of(a_zip(GOOD, comment=b"x PK\x05\x06 x")) == {"zip_corrupt"}


def test_55_a_harmless_comment_is_accepted() -> None:
    assert codes_of(a_zip(GOOD, comment="라인 1 백업".encode())) == set()


def test_56_one_part_of_several_is_unsupported() -> None:
    assert codes_of(a_zip(GOOD, end=End(disk=1))) == {"zip_unsupported"}
    assert codes_of(a_zip(replace(GOOD, central={"disk": 1}))) == {"zip_unsupported"}
    assert codes_of(a_zip64(GOOD, disks=2)) == {"zip_unsupported"}


@pytest.mark.parametrize(
    ("raw_name", "flags", "extra"),
    [
        ("0029_12 - 복사본.csv".encode("cp949"), 0, b""),
        ("0029_12 - 복사본.csv".encode(), 0, b""),
        (unicodedata.normalize("NFD", "0029_12 - 복사본.csv").encode(), UTF8, b""),
        (b"0029_12 - ___.csv", 0, unicode_path(b"0029_12 - ___.csv", "0029_12 - 복사본.csv")),
        ("0029_12 - 복사본.csv".encode("cp949"), 0, unicode_path(b"?", "wrong.csv", crc=1)),
        ("0029_12 - 복사본.csv".encode("cp949"), 0, extra_field(0x7075, b"\x01")),
    ],
)
def test_57_and_58_korean_names_come_out_right(raw_name: bytes, flags: int, extra: bytes) -> None:
    archive = archive_of(a_zip(replace(GOOD, name=raw_name, flags=flags, extra=extra)))
    assert [member.file_name for member in archive.members] == ["0029_12 - 복사본.csv"]


@pytest.mark.parametrize(("raw_name", "flags"), [(b"\xff\xfe.csv", UTF8), (b"\xff\xff.csv", 0)])
def test_59_a_name_that_no_encoding_explains_is_refused(raw_name: bytes, flags: int) -> None:
    assert codes_of(named(raw_name, flags=flags)) == {"zip_name_encoding"}


@pytest.mark.parametrize("descriptor", [b"", b"PK\x07\x08" + bytes(12), bytes(12)])
def test_60_an_archive_written_as_a_stream_is_accepted(descriptor: bytes) -> None:
    open_sizes = {"crc": 0, "packed_bytes": 0, "size_bytes": 0}
    streamed = replace(GOOD, flags=DESCRIPTOR, local=open_sizes, descriptor=descriptor)
    assert codes_on_reading(a_zip(streamed, replace(streamed, name=b"b.csv"))) == set()


@pytest.mark.parametrize("date", [0x0000, 0x01E0, 0xFFFF])
def test_61_impossible_dates_are_ignored(date: int) -> None:
    assert codes_of(a_zip(replace(GOOD, local={"date": date}, central={"date": date}))) == set()


def test_62_every_bad_entry_is_named_the_first_twenty_of_them(tmp_path: Path) -> None:
    entries = [GOOD, *(replace(GOOD, name=b"../%d.csv" % number) for number in range(30))]
    read = read_ladder_archive(file_of(tmp_path, a_zip(*entries)), "ladder.zip", LIMITS)
    messages = [finding.message for finding in read.findings]
    assert all(f"'../{number}.csv'" in messages[number] for number in range(20))
    assert messages[20:] == ["and 10 more entries are refused"]
    assert [csv.path for csv in read.csvs] == ["0000_11.csv"]


def test_files_that_systems_leave_behind_are_a_notice(tmp_path: Path) -> None:
    content = a_zip(GOOD, Entry(name=b"__MACOSX/._0000_11.csv"), Entry(name=b"x/.DS_Store"), Entry(name=b"main.gxw"))
    read = read_ladder_archive(file_of(tmp_path, content), "ladder.zip", LIMITS)
    assert [(finding.code, finding.severity) for finding in read.findings] == [
        ("junk_ignored", Severity.NOTICE),
        ("file_left_out", Severity.NOTICE),
    ]


def test_a_zip64_archive_that_tells_the_truth_is_read() -> None:
    assert codes_on_reading(a_zip64(GOOD)) == set()


def test_an_entry_far_outside_of_the_file_is_corrupt() -> None:
    wide = extra_field(1, (2**63).to_bytes(8, "little"))
    far = replace(GOOD, name=b"far.csv", has_local=False, offset=0xFFFFFFFF, central={"extra": wide})
    assert codes_of(a_zip(GOOD, far)) == {"zip_corrupt"}


def test_a_local_header_quoted_in_a_stored_file_is_no_entry() -> None:
    content = a_zip(Entry(name=b"a.csv", content=local_header(GOOD) + GOOD.packed_content, method=STORED))
    assert codes_on_reading(content) == set()
