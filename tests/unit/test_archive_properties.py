"""Hostile names never escape, and damage to an archive is either harmless or named."""

import io
import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.plc_files.archive import read_archive
from adapters.plc_files.archive_problems import ArchiveProblem
from adapters.plc_files.unpack import unpack_whole
from builders.archives import DESCRIPTOR, STORED, UTF8, Entry, a_zip, a_zip64
from domain.upload import UploadLimits

LIMITS = UploadLimits()
CODES = re.compile(
    "zip_(corrupt|empty|unsafe_path|name_too_long|name_encoding|special_file|duplicate_name|path_conflict|encrypted"
    "|method_unsupported|bomb|overlap|too_many_entries|unsupported)"
)
GOOD = (
    Entry(name=b"0000_11.csv", content=b"step,instruction\n" * 9),
    Entry(name="복사본.csv".encode("cp949"), content=b"stored", method=STORED),
    Entry(name="접이/0.csv".encode(), content=b"streamed" * 4, flags=UTF8 | DESCRIPTOR, descriptor=bytes(12)),
)
PIECES = st.sampled_from(["..", ".", "", "a", "/", "\\", "C:", "\0", "CON", "nul.txt", " ", "\u202e", "한", "\n", "~"])
NAMES = st.one_of(
    st.binary(max_size=40),
    st.lists(PIECES, max_size=8).map(lambda pieces: "/".join(pieces).encode()),
    st.text(max_size=30).map(str.encode),
)
ARCHIVES = st.sampled_from([a_zip(*GOOD), a_zip64(GOOD[0])])


def reading(content: bytes) -> dict[str, bytes] | set[str]:
    """What is in the archive, or the codes of all that is wrong with it."""
    file = io.BytesIO(content)
    archive = read_archive(file, len(content), LIMITS)
    files, codes = {}, {problem.code for problem in archive.problems}
    for member in archive.members:
        try:
            files[member.path] = unpack_whole(file, member)
        except ArchiveProblem as problem:
            codes.add(problem.code)
    return codes or files


@given(names=st.lists(NAMES, min_size=1, max_size=4), flags=st.sampled_from([0, UTF8]))
@example(names=[b"../../etc/passwd"], flags=0)
def test_whatever_the_names_no_accepted_path_leads_out_of_its_folder(names: list[bytes], flags: int) -> None:
    content = a_zip(*(Entry(name=name, content=b"x", flags=flags) for name in names))
    archive = read_archive(io.BytesIO(content), len(content), LIMITS)
    for member in archive.members:
        assert not PurePosixPath(member.path).is_absolute()
        assert not PureWindowsPath(member.path).anchor
        assert not {"", ".", ".."} & set(re.split(r"[/\\]", member.path))
        assert not {unicodedata.category(character) for character in member.path} & {"Cc", "Cs", "Zl", "Zp"}
        assert "/" not in member.file_name
    assert all(CODES.fullmatch(problem.code) for problem in archive.problems)
    assert len({member.path.casefold() for member in archive.members}) == len(archive.members)


@settings(max_examples=500)
@given(content=ARCHIVES, place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_a_flipped_byte_leaves_the_content_equal_or_gets_a_listed_code(content: bytes, place: int, flip: int) -> None:
    damaged = bytearray(content)
    damaged[place % len(content)] ^= flip
    found = reading(bytes(damaged))
    assert found == reading(content) or (isinstance(found, set) and all(map(CODES.fullmatch, found))), found


@given(content=st.binary(max_size=300) | ARCHIVES.flatmap(lambda good: st.binary(max_size=60).map(lambda b: good + b)))
def test_bytes_that_are_no_archive_get_a_listed_code(content: bytes) -> None:
    found = reading(content)
    assert isinstance(found, dict) or all(map(CODES.fullmatch, found))


def test_every_truncation_of_a_good_archive_is_corrupt() -> None:
    for content in (a_zip(*GOOD), a_zip64(GOOD[0])):
        for length in range(len(content)):
            assert reading(content[:length]) == {"zip_corrupt"}, length
