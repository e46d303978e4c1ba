"""What the fuzzer feeds and what must hold.

A reader may refuse under a code of the list (entrypoints.api.codes) or accept; any exception, any other code and any
contradiction ends the run with the input that brought it about.
"""

import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from adapters.plc_files.archive import read_archive
from adapters.plc_files.archive_problems import ArchiveProblem
from adapters.plc_files.template_workbook import read_template
from adapters.plc_files.unpack import unpack
from builders.archives import DESCRIPTOR, UTF8, Entry, a_zip, a_zip64, a_zip_of, unicode_path
from builders.uploads import CONVEYOR, ladder_csv
from builders.workbooks import HEADER, from_parts, logic_row, xlsx_parts
from domain.comment_file import parse_comments
from domain.ladder.listing import parse_listing, render_listing
from domain.ladder.table import TableError
from domain.upload import UploadLimits
from entrypoints.api.codes import FINDINGS, REQUESTS
from entrypoints.api.refusals import InvalidFieldsError, RefusedRequestError
from entrypoints.api.schemas import SearchRequest
from entrypoints.api.strict_json import read_object

LIMITS = UploadLimits()
# A ZIP's checksums keep a fuzzer out of what is packed: the workbook's parts are given to it as they are.
PARTS = sorted(name for name in xlsx_parts())


def archive(content: bytes) -> None:
    """A ZIP's directory and everything in it."""
    file = io.BytesIO(content)
    found = read_archive(file, len(content), LIMITS)
    _expect(all(problem.code in FINDINGS for problem in found.problems), "an unlisted code")
    for member in found.members:
        _expect(not {"", ".", ".."} & set(member.path.split("/")), "a path that leads out")
        try:
            size = sum(map(len, unpack(file, member)))
        except ArchiveProblem as problem:
            _expect(problem.code in FINDINGS, problem.code)
        else:
            _expect(size == member.size_bytes, "a size that was not declared")


def xlsx(content: bytes) -> None:
    """A workbook one part of which is the input; its first byte says which."""
    if not content:
        return
    name = PARTS[content[0] % len(PARTS)]
    with tempfile.NamedTemporaryFile() as file:
        file.write(from_parts(xlsx_parts([HEADER, logic_row("0000_11")]) | {name: content[1:]}))
        file.flush()
        found = read_template(Path(file.name), "template.xlsx", LIMITS)
    _expect(all(finding.code in FINDINGS for finding in found.findings), "an unlisted code")


def csv(content: bytes) -> None:
    """Device comments, and a ladder listing that must come out of its own rendering as it went in."""
    _expect(all(problem.code in FINDINGS for problem in parse_comments(content)[1]), "an unlisted code")
    try:
        listing = parse_listing(content)
    except TableError as error:
        _expect(error.code in FINDINGS, error.code)
        return
    _expect(list(parse_listing(render_listing(listing)).rows()) == list(listing.rows()), "another listing")


def json(content: bytes) -> None:
    """The body of a search."""
    try:
        read_object(content, SearchRequest)
    except RefusedRequestError as error:
        _expect(error.code in REQUESTS, error.code)
    except InvalidFieldsError as error:
        _expect(all(problem.code in FINDINGS for problem in error.problems), "an unlisted code")


def _expect(holds: bool, what: str) -> None:  # noqa: FBT001 - like an assertion, which -O would remove
    if not holds:
        raise AssertionError(what)


def seeds(name: str) -> Mapping[str, bytes]:
    """Good inputs to begin with; what the fuzzer found besides is kept in the corpus."""
    listing = ladder_csv(CONVEYOR).decode()
    entry = Entry(name=b"0000_11.csv", content=b"step,instruction\n" * 3)
    parts = xlsx_parts([HEADER, logic_row("0000_11"), (0, None, "x", 1.5, True)])
    return {
        "archive": {
            "plain": a_zip_of({"a/0000_11.csv": b"x" * 50, "b.txt": b""}),
            "zip64": a_zip64(entry),
            "streamed": a_zip(Entry(name=b"a.csv", content=b"y", flags=UTF8 | DESCRIPTOR, descriptor=bytes(12))),
            "named": a_zip(Entry(name=b"_.csv", content=b"z", extra=unicode_path(b"_.csv", "복사본.csv"))),
        },
        "xlsx": {f"part{n}": bytes([n]) + str(parts[part]).encode() for n, part in enumerate(PARTS)},
        "csv": {
            **{f"listing-{code}": listing.encode(code) for code in ("utf-8", "utf-16", "cp949")},
            "comments": '"Device Name"\t"Comment"\n"X1"\t"도어"\n'.encode("utf-16"),
        },
        "json": {"search": b'{"query": "M1", "limit": 3, "mode": "hybrid", "pgm_id": null}'},
    }[name]


TARGETS: Mapping[str, Callable[[bytes], None]] = {"archive": archive, "xlsx": xlsx, "csv": csv, "json": json}
