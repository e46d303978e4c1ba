"""The template held against the archive."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.findings import Finding, Section, Severity, errors_among
from domain.inspection import MOST_FINDINGS_OF_A_KIND, ArchivedCsv, Comparison, compare, presented
from domain.template import Logic, Template
from domain.told import told


def template_of(*logic_ids: str) -> Template:
    return Template(
        logics=tuple(
            Logic(row=row, folder_id="0", folder_name="", sub_folder_name="", logic_id=logic_id, logic_name="")
            for row, logic_id in enumerate(logic_ids, start=2)
        )
    )


def csv(path: str) -> ArchivedCsv:
    name = path.rpartition("/")[2]
    return ArchivedCsv(member=path, path=path, document_name=name, stem=name.rpartition(".")[0])


def compared(logic_ids: list[str], paths: list[str], **options: tuple[str, ...]) -> Comparison:
    return compare(template_of(*logic_ids), [csv(path) for path in paths], template_name="t.xlsx", **options)


def found(comparison: Comparison) -> list[tuple[str, str, int | None]]:
    return [(finding.code, finding.file, finding.row) for finding in comparison.findings]


def test_each_logic_gets_the_csv_of_its_stem_in_template_order() -> None:
    comparison = compared(["b", "0000_11"], ["x/0000_11.csv", "b.TXT"])
    assert [(one.logic.logic_id, one.csv.path) for one in comparison.named] == [
        ("b", "b.TXT"),
        ("0000_11", "x/0000_11.csv"),
    ]
    assert comparison.findings == ()


def test_composition_and_case_do_not_part_a_logic_from_its_csv() -> None:
    comparison = compared(["접이_A"], [unicodedata.normalize("NFD", "접이_a.csv")])
    assert len(comparison.named) == 1
    assert comparison.findings == ()


def test_a_missing_csv_is_named_with_its_row_and_the_nearest_name() -> None:
    comparison = compared(["0000_11", "0001_12"], ["0000_11.csv", "0001-12.csv"])
    assert found(comparison) == [("logic_csv_missing", "t.xlsx", 3), ("csv_not_in_template", "0001-12.csv", None)]
    assert "'0001-12.csv'" in comparison.findings[0].hint
    assert [finding.severity for finding in comparison.findings] == [Severity.ERROR, Severity.NOTICE]


def test_a_logic_id_that_lost_its_zeros_in_excel_is_offered_the_right_name() -> None:
    comparison = compared(["11"], ["0110.csv", "0011.csv"])
    assert "'0011.csv'" in comparison.findings[0].hint
    assert "as text" in comparison.findings[0].hint


def test_a_missing_csv_without_a_likely_name_is_to_be_added() -> None:
    assert "Add 'main.csv'" in compared(["main"], ["zzz.csv"]).findings[0].hint


def test_an_entry_that_was_refused_is_not_missing() -> None:
    assert found(compared(["0000_11"], [], refused_stems=("0000_11",))) == []


def test_two_files_of_one_logic_are_one_finding_and_the_exact_spelling_is_read() -> None:
    comparison = compared(["Main"], ["a/MAIN.csv", "b/Main.txt"])
    assert found(comparison) == [("zip_duplicate_logic", "a/MAIN.csv", None)]
    assert [one.csv.path for one in comparison.named] == ["b/Main.txt"]
    assert errors_among(comparison.findings)


def test_two_files_that_nobody_named_are_left_out_both() -> None:
    assert found(compared([], ["a/x.csv", "b/x.csv"])) == [
        ("csv_not_in_template", "a/x.csv", None),
        ("csv_not_in_template", "b/x.csv", None),
    ]


@pytest.mark.timeout(30)  # comparing each with each would take minutes
def test_five_thousand_missing_names_are_compared_in_time() -> None:
    compared([f"logic_{number:05}" for number in range(5_000)], [f"other-{number:05}.csv" for number in range(5_000)])


def finding(code: str, row: int) -> Finding:
    return Finding(section=Section.TEMPLATE, code=code, file="t.xlsx", row=row, message=told(""), hint=told(""))


def test_a_flood_of_one_kind_is_cut_and_counted_and_hides_no_other_kind() -> None:
    flood = [finding("logic_id_blank", row) for row in range(1, MOST_FINDINGS_OF_A_KIND + 501)]
    shown = presented([finding("text_invalid", 9_999), *flood])
    assert len(shown) == MOST_FINDINGS_OF_A_KIND + 2
    assert "500 more" in shown[-2].message
    assert shown[-1].code == "text_invalid"


@given(st.lists(st.builds(finding, st.sampled_from(["a", "b"]), st.integers(1, 9)), max_size=20))
def test_few_findings_are_all_shown_in_reading_order(findings: list[Finding]) -> None:
    shown = presented(findings)
    assert sorted(shown, key=id) == sorted(findings, key=id)
    assert [one.row or 0 for one in shown] == sorted(one.row or 0 for one in shown)
