"""A multipart form read from a stream: files go to disk piece by piece, texts are bounded, nothing is trusted.

Litestar's own form parser keeps text fields of any size in memory, loses why a form is malformed and ignores
`filename*`; and what it spooled would have to be written to disk a second time to get a path.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedWriter
from pathlib import Path
from urllib.parse import unquote

from multipart import (  # type: ignore[import-untyped]  # annotated, but it ships no py.typed
    MultipartSegment,
    ParserError,
    ParserLimitReached,
    PushMultipartParser,
)

from domain.told import Told, told
from domain.upload import SpooledFile
from entrypoints.api.refusals import FieldProblem, RefusedRequestError
from entrypoints.api.texts import InvalidTextError, display_name

MAX_PARTS = 32
MAX_FIELD_BYTES = 64 * 1024
MAX_PREAMBLE_BYTES = 64 * 1024
_MAX_BOUNDARY_CHARACTERS = 70
_MAX_HEADER_BYTES = 16 * 1024
_PARSED_AT_ONCE = 64 * 1024
_WRITE_BYTES = 1024 * 1024
_EXTENDED_NAME = re.compile(r";\s*filename\*\s*=\s*\"?(?P<charset>[^'\";]*)'[^'\";]*'(?P<value>[^\";]*)", re.IGNORECASE)
_NO_NAME = "\0"
# What browsers and tools declare for archives, workbooks and CSVs differs by machine; these are never any of them.
_TYPES_OF_OTHER_FILES = re.compile(r"(image|audio|video|font|message|model)/.*|application/pdf|text/html")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormShape:
    """The parts that a form may have: text fields by name, and files by name with their limits in bytes.

    `also_declared` are media types that its files may be sent as, though no file of a program is.
    """

    texts: frozenset[str]
    files: Mapping[str, int]
    also_declared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedForm:
    """What came: the texts as bytes, the files on disk, and the parts that cannot be used."""

    texts: Mapping[str, bytes]
    files: Mapping[str, SpooledFile]
    problems: tuple[FieldProblem, ...]


async def receive_form(
    pieces: AsyncIterator[bytes], boundary: str | None, *, shape: FormShape, folder: Path
) -> ReceivedForm:
    """Read a whole form, its files into `folder`. Raises RefusedRequestError when it is none, or too large."""
    reception = _Reception(shape=shape, folder=folder)
    try:
        with _parser(boundary) as parser:
            async for piece in pieces:
                for start in range(0, len(piece), _PARSED_AT_ONCE):
                    portion = piece[start : start + _PARSED_AT_ONCE]
                    await reception.take(parser.parse(portion), len(portion))
    except (ParserError, ParserLimitReached):
        detail = told("the body is no complete multipart/form-data")
        raise RefusedRequestError("multipart_malformed", detail) from None
    finally:
        await reception.close()
    return ReceivedForm(texts=reception.texts, files=reception.files, problems=tuple(reception.problems))


def _parser(boundary: str | None) -> PushMultipartParser:
    if not boundary or len(boundary) > _MAX_BOUNDARY_CHARACTERS:
        raise RefusedRequestError("multipart_malformed", told("the Content-Type names no usable boundary"))
    return PushMultipartParser(boundary, max_header_size=_MAX_HEADER_BYTES)


@dataclass(slots=True, kw_only=True)
class _Reception:
    """What has come so far, and the part that is coming in now."""

    shape: FormShape
    folder: Path
    texts: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, SpooledFile] = field(default_factory=dict)
    problems: list[FieldProblem] = field(default_factory=list)
    part: "_Part | None" = None
    parts: int = 0
    preamble_bytes: int = 0

    async def take(self, events: Iterator[MultipartSegment | bytes | None], size_bytes: int) -> None:
        for event in events:
            if isinstance(event, MultipartSegment):
                self.part = await self._begin(event)
            elif self.part is None:
                raise AssertionError("the parser announces a part before its content")
            elif event:
                await self.part.write(event)
            else:
                await self._finish(self.part)
        if not self.parts:
            self.preamble_bytes += size_bytes
            if self.preamble_bytes > MAX_PREAMBLE_BYTES:
                raise RefusedRequestError("multipart_malformed", told("the boundary does not begin the body"))

    async def close(self) -> None:
        if self.part and self.part.file:
            await asyncio.to_thread(self.part.file.close)

    async def _begin(self, segment: MultipartSegment) -> "_Part":
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise RefusedRequestError("too_many_fields", told("a form may have at most {most} parts", most=MAX_PARTS))
        name = segment.name or ""
        part = _Part(
            name=name,
            sent_names=_sent_names(segment),
            declared_type=segment.content_type or "",
            limit_bytes=MAX_FIELD_BYTES,
        )
        if name in self.shape.files and part.sent_names:
            part.limit_bytes = self.shape.files[name]
            part.path = self.folder / f"part-{self.parts}"
            part.file = await asyncio.to_thread(part.path.open, "xb")
        return part

    async def _finish(self, part: "_Part") -> None:
        self.part = None
        await part.finish()
        if part.name in self.shape.files:
            self._keep_file(part)
        elif part.name not in self.shape.texts:
            hint = told("Known are {fields}.", fields=", ".join(self._known))
            self._refuse(part, "field_unknown", told("there is no such field"), hint=hint)
        elif part.name in self.texts:
            self._refuse(part, "too_many_values", told("the field came twice"), hint=told("Send it once."))
        else:
            self.texts[part.name] = bytes(part.buffer)

    def _keep_file(self, part: "_Part") -> None:
        if part.is_unfilled:
            return
        if part.name in self.files:
            hint = told("Send one file in this field.")
            self._refuse(part, "too_many_files", told("more than one file came"), hint=hint)
            return
        try:
            name = part.display_name()
        except InvalidTextError as error:
            hint = told("Give the file a plain name and send it again.")
            self._refuse(part, "filename_invalid", error.message, hint=hint)
            return
        is_of_another = _TYPES_OF_OTHER_FILES.fullmatch(part.declared_type)
        if is_of_another and part.declared_type not in self.shape.also_declared:
            message = told(
                "the file was sent as {media_type!r}, which no file of this field is",
                media_type=part.declared_type[:64],
            )
            hint = told("Send the right file, or no Content-Type in its part.")
            self._refuse(part, "type_mismatch", message, hint=hint)
            return
        if part.path is None:
            raise AssertionError("a part with a file name is spooled")
        self.files[part.name] = SpooledFile(name=name, path=part.path, size_bytes=part.size_bytes)

    def _refuse(self, part: "_Part", code: str, message: Told, *, hint: Told) -> None:
        self.problems.append(FieldProblem(field=part.name, code=code, message=message, hint=hint))

    @property
    def _known(self) -> list[str]:
        return sorted({*self.shape.texts, *self.shape.files})


@dataclass(slots=True, kw_only=True)
class _Part:
    """A part on its way: content is collected in `buffer` and, where it is a file, written in large pieces."""

    name: str
    sent_names: tuple[str, ...]
    declared_type: str
    limit_bytes: int
    path: Path | None = None
    file: BufferedWriter | None = None
    buffer: bytearray = field(default_factory=bytearray)
    size_bytes: int = 0

    @property
    def is_unfilled(self) -> bool:
        """Browsers send a file field that was left empty as a part without name and content."""
        return not self.size_bytes and not any(self.sent_names)

    async def write(self, piece: bytes) -> None:
        self.size_bytes += len(piece)
        if self.size_bytes > self.limit_bytes:
            code = "too_large" if self.file else "field_too_large"
            detail = told("the field {field!r} may hold {most:,} bytes", field=self.name[:64], most=self.limit_bytes)
            raise RefusedRequestError(code, detail)
        self.buffer += piece
        if self.file and len(self.buffer) >= _WRITE_BYTES:
            await self._flush(self.file)

    async def finish(self) -> None:
        if self.file:
            await self._flush(self.file)
            await asyncio.to_thread(self.file.close)

    def display_name(self) -> str:
        names = {display_name(name) for name in self.sent_names}
        if not names:
            raise InvalidTextError(told("the file has no name"))
        if len(names) > 1:
            raise InvalidTextError(told("filename and filename* name two different files"))
        return names.pop()

    async def _flush(self, file: BufferedWriter) -> None:
        await asyncio.to_thread(file.write, self.buffer)
        self.buffer = bytearray()


def _sent_names(segment: MultipartSegment) -> tuple[str, ...]:
    """The names in `filename` and `filename*` (which must agree); an undecodable one is no name."""
    names = [] if segment.filename is None else [segment.filename]
    if extended := _EXTENDED_NAME.search(segment.header("Content-Disposition", "")):
        is_utf8 = extended["charset"].lower() == "utf-8"
        names.append(unquote(extended["value"], "utf-8", "replace") if is_utf8 else _NO_NAME)
    return tuple(names)
