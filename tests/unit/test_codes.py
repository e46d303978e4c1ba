"""Every code that the source can answer stands in the one list of codes, with a sentence to act on."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from entrypoints.api.codes import FAILURES, FINDINGS, REQUESTS, of_findings

SOURCE = Path(__file__).parents[2] / "src"
# Whoever makes a finding, a refusal or a failure names its code first or as `code=`.
MAKERS = {
    *("ArchiveProblem", "WorkbookProblem", "TableError", "RefusedRequestError", "FieldProblem", "InvalidRequestError"),
    *(
        "Finding",
        "Failure",
        "UnindexableError",
        "_find",
        "_finding",
        "_notice",
        "_refuse",
        "_problem",
        "refuse_by_headers",
    ),
}
NAME_A_FIELD_FIRST = {"InvalidRequestError", "FieldProblem"}
CODE = re.compile(r"[a-z]+(_[a-z0-9]+)*")


def _codes_in_source() -> Iterator[str]:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in MAKERS:
                named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
                by_place = [] if _name(node.func) in NAME_A_FIELD_FIRST else node.args
                yield from filter(CODE.fullmatch, map(_text, named or by_place))


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _text(value: ast.expr) -> str:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def test_every_code_in_the_source_is_in_the_list() -> None:
    found = {code for code in _codes_in_source() if "_" in code}
    assert len(found) > 60
    assert found - REQUESTS.keys() - FINDINGS.keys() - FAILURES.keys() == set()


def test_every_code_in_the_list_is_in_the_source() -> None:
    words = set(re.findall(r'"([a-z0-9_]+)"', "".join(path.read_text("utf-8") for path in _source_but_the_list())))
    assert (REQUESTS.keys() | FINDINGS.keys() | FAILURES.keys()) - words == set()


def test_every_title_is_a_sentence_that_says_what_to_do() -> None:
    titles = [title for _, title in REQUESTS.values()] + list(FINDINGS.values()) + list(FAILURES.values())
    assert [title for title in titles if not title.endswith(".") or len(title) > 120] == []


def test_findings_of_several_codes_have_the_code_of_their_request() -> None:
    assert of_findings(["zip_corrupt", "zip_corrupt"], otherwise="upload_invalid")[:2] == ("zip_corrupt", 422)
    assert of_findings(["zip_corrupt", "csv_invalid"], otherwise="upload_invalid")[:2] == ("upload_invalid", 422)
    assert of_findings(["type_mismatch", "type_unsupported"], otherwise="upload_invalid")[:2] == ("upload_invalid", 415)
    assert of_findings(["too_large"], otherwise="upload_invalid")[:2] == ("too_large", 413)


def test_the_readers_load_no_xml_parser_but_the_one_that_refuses_declarations() -> None:
    asked = (
        "import sys, adapters.plc_files.upload_jobs, adapters.plc_files.document_jobs;"
        "print(*sorted(name for name in sys.modules if name.split('.')[0] in"
        " {'xml', 'lxml', 'openpyxl', 'defusedxml', 'zipfile', 'pandas'}))"
    )
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=True)
    assert set(loaded.stdout.split()) <= {"xml", "xml.parsers", "xml.parsers.expat", "xml.parsers.expat.model"} | {
        "xml.parsers.expat.errors"
    }


def _source_but_the_list() -> Iterator[Path]:
    return (path for path in SOURCE.rglob("*.py") if path.name != "codes.py")
