"""What people see on the terminal; colours only where there is one."""

import json
from collections.abc import Iterable
from textwrap import indent

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from entrypoints.cli.printable import printable, printable_json
from entrypoints.cli.problems import Answer, RefusedError

_WIDTH_OF_A_FILE = 160
_FAILED_STYLE = "bold red"
_UNITS, _STEP = ("B", "kB", "MB", "GB"), 1_000


def screen(*, stderr: bool = False) -> Console:
    """A console: as wide as the terminal, or wide enough to cut nothing off where the output is a file."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=_WIDTH_OF_A_FILE)


def print_json(answer: object) -> None:
    """The answer for scripts; text as it is, but for what a terminal would obey."""
    click.echo(printable_json(json.dumps(answer, ensure_ascii=False, indent=2)))


def cell(text: str, style: str = "", *, lines: bool = False) -> Text:
    """A text of somebody else's."""
    return Text(printable(text, lines=lines), style)


def show_refusal(error: RefusedError, *, as_json: bool) -> None:
    """The problem, and every finding of it with what to do."""
    if as_json:
        print_json(error.problem)
        return
    click.echo(f"Error: {error.format_message()}", err=True)
    if findings := error.problem.get("findings"):
        screen(stderr=True).print(findings_table(findings))


def findings_table(findings: Iterable[Answer]) -> Table:
    """Findings with their place and remedy."""
    table = Table(show_edge=False, pad_edge=False)
    for name in ("", "file", "row", "what", "what to do"):
        table.add_column(name, overflow="fold", justify="right" if name == "row" else "left")
    for finding in findings:
        is_error = finding["severity"] == "error"
        table.add_row(
            Text("error", _FAILED_STYLE) if is_error else Text("notice", "yellow"),
            cell(finding.get("file") or finding.get("field") or ""),
            Text("" if finding.get("row") is None else str(finding["row"])),
            cell(finding["message"]),
            cell(finding["hint"]),
        )
    return table


def documents_table(documents: Iterable[Answer]) -> Table:
    """What the parser found out about each ladder CSV."""
    table = Table(show_edge=False, pad_edge=False)
    for name in ("document", "logic", "encoding", "delimiter", "tool", "CPU", "rows", "rungs"):
        table.add_column(name, overflow="fold", justify="right" if name in {"rows", "rungs"} else "left")
    for document in documents:
        if document["encoding"]:
            columns = ("document_name", "logic_name", "encoding", "delimiter", "tool", "cpu", "row_count", "rung_count")
            table.add_row(*(cell(str(document[column])) for column in columns))
    return table


def errors_table(errors: Iterable[Answer]) -> Table:
    """Documents that could not be indexed."""
    table = Table(show_edge=False, pad_edge=False)
    for name in ("document", "code", "why"):
        table.add_column(name, overflow="fold")
    for error in errors:
        table.add_row(cell(error["document_name"]), cell(error["code"], _FAILED_STYLE), cell(error["message"]))
    return table


def programs_table(programs: Iterable[Answer]) -> Table:
    """One line a program."""
    table = Table(show_edge=False, pad_edge=False)
    for name in ("program", "name", "version", "user", "registered", "documents", "status"):
        table.add_column(name, overflow="fold", justify="right" if name == "documents" else "left")
    for program in programs:
        status = program["indexing"]["status"]
        table.add_row(
            *(cell(program[field]) for field in ("pgm_id", "pgm_name", "pgm_version", "create_user")),
            cell(moment(program["create_dt"])),
            Text(str(program["document_count"])),
            cell(status, _FAILED_STYLE if status == "failed" else ""),
        )
    return table


def moment(written: str) -> str:
    """A moment of the service's, in UTC, to the second."""
    return written[:19].replace("T", " ")


def size(size_bytes: int) -> str:
    """A number of bytes, for people."""
    number, unit = float(size_bytes), _UNITS[0]
    for unit in _UNITS:
        if number < _STEP or unit == _UNITS[-1]:
            break
        number /= _STEP
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def print_hit(console: Console, number: int, hit: Answer) -> None:
    """A hit: where it is, what it is called, its ladder text, and what its devices are."""
    place = "/".join(part for part in (hit["folder_name"], hit["sub_folder_name"], hit["logic_name"]) if part)
    console.print(
        Text.assemble(
            (f"{number}. ", "bold"),
            (printable(place or hit["document_name"]), "bold cyan"),
            printable(f"  {hit['logic_id']}  {_steps(hit)}".rstrip()),
            (printable(f"  {hit['pgm_id']} {hit['document_name']}  {'+'.join(hit['lanes'])}"), "dim"),
        )
    )
    if hit["title"]:
        console.print(cell(indent(hit["title"], " " * 3), "green", lines=True))
    if hit["ladder"]:
        console.print(cell(indent(hit["ladder"], " " * 5), lines=True))
    for use in hit["devices"]:
        if use["comment"]:
            console.print(Text.assemble((printable(f"     {use['device']:<8} "), "yellow"), printable(use["comment"])))


def _steps(hit: Answer) -> str:
    first, last = hit["first_step"], hit["last_step"]
    if first is None:
        return ""
    return f"step {first}" if first == last else f"steps {first}-{last}"
