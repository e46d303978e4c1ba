"""From a multipart request to the upload and the details that a use case takes, on disk for just as long."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from application.spool import scratch_folder
from application.validate_upload import ValidateUpload
from domain.attachments.registry import ATTACHMENTS
from domain.caller import Caller
from domain.errors import UnavailableError
from domain.program import ProgramDetails
from domain.told import told
from domain.upload import MEBIBYTE, SpooledFile, Upload, UploadLimits
from entrypoints.api.multipart_form import FormShape, ReceivedForm, receive_form
from entrypoints.api.refusals import FieldProblem, InvalidFieldsError, RefusedRequestError
from entrypoints.api.request_body import ApiRequest, body_pieces
from entrypoints.api.texts import MAX_CHARACTERS, TEXTS_WITH_LINES, InvalidTextError, plain_text


@dataclass(frozen=True, slots=True, kw_only=True)
class FormTexts:
    """The text fields that a form may have, and those that must not be blank. `is_recorded`: more than a dry run."""

    names: frozenset[str]
    required: tuple[str, ...] = ()
    is_recorded: bool = True


ZIP_FIELD = "pgm_ladder_zip_file"
TEMPLATE_FIELD = "pgm_template_file"
COMMENT_FIELD = "pgm_comment_file"
USER_FIELD = "create_user"
FILE_FIELDS = frozenset({ZIP_FIELD, TEMPLATE_FIELD, COMMENT_FIELD, *(one.field for one in ATTACHMENTS.values())})

REGISTRATION = FormTexts(names=frozenset(MAX_CHARACTERS), required=("pgm_name", "create_user"))
# What its registration said of a program stays: its files alone are replaced.
REPLACEMENT = FormTexts(names=frozenset({"create_user"}), required=("create_user",))
DRY_RUN = FormTexts(names=frozenset(MAX_CHARACTERS), is_recorded=False)
_OVERHEAD_BYTES = MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedUpload:
    """An upload on disk, and what its owner says about the program, with whatever cannot be used of that."""

    upload: Upload
    details: ProgramDetails
    problems: tuple[FieldProblem, ...] = ()

    async def require_usable(self, validate_upload: ValidateUpload) -> None:
        """Raise InvalidFieldsError, with what is wrong inside the files as well, if any field cannot be used."""
        if self.problems:
            inspected = await validate_upload(self.upload)
            raise InvalidFieldsError(self.problems, inspected.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadReception:
    """`scratch` is a folder on a real disk. `require_record` raises where nothing can be recorded now."""

    scratch: Path
    limits: UploadLimits
    require_record: Callable[[], Awaitable[None]]

    @property
    def body_limit_bytes(self) -> int:
        """What a whole request may hold."""
        return sum(self._limits_bytes().values()) + _OVERHEAD_BYTES

    @asynccontextmanager
    async def receive(self, request: ApiRequest, *, form: FormTexts) -> AsyncIterator[ReceivedUpload]:
        """The upload, on disk for the block. Raises RefusedRequestError; InvalidFieldsError without its files.

        Raises UnavailableError, nothing read yet, where it could not be recorded.
        """
        content_type, options = request.content_type
        if content_type != "multipart/form-data":
            raise RefusedRequestError("media_type_unsupported", told("an upload is sent as multipart/form-data"))
        if form.is_recorded:
            await self.require_record()  # not after a hundred megabytes have come for nothing
        async with scratch_folder(self.scratch) as folder:
            pieces = body_pieces(request, limit_bytes=self.body_limit_bytes)
            with translated_disk_errors():
                received = await receive_form(pieces, options.get("boundary"), shape=self._shape(form), folder=folder)
            yield _checked(received, form, request.user)

    def _shape(self, form: FormTexts) -> FormShape:
        return FormShape(texts=form.names, files=self._limits_bytes())

    def _limits_bytes(self) -> dict[str, int]:
        return {
            ZIP_FIELD: self.limits.zip_bytes,
            TEMPLATE_FIELD: self.limits.template_bytes,
            COMMENT_FIELD: self.limits.comment_bytes,
            **{one.field: one.largest_bytes for one in ATTACHMENTS.values()},
        }


@contextmanager
def translated_disk_errors() -> Iterator[None]:
    """The scratch disk's errors as UnavailableError."""
    try:
        yield
    except OSError as error:
        raise UnavailableError("scratch disk", error.strerror or type(error).__name__) from error


