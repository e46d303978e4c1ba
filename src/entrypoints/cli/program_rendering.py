"""One program on the terminal: what it is, how it stands, and as a tree."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from domain.document import DocumentType
from entrypoints.cli.printable import printable
from entrypoints.cli.problems import Answer
from entrypoints.cli.rendering import cell, errors_table, findings_table, moment, size

_STYLES = {"failed": "bold red", "indexed": "green", "skipped": "dim"}


def print_program(console: Console, shown: Answer) -> None:
    """What `ladderbase show` found out."""
    program, indexing, warnings = shown["program"], shown["indexing"], shown["warnings"]
    console.print(Text.assemble((printable(program["pgm_id"]), "bold"), "  ", cell(program["pgm_name"], "bold cyan")))
    console.print(_facts(program, indexing))
    if indexing["errors"]:
        console.print("failed:", style="bold red")
        console.print(errors_table(indexing["errors"]))
        for title in dict.fromkeys(error["title"] for error in indexing["errors"]):
            console.print(cell(f"  {title}"))
    if warnings["findings"]:
        console.print("warnings:", style="yellow")
        console.print(findings_table(warnings["findings"]))
    if not warnings["complete"]:
        console.print("not all documents have been read for warnings yet", style="dim")
    if shown["further_documents"]:
        console.print("further documents:", style="bold")
        console.print(_further_table(shown["further_documents"]))


def program_tree(program: Answer, template: Answer, documents: Sequence[Answer]) -> Tree:
    """Folders, sub folders and logics in the order of the sheet, then the files that came with them."""
    tree = Tree(Text.assemble((program["pgm_id"], "bold"), "  ", cell(program["pgm_name"], "bold cyan")))
    of_logics = {each["logic_id"]: each for each in documents if each["document_type"] == DocumentType.LADDER_CSV}
    for folder in template["folders"]:
        branch = tree.add(_named(folder["folder_id"], folder["folder_name"], "bold"))
        for sub_folder in folder["sub_folders"]:
            name = sub_folder["sub_folder_name"]
            twig = branch.add(cell(name, "bold")) if name else branch
            for logic in sub_folder["logics"]:
                twig.add(_logic(logic, of_logics.get(logic["logic_id"])))
    files = tree.add(Text("files", "bold"))
    for document in documents:
        if document["document_type"] != DocumentType.LADDER_CSV:
            files.add(_document(document))
    return tree


def _facts(program: Answer, indexing: Answer) -> Table:
    facts = Table.grid("", "", padding=(0, 2))
    for name, told in _told_of(program, indexing):
        facts.add_row(Text(name, "dim"), cell(told, lines=True))
    return facts


def _told_of(program: Answer, indexing: Answer) -> Iterator[tuple[str, str]]:
    for name, field in (("version", "pgm_version"), ("description", "description"), ("notes", "notes")):
        if program[field]:
            yield name, program[field]
    yield "user", program["create_user"]
    yield "registered", f"{moment(program['create_dt'])} UTC"
    if program["update_dt"] != program["create_dt"]:
        yield "changed", f"{moment(program['update_dt'])} UTC"
    yield "revision", f"{program['revision']}, {program['indexing']['status']}"
    if pending := program["pending"]:
        yield "pending", f"revision {pending['revision']}, {pending['indexing']['status']}"
    yield "documents", f"{indexing['total']}: {_counts(indexing['counts'])}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none"


def _further_table(documents: Iterable[Answer]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for name in ("document", "name", "title", "size", "passages", "state"):
        table.add_column(name, overflow="fold", justify="right" if name in {"size", "passages"} else "left")
    for document in documents:
        table.add_row(
            *(cell(document[field]) for field in ("document_id", "document_name", "title")),
            size(document["size_bytes"]),
            str(document["chunk_count"]),
            _state(document),
        )
    return table


def _named(identifier: str, name: str, style: str = "") -> Text:
    return cell("  ".join(part for part in (identifier, name) if part), style)


def _logic(logic: Answer, document: Answer | None) -> Text:
    named = _named(logic["logic_id"], logic["logic_name"])
    if document is None:
        return named
    rungs = "1 rung" if document["rung_count"] == 1 else f"{document['rung_count']} rungs"
    return Text.assemble(named, ("  " + document["document_id"], "dim"), f"  {rungs}, ", _state(document))


def _document(document: Answer) -> Text:
    about = f"  {size(document['size_bytes'])}, "
    name = cell(document["document_name"])
    return Text.assemble(name, ("  " + document["document_id"], "dim"), about, _state(document))


def _state(document: Answer) -> Text:
    state = document["state"]
    return cell(state, _STYLES.get(state, ""))
