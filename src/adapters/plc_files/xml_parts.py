"""The XML parts of a workbook: streamed, bounded, and refused where they declare a document type."""

from typing import BinaryIO
from xml.parsers import expat

from adapters.plc_files.archive import Member
from adapters.plc_files.archive_problems import ArchiveProblem
from adapters.plc_files.unpack import unpack
from adapters.plc_files.workbook_problems import corrupt, forbidden_xml, of_its_archive, too_large
from domain.told import told
from domain.upload import MEBIBYTE

MOST_PART_BYTES = 32 * MEBIBYTE
MOST_TAG_BYTES = MEBIBYTE // 4
"""Of one tag or comment. Expat before 2.6 begins it anew with every piece: 31 MiB of one take it seven seconds."""
_READABLE_ENCODINGS = frozenset({"utf-8", "us-ascii"})
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0<", b"<\0")


class _PrologSeenError(Exception):
    """The first element has begun: a document type can no longer be declared."""


class PartReader:
    """Reads one part; subclasses take its elements by their names without prefix."""

    def element_started(self, name: str, attributes: dict[str, str], /) -> None:
        """An element began."""

    def element_ended(self, name: str, /) -> None:
        """An element ended."""

    def text_found(self, text: str, /) -> None:
        """Text, perhaps a piece of it."""

    def read(self, file: BinaryIO, part: Member) -> None:
        """Stream the part through the methods above. Raises WorkbookProblem."""
        if part.size_bytes > MOST_PART_BYTES:
            raise too_large(
                told(
                    "part {part} has {size:,} bytes, more than {most:,}",
                    part=part.path,
                    size=part.size_bytes,
                    most=MOST_PART_BYTES,
                )
            )
        parser, fed_bytes = self._parser(part), 0
        try:
            for number, piece in enumerate(unpack(file, part)):
                if not number and piece.startswith(_UTF16_MARKS):
                    raise corrupt(told("part {part} is UTF-16, where workbooks are UTF-8", part=part.path))
                parser.Parse(piece, False)  # noqa: FBT003 - expat takes its flag by place
                fed_bytes += len(piece)
                if fed_bytes - parser.CurrentByteIndex > MOST_TAG_BYTES:
                    raise too_large(
                        told("part {part} has a tag of more than {most:,} bytes", part=part.path, most=MOST_TAG_BYTES)
                    )
            parser.Parse(b"", True)  # noqa: FBT003 - as above
        except expat.ExpatError as error:
            raise corrupt(told("part {part} is no XML at line {line}", part=part.path, line=error.lineno)) from error
        except ArchiveProblem as problem:
            raise of_its_archive(problem) from problem

    def _parser(self, part: Member) -> expat.XMLParserType:
        parser = expat.ParserCreate()

        def refuse(*_: object) -> None:
            raise forbidden_xml(part.path)

        def check_declaration(version: str, encoding: str | None, _: int) -> None:
            if version != "1.0" or (encoding or "utf-8").lower() not in _READABLE_ENCODINGS:
                raise corrupt(
                    told(
                        "part {part} is XML {version} in {encoding}, not XML 1.0 in UTF-8",
                        part=part.path,
                        version=version,
                        encoding=encoding,
                    )
                )

        parser.StartDoctypeDeclHandler = refuse
        parser.XmlDeclHandler = check_declaration
        parser.StartElementHandler = lambda name, attributes: self.element_started(_local(name), attributes)
        parser.EndElementHandler = lambda name: self.element_ended(_local(name))
        parser.CharacterDataHandler = self.text_found
        parser.buffer_text = True
        return parser


class _PrologReader(PartReader):
    def element_started(self, _name: str, _attributes: dict[str, str], /) -> None:
        raise _PrologSeenError


def check_prolog(file: BinaryIO, part: Member) -> None:
    """Refuse a part that declares a document type; what follows its first tag is not read. Raises WorkbookProblem."""
    try:
        _PrologReader().read(file, part)
    except _PrologSeenError:
        return


def _local(name: str) -> str:
    return name.rpartition(":")[2]