def _checked(form: ReceivedForm, expected: FormTexts, caller: Caller) -> ReceivedUpload:
    problems = list(form.problems)
    required = set(expected.required) - ({USER_FIELD} if caller.name else set())
    texts = {
        name: text_of(name, form, problems, most=most, lines=name in TEXTS_WITH_LINES, is_required=name in required)
        for name, most in MAX_CHARACTERS.items()
    }
    if caller.name:
        texts[USER_FIELD] = _of_caller(caller, texts[USER_FIELD], problems)
    ladder_zip = file_of(ZIP_FIELD, form, problems)
    template = file_of(TEMPLATE_FIELD, form, problems)
    comments = file_of(COMMENT_FIELD, form, problems) if COMMENT_FIELD in form.files else None
    attachments = {
        kind: file
        for kind, one in ATTACHMENTS.items()
        if one.field in form.files and (file := file_of(one.field, form, problems)) is not None
    }
    if ladder_zip is None or template is None or any(problem.field in FILE_FIELDS for problem in problems):
        raise InvalidFieldsError(tuple(problems))
    return ReceivedUpload(
        upload=Upload(ladder_zip=ladder_zip, template=template, comments=comments, attachments=attachments),
        details=ProgramDetails(**texts),
        problems=tuple(problems),
    )


def text_of(
    name: str,
    form: ReceivedForm,
    problems: list[FieldProblem],
    *,
    most: int,
    lines: bool = False,
    is_required: bool = False,
) -> str:
    """A text of a form, blank where none came; what is wrong with it is added to the problems."""
    try:
        text = plain_text(form.texts.get(name, b"").decode(), lines=lines)
    except UnicodeDecodeError:
        message, hint = told("it is not UTF-8"), told("Send UTF-8.")
        problems.append(FieldProblem(field=name, code="text_invalid", message=message, hint=hint))
        return ""
    except InvalidTextError as error:
        hint = told("Take it out.")
        problems.append(FieldProblem(field=name, code="text_invalid", message=error.message, hint=hint))
        return ""
    if len(text) > most:
        message = told("it has {count:,} characters; {most:,} are the most", count=len(text), most=most)
        hint = told("Shorten it.")
        problems.append(FieldProblem(field=name, code="field_too_long", message=message, hint=hint))
    if is_required and not text:
        message, hint = told("it is blank"), told("Send {field}.", field=name)
        problems.append(FieldProblem(field=name, code="field_blank", message=message, hint=hint))
    return text


def _of_caller(caller: Caller, said: str, problems: list[FieldProblem]) -> str:
    """Who asked is known: a form that says another is a mistake that must not be recorded, nor silently corrected."""
    if said not in {"", caller.name}:
        message = told("the key or the token is that of {name}", name=caller.name)
        hint = told("Leave {field} out.", field=USER_FIELD)
        problems.append(FieldProblem(field=USER_FIELD, code="create_user_mismatch", message=message, hint=hint))
    return caller.name


def file_of(name: str, form: ReceivedForm, problems: list[FieldProblem]) -> SpooledFile | None:
    """A file of a form, if one came; that none did, or an empty one, is added to the problems."""
    file = form.files.get(name)
    if file is None:
        if all(problem.field != name for problem in form.problems):
            message, hint = told("no file came"), told("Send {field} as a file.", field=name)
            problems.append(FieldProblem(field=name, code="file_missing", message=message, hint=hint))
    elif not file.size_bytes:
        message, hint = told("the file is empty"), told("Export it again.")
        problems.append(FieldProblem(field=name, code="file_empty", message=message, hint=hint, file=file.name))
    return file
