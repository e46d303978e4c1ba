"""The wire format: what the API reads and answers. These structs stop at the edge."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from application.check_readiness import WaitsBecause
from application.delete_programs import Deletion
from application.search_rungs import MAX_QUERY_CHARACTERS
from domain.document import DocumentState, DocumentType
from domain.findings import Severity
from domain.indexing_standing import IndexingState
from domain.program import ProgramStatus
from domain.search import Lane, SearchMode
from entrypoints.api import texts
from entrypoints.api.texts import MAX_CHARACTERS

MAX_HITS = 100
MAX_DELETED = 100
PGM_ID_PATTERN = r"^PGM_[0-9]{1,18}$"
MAX_PAGE = 200

_NO_NULL = r"^[^\u0000]*$"
Identifier = Annotated[str, Meta(min_length=1, max_length=255, pattern=_NO_NULL)]


class FindingBody(Struct, kw_only=True, frozen=True):
    """One problem: its section, the form or JSON field or the file and row that it is about, and the remedy."""

    section: str
    code: str
    message: str
    hint: str
    severity: Severity
    field: str | None = None
    file: str | None = None
    row: int | None = None


class ProblemBody(Struct, kw_only=True, frozen=True):
    """A problem as RFC 9457 describes it; `code` is stable, `findings` names every field, file and row."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    findings: tuple[FindingBody, ...] = ()


class FailureBody(Struct, kw_only=True, frozen=True):
    """Why a document could not be indexed."""

    code: str
    message: str


class DocumentBody(Struct, kw_only=True, frozen=True):
    """A document. The columns about the listing are null where the document is no ladder CSV.

    `upload_path` is the key of the document's own object in the blob store; a ladder CSV stands there from
    the moment it is indexed, until then its bytes are served from the archive. `title` and `description` are what the
    sender of a further document said of it.
    """

    document_id: str
    pgm_id: str
    document_type: DocumentType
    document_name: str
    logic_id: str
    logic_name: str
    folder_id: str
    folder_name: str
    sub_folder_name: str
    state: DocumentState
    encoding: str | None
    delimiter: str | None
    tool: str | None
    cpu: str | None
    row_count: int | None
    rung_count: int | None
    chunk_count: int
    size_bytes: int
    sha256: str
    upload_path: str
    href: str
    create_dt: datetime
    indexed_dt: datetime | None
    failure: FailureBody | None
    title: str
    description: str


class IndexingLink(Struct, kw_only=True, frozen=True):
    """How far indexing is, and where to ask again."""

    status: ProgramStatus
    href: str


class ReportBody(Struct, kw_only=True, frozen=True):
    """What reading the files brought to light; notices included."""

    valid: bool
    logic_count: int
    ladder_count: int
    comment_count: int
    findings: tuple[FindingBody, ...]


class LadderBody(Struct, kw_only=True, frozen=True):
    """What the parser found out about one ladder CSV of a dry run."""

    document_name: str
    logic_id: str
    encoding: str
    delimiter: str
    tool: str
    cpu: str
    row_count: int
    rung_count: int
    size_bytes: int
    sha256: str


class ValidationBody(ReportBody, kw_only=True, frozen=True):
    """The answer to a dry run: the report, and what the parser found out about each ladder CSV."""

    ladders: tuple[LadderBody, ...]


class PendingRevisionBody(Struct, kw_only=True, frozen=True):
    """A newer revision, which takes the place of the one that answers once all of it is indexed."""

    revision: int
    document_count: int
    indexing: IndexingLink


class ProgramBody(Struct, kw_only=True, frozen=True):
    """A program: the revision that answers, how far its indexing is, and what is to take its place."""

    pgm_id: str
    pgm_name: str
    pgm_version: str
    description: str
    notes: str
    create_user: str
    revision: int
    create_dt: datetime
    update_dt: datetime
    document_count: int
    indexing: IndexingLink
    pending: PendingRevisionBody | None


class DeduplicatedBody(ProgramBody, kw_only=True, frozen=True):
    """The answer to files that the latest revision has already, byte for byte: nothing was stored."""

    deduplicated: Literal[True] = True


class RegisteredBody(ProgramBody, kw_only=True, frozen=True):
    """The answer to an accepted upload; `revision` is that of the upload."""

    deduplicated: Literal[False] = False
    documents: tuple[DocumentBody, ...]
    report: ReportBody
    milvus_processing: Literal["background", "inline"]


class ProgramPage(Struct, kw_only=True, frozen=True):
    """Programs; `next` is the cursor of the following page, null at the end. `total` is null unless asked for."""

    items: tuple[ProgramBody, ...]
    next: str | None
    total: int | None


class DocumentPage(Struct, kw_only=True, frozen=True):
    """The documents of a program; `next` is the cursor of the following page, null at the end."""

    items: tuple[DocumentBody, ...]
    next: str | None


class AmendRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is to be said of a program from now on; null, or left out, stays as it is."""

    pgm_name: (
        Annotated[
            str, Meta(min_length=1, max_length=MAX_CHARACTERS["pgm_name"], pattern=texts.LINE_THAT_SAYS_SOMETHING)
        ]
        | None
    ) = None
    pgm_version: Annotated[str, Meta(max_length=MAX_CHARACTERS["pgm_version"], pattern=texts.LINE)] | None = None
    description: Annotated[str, Meta(max_length=MAX_CHARACTERS["description"], pattern=texts.LINES)] | None = None
    notes: Annotated[str, Meta(max_length=MAX_CHARACTERS["notes"], pattern=texts.LINES)] | None = None


class DeleteProgramsRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The programs to delete."""

    pgm_ids: Annotated[
        tuple[Annotated[str, Meta(pattern=PGM_ID_PATTERN)], ...], Meta(min_length=1, max_length=MAX_DELETED)
    ]


