"""Whole uploads through real limited children: every finding of every section at once."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.plc_files.limited_child import ProcessLimits
from adapters.plc_files.upload_reader import LimitedUploadReader
from builders.archives import DEFLATED, Entry, a_zip, a_zip_of, quoted_overlap
from builders.ladders import a_ladder
from builders.readers import limited_readers
from builders.workbooks import HEADER, a_template, an_xls, an_xlsx, logic_row, sheet_with
from domain.findings import Section, Severity, errors_among
from domain.upload import MEBIBYTE, InspectedUpload, SpooledFile, Upload, UploadLimits
from entrypoints.api.languages import Language, in_language

SHARED = Path(__file__).parents[3] / "shared"
LIMITS = UploadLimits()
PROCESS_LIMITS = ProcessLimits(cpu_s=1, wall_s=10, memory_bytes=400 * MEBIBYTE)
COMMENTS = b"Device Name,Comment\nM100,Auto start\n"


@pytest.fixture
async def reader() -> AsyncIterator[LimitedUploadReader]:
    async with limited_readers(LIMITS, PROCESS_LIMITS) as readers:
        yield readers.uploads


def spooled(folder: Path, name: str, content: bytes) -> SpooledFile:
    path = folder / f"spool-{name}"
    path.write_bytes(content)
    return SpooledFile(name=name, path=path, size_bytes=len(content))


def an_upload(
    folder: Path, *, ladder_zip: bytes | None = None, template: bytes | None = None, comments: bytes | None = COMMENTS
) -> Upload:
    good_zip = a_zip_of({"0000_11.csv": a_ladder("M100"), "0001_11.csv": a_ladder("M1", "M2")})
    return Upload(
        ladder_zip=spooled(folder, "ladder.zip", good_zip if ladder_zip is None else ladder_zip),
        template=spooled(folder, "template.xlsx", a_template("0000_11", "0001_11") if template is None else template),
        comments=None if comments is None else spooled(folder, "comments.csv", comments),
    )


def found(inspected: InspectedUpload) -> set[tuple[str, str, int | None]]:
    return {(finding.code, finding.file, finding.row) for finding in inspected.findings}


async def test_a_good_upload_is_valid_and_everything_in_it_is_known(
    reader: LimitedUploadReader, tmp_path: Path
) -> None:
    inspected = await reader.inspect(an_upload(tmp_path))
    assert inspected.is_valid
    assert inspected.findings == ()
    assert [ladder.logic_id for ladder in inspected.ladders] == ["0000_11", "0001_11"]
    assert inspected.ladders[1].facts.rung_count == 2
    assert inspected.ladders[1].facts.encoding == "utf-16-le"
    assert inspected.comments.of("M100") == "Auto start"


async def test_an_upload_without_comments_is_valid(reader: LimitedUploadReader, tmp_path: Path) -> None:
    assert (await reader.inspect(an_upload(tmp_path, comments=None))).is_valid


async def test_what_a_child_finds_can_be_told_in_korean(reader: LimitedUploadReader, tmp_path: Path) -> None:
    ladder_zip = a_zip_of({"0000_11.csv": "스텝,명령\n".encode(), "예비.csv": a_ladder("M1")})
    template = a_template("0000_11", "", "0002_11")
    inspected = await reader.inspect(an_upload(tmp_path, ladder_zip=ladder_zip, template=template))
    korean = {
        finding.code: (in_language(finding.message, Language.KOREAN), in_language(finding.hint, Language.KOREAN))
        for finding in inspected.findings
    }
    assert korean.keys() >= {"not_a_ladder", "logic_csv_missing", "csv_not_in_template"}
    assert korean["logic_csv_missing"][0] == "'0002_11' 로직의 래더 CSV 파일이 ZIP에 없습니다"
    assert korean["csv_not_in_template"][0] == "'예비.csv' 파일은 템플릿에 없어서 제외합니다"
    assert all(re.search("[가-힣]", text) for texts in korean.values() for text in texts)


async def test_what_cost_a_child_its_life_can_be_told_in_korean(tmp_path: Path) -> None:
    async with limited_readers(LIMITS, replace(PROCESS_LIMITS, wall_s=0.001)) as readers:
        inspected = await readers.uploads.inspect(an_upload(tmp_path))
    killed = [finding for finding in inspected.findings if finding.section is Section.TEMPLATE]
    assert [in_language(finding.message, Language.KOREAN) for finding in killed] == [
        "한도 안에서 파일을 읽지 못했습니다: 읽는 중에 한도를 넘었습니다(시간)"
    ]


async def test_one_answer_lists_every_problem_of_every_section(reader: LimitedUploadReader, tmp_path: Path) -> None:
    ladder_zip = a_zip(
        Entry(name=b"0000_11.csv", content=a_ladder()),
        Entry(name=b"0001_11.csv", content=b"Device Name,Comment\nM1,x\n"),
        Entry(name=b"0002_11.csv", content=b'Step No.,x\n"never closed'),
        Entry(name=b"0003_11.csv", content=a_ladder(), local={"crc": 1}, central={"crc": 1}),
        Entry(name=b"../0004_11.csv", content=a_ladder()),
        Entry(name=b"spare.csv", content=b"\xff\xff"),
    )
    rows = [HEADER, *(logic_row(f"{number:04}_11") for number in range(6)), logic_row(""), logic_row("0000_11")]
    inspected = await reader.inspect(
        an_upload(tmp_path, ladder_zip=ladder_zip, template=an_xlsx(rows), comments=b"nothing\nhere\n")
    )
    assert found(inspected) == {
        ("zip_unsafe_path", "ladder.zip", None),
        ("zip_corrupt", "ladder.zip", None),
        ("logic_id_blank", "template.xlsx", 8),
        ("logic_id_duplicate", "template.xlsx", 9),
        ("header_invalid", "comments.csv", 1),
        ("logic_csv_missing", "template.xlsx", 7),
        ("csv_not_in_template", "spare.csv", None),
        ("not_a_ladder", "0001_11.csv", 1),
        ("csv_invalid", "0002_11.csv", 2),
    }
    assert [finding.section for finding in inspected.findings] == sorted(
        (finding.section for finding in inspected.findings), key=list(Section).index
    )
    assert all(finding.hint and finding.message for finding in inspected.findings)
    assert [ladder.logic_id for ladder in inspected.ladders] == ["0000_11"]


async def test_a_template_that_lacks_a_column_still_says_which_csvs_to_check(
    reader: LimitedUploadReader, tmp_path: Path
) -> None:
    rows = [HEADER[:4], logic_row("0000_11")[:4], logic_row("gone")[:4]]
    ladder_zip = a_zip_of({"0000_11.csv": b"no ladder\n"})
    inspected = await reader.inspect(an_upload(tmp_path, ladder_zip=ladder_zip, template=an_xlsx(rows)))
    assert found(inspected) == {
        ("header_invalid", "template.xlsx", 1),
        ("logic_csv_missing", "template.xlsx", 3),
        ("not_a_ladder", "0000_11.csv", 1),
    }


async def test_without_a_readable_template_a_bad_csv_is_a_notice(reader: LimitedUploadReader, tmp_path: Path) -> None:
    ladder_zip = a_zip_of({"0000_11.csv": a_ladder(), "list.csv": b"no ladder\n"})
    inspected = await reader.inspect(an_upload(tmp_path, ladder_zip=ladder_zip, template=b"PK\x03\x04 broken"))
    assert [(finding.code, finding.severity) for finding in inspected.findings] == [
        ("xlsx_corrupt", Severity.ERROR),
        ("not_a_ladder", Severity.NOTICE),
    ]
    assert inspected.ladders == ()


async def test_a_corrupt_archive_does_not_make_every_logic_missing(reader: LimitedUploadReader, tmp_path: Path) -> None:
    inspected = await reader.inspect(an_upload(tmp_path, ladder_zip=a_zip_of({"0000_11.csv": a_ladder()})[:-9]))
    assert found(inspected) == {("zip_corrupt", "ladder.zip", None)}


@pytest.mark.parametrize(
    ("field", "name", "content", "code"),
    [
        ("ladder_zip", "ladder.zip", b"", "file_empty"),
        ("ladder_zip", "ladder.zip", b"%PDF-1.7", "type_mismatch"),
        ("ladder_zip", "ladder.rar", b"Rar!", "type_unsupported"),
        ("template", "template.xls", a_template("0000_11"), "type_mismatch"),
        ("comments", "comments.csv", a_zip_of({"a": b""}), "type_mismatch"),
        ("comments", "comments.csv", b"", "file_empty"),
        ("comments", "comments.csv", b"Device Name,Comment\nM1,\0\n", "csv_invalid"),
    ],
)
async def test_a_file_that_is_not_what_it_says_is_one_finding(
    reader: LimitedUploadReader, tmp_path: Path, *, field: str, name: str, content: bytes, code: str
) -> None:
    good = an_upload(tmp_path)
    changes: dict[str, Any] = {field: spooled(tmp_path, name, content)}
    errors = errors_among((await reader.inspect(replace(good, **changes))).findings)
    assert [(finding.code, finding.file) for finding in errors] == [(code, name)]


async def test_files_beyond_their_limits_are_too_large(tmp_path: Path) -> None:
    limits = replace(LIMITS, template_bytes=100, csv_bytes=400, comment_bytes=10)
    async with limited_readers(limits) as readers:
        inspected = await readers.uploads.inspect(an_upload(tmp_path))
    assert {(finding.code, finding.file) for finding in errors_among(inspected.findings)} == {
        ("too_large", "template.xlsx"),
        ("too_large", "comments.csv"),
    }
    async with limited_readers(replace(LIMITS, csv_bytes=400, zip_bytes=10_000)) as readers:
        inspected = await readers.uploads.inspect(an_upload(tmp_path))
    assert found(inspected) == {("too_large", "0001_11.csv", None), ("too_large", "0000_11.csv", None)}


async def test_a_legacy_workbook_is_a_template_too(reader: LimitedUploadReader, tmp_path: Path) -> None:
    legacy = spooled(tmp_path, "template.xls", an_xls([HEADER, logic_row("0000_11"), logic_row("0001_11")]))
    assert (await reader.inspect(replace(an_upload(tmp_path), template=legacy))).is_valid


async def test_bombs_are_refused_and_the_next_upload_works(reader: LimitedUploadReader, tmp_path: Path) -> None:
    await reader.inspect(an_upload(tmp_path))
    bombs = {
        "zip_bomb": a_zip(
            Entry(name=b"0000_11.csv", content=bytes(4 * MEBIBYTE)), Entry(name=b"0001_11.csv", content=a_ladder())
        ),
        "zip_overlap": quoted_overlap(250, 100_000),
    }
    for code, bomb in bombs.items():
        inspected = await reader.inspect(an_upload(tmp_path, ladder_zip=bomb))
        assert {finding.code for finding in inspected.findings} == {code}
    assert (await reader.inspect(an_upload(tmp_path))).is_valid


async def test_a_workbook_that_takes_too_long_becomes_one_finding(tmp_path: Path) -> None:
    # Below every limit of size and ratio: only the limit of CPU time remains.
    cells = "".join(
        f'<row r="{row}">'
        + "".join(f'<c r="{letter}{row}"><v>{row * 7919}</v></c>' for letter in "ABCDEFGH")
        + "</row>"
        for row in range(1, 40_000)
    )
    upload = an_upload(tmp_path, template=an_xlsx(sheet=sheet_with(cells)))
    async with limited_readers(LIMITS, ProcessLimits(cpu_s=0)) as readers:
        inspected = await readers.uploads.inspect(upload)
    assert [(finding.code, finding.file) for finding in inspected.findings] == [("resource_limit", "template.xlsx")]
    assert "CPU time" in inspected.findings[0].message


async def test_every_file_is_read_in_a_child_that_can_be_killed(tmp_path: Path) -> None:
    async with limited_readers(LIMITS, ProcessLimits(wall_s=0)) as readers:
        inspected = await readers.uploads.inspect(an_upload(tmp_path, comments=b"Device Name,Comment\nX1,a\n"))
    assert [(finding.section, finding.code) for finding in inspected.findings] == [
        (section, "resource_limit")
        for section in (Section.LADDER_ZIP, Section.TEMPLATE, Section.COMMENT_FILE, Section.TEMPLATE_AGAINST_ZIP)
    ]


async def test_a_far_cell_of_a_legacy_workbook_costs_its_child_alone(
    reader: LimitedUploadReader, tmp_path: Path
) -> None:
    rows: list[list[str | float | None]] = [["x"], *[[] for _ in range(65_534)], [*[None] * 255, 1.0]]
    legacy = spooled(tmp_path, "template.xls", an_xls(rows))
    inspected = await reader.inspect(replace(an_upload(tmp_path), template=legacy))
    assert [(finding.code, finding.file) for finding in errors_among(inspected.findings)] == [
        ("resource_limit", "template.xls")
    ]


async def test_a_csv_that_needs_too_much_memory_is_named_and_its_neighbours_are_read(
    tmp_path: Path,
) -> None:
    hog = b"\n".join([a_ladder().decode("utf-16").encode(), *[b"," * 6] * 190_000])
    ladder_zip = a_zip(*(Entry(name=name, content=content, method=DEFLATED) for name, content in _files(hog).items()))
    small = ProcessLimits(cpu_s=5, memory_bytes=48 * MEBIBYTE)
    async with limited_readers(replace(LIMITS, expansion_ratio=10_000), small) as readers:
        inspected = await readers.uploads.inspect(
            an_upload(tmp_path, ladder_zip=ladder_zip, template=a_template("1", "2", "3"))
        )
    assert [(finding.code, finding.file) for finding in inspected.findings] == [("resource_limit", "2.csv")]
    assert [ladder.logic_id for ladder in inspected.ladders] == ["1", "3"]


def _files(hog: bytes) -> dict[bytes, bytes]:
    return {b"1.csv": a_ladder(), b"2.csv": hog, b"3.csv": a_ladder()}


def shared_file(path: Path, suffix: str) -> SpooledFile:
    return SpooledFile(name=f"upload{suffix}", path=path, size_bytes=path.stat().st_size)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of real exports is not on this machine")
@pytest.mark.parametrize(
    ("archive", "errors", "ladders"),
    [
        ("test_data", set(), 26),
        ("filtered_output", set(), 26),
        ("test_data_more_pass", set(), 26),
        ("test_data_less_fail", {"logic_csv_missing"}, 19),
        ("test_data_strct_fail", {"not_a_ladder", "csv_no_rows"}, 24),
    ],
)
async def test_real_archives_are_judged_as_their_makers_named_them(
    reader: LimitedUploadReader, archive: str, errors: set[str], ladders: int
) -> None:
    folder = SHARED / "samples" / "c00lpeace__project-template-backup251021"
    prefix = "chat-api__app__backend__test_data__"
    inspected = await reader.inspect(
        Upload(
            ladder_zip=shared_file(folder / f"{prefix}{archive}.zip", ".zip"),
            template=shared_file(folder / f"{prefix}test_template.xlsx", ".xlsx"),
            comments=shared_file(folder / f"{prefix}test_comment.csv", ".csv"),
        )
    )
    assert {finding.code for finding in errors_among(inspected.findings)} == errors
    assert len(inspected.ladders) == ladders


@pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of real exports is not on this machine")
async def test_the_retrieval_benchmark_is_a_valid_upload(reader: LimitedUploadReader) -> None:
    folder = SHARED / "retrieval"
    inspected = await reader.inspect(
        Upload(
            ladder_zip=shared_file(folder / "ladder.zip", ".zip"),
            template=shared_file(folder / "template.xlsx", ".xlsx"),
            comments=shared_file(folder / "comment.csv", ".csv"),
        )
    )
    assert inspected.findings == ()
    assert len(inspected.ladders) == 115
