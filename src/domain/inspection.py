"""The template held against the archive: which CSV is which logic, what is missing, and what nobody asked for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from domain.findings import Finding, Section, Severity, in_reading_order
from domain.normal_forms import composed
from domain.template import Logic, Template
from domain.told import told

MOST_FINDINGS_OF_A_KIND = 1_000
_MOST_NEAREST_NAMES = 20  # comparing every missing name with every spare one would take minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedCsv:
    """A CSV in the archive. `member` identifies it for a reader; `path`, `document_name` and `stem` are for people."""

    member: str
    path: str
    document_name: str
    stem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCsv:
    """A CSV and the logic that the template gives it."""

    csv: ArchivedCsv
    logic: Logic


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The CSVs that the template names, in template order, and the findings."""

    named: tuple[NamedCsv, ...]
    findings: tuple[Finding, ...]


def compare(
    template: Template, csvs: Sequence[ArchivedCsv], *, template_name: str, refused_stems: Collection[str] = ()
) -> Comparison:
    """Give each logic its CSV by stem: NFC, upper and lower case alike, the exact spelling first.

    `refused_stems` are those of entries that are in the archive but were refused: they are not missing.
    """
    by_stem: dict[str, list[ArchivedCsv]] = {}
    for csv in csvs:
        by_stem.setdefault(same_name(csv.stem), []).append(csv)
    claimed = {same_name(logic.logic_id) for logic in template.logics}
    missing_anyway = {same_name(stem) for stem in refused_stems}
    found = [(logic, by_stem.get(same_name(logic.logic_id), [])) for logic in template.logics]
    missing = [logic for logic, these in found if not these and same_name(logic.logic_id) not in missing_anyway]
    spare = [csv for csv in csvs if same_name(csv.stem) not in claimed]
    return Comparison(
        named=tuple(NamedCsv(csv=_exact_first(these, logic)[0], logic=logic) for logic, these in found if these),
        findings=(
            *_missing(missing, spare, template_name),
            *(_ambiguous(logic, _exact_first(these, logic)) for logic, these in found if len(these) > 1),
            *map(_unnamed, spare),
        ),
    )


def same_name(name: str) -> str:
    """Names that differ only in composition or case compare equal."""
    return composed(composed(name).casefold())


def presented(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Order findings for reading; of each kind in a section at most a thousand, the last one counting the rest."""
    kept: list[Finding] = []
    counts: dict[tuple[Section, str], int] = {}
    last: dict[tuple[Section, str], Finding] = {}
    for finding in in_reading_order(tuple(findings)):
        kind = (finding.section, finding.code)
        counts[kind] = counts.get(kind, 0) + 1
        last[kind] = finding
        if counts[kind] <= MOST_FINDINGS_OF_A_KIND:
            kept.append(finding)
    kept += [
        _rest(last[kind], count - MOST_FINDINGS_OF_A_KIND)
        for kind, count in counts.items()
        if count > MOST_FINDINGS_OF_A_KIND
    ]
    return in_reading_order(tuple(kept))


def _rest(last: Finding, count: int) -> Finding:
    return Finding(
        section=last.section,
        code=last.code,
        file=last.file,
        row=last.row,
        message=told("and {count:,} more of this kind, up to here", count=count),
        hint=told("Correct those that are listed first."),
        severity=last.severity,
    )


def _exact_first(csvs: list[ArchivedCsv], logic: Logic) -> list[ArchivedCsv]:
    return sorted(csvs, key=lambda csv: csv.stem != logic.logic_id)


def _missing(logics: list[Logic], spare: list[ArchivedCsv], template_name: str) -> Iterable[Finding]:
    for place, logic in enumerate(logics):
        nearest = _nearest(logic.logic_id, spare) if place < _MOST_NEAREST_NAMES else None
        yield Finding(
            section=Section.TEMPLATE_AGAINST_ZIP,
            code="logic_csv_missing",
            file=template_name,
            row=logic.row,
            message=told("logic '{logic_id}' has no ladder CSV in the ZIP", logic_id=logic.logic_id),
            hint=(
                told(
                    "The ZIP holds '{path}': is it meant? Logic ID and file name must agree; "
                    "format the Logic ID column as text, so that leading zeros stay.",
                    path=nearest.path,
                )
                if nearest
                else told("Add '{logic_id}.csv' to the ZIP, or remove the row.", logic_id=logic.logic_id)
            ),
        )


def _nearest(logic_id: str, spare: list[ArchivedCsv]) -> ArchivedCsv | None:
    """The CSV that is probably meant: leading zeros apart, which Excel drops, it is the same; else the most alike."""
    by_stem = {csv.stem: csv for csv in spare}
    for stem, csv in by_stem.items():
        if same_name(stem).lstrip("0") == same_name(logic_id).lstrip("0"):
            return csv
    alike = get_close_matches(logic_id, by_stem, n=1)
    return by_stem[alike[0]] if alike else None


def _ambiguous(logic: Logic, csvs: list[ArchivedCsv]) -> Finding:
    return Finding(
        section=Section.TEMPLATE_AGAINST_ZIP,
        code="zip_duplicate_logic",
        file=csvs[1].path,
        message=told(
            "logic '{logic_id}' has {count} files: {paths}",
            logic_id=logic.logic_id,
            count=len(csvs),
            paths=", ".join(f"'{csv.path}'" for csv in csvs[:5]),
        ),
        hint=told("Keep the one that is meant."),
    )


def _unnamed(csv: ArchivedCsv) -> Finding:
    return Finding(
        section=Section.TEMPLATE_AGAINST_ZIP,
        code="csv_not_in_template",
        file=csv.path,
        message=told("'{path}' is not named in the template and is left out", path=csv.path),
        hint=told("Add a row with this Logic ID to the template if it belongs to the program."),
        severity=Severity.NOTICE,
    )
