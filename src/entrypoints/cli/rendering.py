"""What people see on the terminal; colours only where there is one."""

import json
from collections.abc import Iterable, Mapping
from textwrap import indent
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH_OF_A_FILE = 160
_FAILED_STYLE = "bold red"
Answer = Mapping[str, Any]


def screen(*, stderr: bool = False) -> Console:
    """A console: as wide as the terminal, or wide enough to cut nothing off where the output is a file."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=_WIDTH_OF_A_FILE)


def print_json(answer: object) -> None:
    """The answer for scripts; text as it is, not escaped."""
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def findings_table(findings: Iterable[Answer]) -> Table:
    """Findings with their place and remedy."""
    table = Table(show_edge=False, pad_edge=False)
    for name in ("", "file", "row", "what", "what to do"):
        table.add_column(name, overflow="fold", justify="right" if name == "row" else "left")
    for finding in findings:
        is_error = finding["severity"] == "error"
        table.add_row(
            Text("error", _FAILED_STYLE) if is_error else Text("notice", "yellow"),
            Text(finding.get("file") or finding.get("field") or ""),
            Text("" if finding.get("row") is None else str(finding["row"])),
            Text(finding["message"]),
            Text(finding["hint"]),
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
            table.add_row(*(Text(str(document[column])) for column in columns))
    return table


def errors_table(errors: Iterable[Answer]) -> Table:
    """Documents that could not be indexed."""
    table = Table(show_edge=False, pad_edge=False)
    for name in ("document", "code", "why"):
        table.add_column(name, overflow="fold")
    for error in errors:
        table.add_row(Text(error["document_name"]), Text(error["code"], _FAILED_STYLE), Text(error["message"]))
    return table


def programs_table(programs: Iterable[Answer]) -> Table:
    """One line a program."""
    table = Table(show_edge=False, pad_edge=False)
    for name in ("program", "name", "version", "user", "registered", "documents", "status"):
        table.add_column(name, overflow="fold", justify="right" if name == "documents" else "left")
    for program in programs:
        status = program["indexing"]["status"]
        table.add_row(
            *(Text(program[field]) for field in ("pgm_id", "pgm_name", "pgm_version", "create_user")),
            Text(program["create_dt"][:19].replace("T", " ")),
            Text(str(program["document_count"])),
            Text(status, _FAILED_STYLE if status == "failed" else ""),
        )
    return table


def print_hit(console: Console, number: int, hit: Answer) -> None:
    """A hit: where it is, what it is called, its ladder text, and what its devices are."""
    place = "/".join(part for part in (hit["folder_name"], hit["sub_folder_name"], hit["logic_name"]) if part)
    console.print(
        Text.assemble(
            (f"{number}. ", "bold"),
            (place or hit["document_name"], "bold cyan"),
            f"  {hit['logic_id']}  {_steps(hit)}".rstrip(),
            (f"  {hit['pgm_id']} {hit['document_name']}  {'+'.join(hit['lanes'])}", "dim"),
        )
    )
    if hit["title"]:
        console.print(Text(indent(hit["title"], " " * 3), "green"))
    if hit["ladder"]:
        console.print(Text(indent(hit["ladder"], " " * 5)))
    for use in hit["devices"]:
        if use["comment"]:
            console.print(Text.assemble((f"     {use['device']:<8} ", "yellow"), use["comment"]))


def _steps(hit: Answer) -> str:
    first, last = hit["first_step"], hit["last_step"]
    if first is None:
        return ""
    return f"step {first}" if first == last else f"steps {first}-{last}"