class DeletionBody(Struct, kw_only=True, frozen=True):
    """What became of a program: deleted now, or absent, because it was deleted before or never was."""

    pgm_id: str
    result: Deletion


class DeletionsBody(Struct, kw_only=True, frozen=True):
    """What became of each program, in the order in which they were named."""

    items: tuple[DeletionBody, ...]
    deleted: int


class DocumentTotalsBody(Struct, kw_only=True, frozen=True):
    """How many documents there are in a state, into how many rungs they were cut, and how large they are together."""

    documents: int
    chunks: int
    size_bytes: int


class OldestWaitingBody(Struct, kw_only=True, frozen=True):
    """The document that waits longest to be indexed."""

    pgm_id: str
    document_id: str
    age_s: float


class StatisticsBody(Struct, kw_only=True, frozen=True):
    """What there is at one moment, deleted programs aside. Every status and every state is named.

    Programs count by the revision that answers; documents of a revision that waits to answer count as well.
    """

    as_of_dt: datetime
    programs: Mapping[ProgramStatus, int]
    documents: Mapping[DocumentState, DocumentTotalsBody]
    total_programs: int
    total: DocumentTotalsBody
    oldest: OldestWaitingBody | None


class LogicBody(Struct, kw_only=True, frozen=True):
    """One row of the template; `row` counts from 1."""

    logic_id: str
    logic_name: str
    row: int


class SubFolderBody(Struct, kw_only=True, frozen=True):
    """A sub folder and its logics."""

    sub_folder_name: str
    logics: tuple[LogicBody, ...]


class FolderBody(Struct, kw_only=True, frozen=True):
    """A folder and its sub folders."""

    folder_id: str
    folder_name: str
    sub_folders: tuple[SubFolderBody, ...]


class TemplateBody(Struct, kw_only=True, frozen=True):
    """The template as a tree, in the order of the sheet."""

    pgm_id: str
    logic_count: int
    folders: tuple[FolderBody, ...]


class IndexingErrorBody(Struct, kw_only=True, frozen=True):
    """A document that could not be indexed.

    `title` says what to do in the caller's language, `message` what was noted.
    """

    document_id: str
    document_name: str
    code: str
    title: str
    message: str


class IndexingBody(Struct, kw_only=True, frozen=True):
    """Progress of the latest revision: documents by state, how many need nothing more, and the first failures.

    `answering` is the revision that searches see, the same one unless the latest is still to take its place.
    """

    pgm_id: str
    revision: int
    answering: int
    status: ProgramStatus
    counts: Mapping[DocumentState, int]
    total: int
    done: int
    errors: tuple[IndexingErrorBody, ...]


class IndexingEventBody(Struct, kw_only=True, frozen=True):
    """What an event of an indexing says of the latest revision; `failed` of the `done` documents have failed."""

    pgm_id: str
    revision: int
    answering: int
    state: IndexingState
    total: int
    done: int
    failed: int


class SearchRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A device, a sentence in any language, or both."""

    query: Annotated[str, Meta(min_length=1, max_length=MAX_QUERY_CHARACTERS, pattern=_NO_NULL)]
    pgm_id: Identifier | None = None
    document_type: DocumentType | None = None
    folder_id: Identifier | None = None
    logic_id: Identifier | None = None
    mode: SearchMode = SearchMode.HYBRID
    limit: Annotated[int, Meta(ge=1, le=MAX_HITS)] = 10


class DeviceBody(Struct, kw_only=True, frozen=True):
    """A device that the rung names, with its comment."""

    device: str
    comment: str


class RungFields(Struct, kw_only=True, frozen=True):
    """A rung (or a row of a template, which has no steps and no ladder text).

    Of a further document it is a passage: `title` says where it stands (page, sheet and rows, heading), `ladder` is
    its text. `rung_id` names it until its document is indexed anew.
    """

    rung_id: str
    pgm_id: str
    document_id: str
    document_name: str
    document_type: DocumentType
    logic_id: str
    logic_name: str
    folder_id: str
    folder_name: str
    sub_folder_name: str
    first_step: int | None
    last_step: int | None
    title: str
    ladder: str
    devices: tuple[DeviceBody, ...]


class HitBody(RungFields, kw_only=True, frozen=True):
    """A rung, and what found it."""

    score: float
    lanes: tuple[Lane, ...]


class IndexBody(Struct, kw_only=True, frozen=True):
    """The index that answered: it changes while a change of the embedding model is rolled out."""

    model: str
    dimension: int
    rendering_version: int


class SearchBody(Struct, kw_only=True, frozen=True):
    """The best hits, best first, and the lanes that were searched for them."""

    hits: tuple[HitBody, ...]
    took_ms: float
    lanes: tuple[Lane, ...]
    index: IndexBody
    notices: tuple[str, ...]


class HealthBody(Struct, kw_only=True, frozen=True):
    """The process answers."""

    status: Literal["ok"] = "ok"


class WaitingBody(Struct, kw_only=True, frozen=True):
    """A dependency that is not ready, and in one word why."""

    dependency: str
    reason: WaitsBecause


class NoticeBody(Struct, kw_only=True, frozen=True):
    """A dependency that is ready, but not for everything."""

    dependency: str


class ReadinessBody(Struct, kw_only=True, frozen=True):
    """Whether an upload would be accepted and searched, or the part that was asked for; if not, what is missing."""

    status: Literal["ready", "waiting"]
    waiting_for: tuple[WaitingBody, ...] = ()
    notices: tuple[NoticeBody, ...] = ()


class VersionBody(Struct, kw_only=True, frozen=True):
    """What runs here. `migration` is the schema that it needs."""

    name: str
    version: str
    commit: str | None
    migration: str
