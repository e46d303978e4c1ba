"""From a checked upload to what is recorded of it: a program, its documents, and the events that follow."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from pathlib import PurePath

from domain.attachments.registry import ATTACHMENTS
from domain.document import Document, DocumentRef, DocumentState, DocumentType
from domain.events import RUNGS_PER_EVENT, DocumentsRegistered, batched
from domain.ports.blob_store import StoredBlob
from domain.program import Program, ProgramDetails, Registration
from domain.template import Logic, Template
from domain.upload import InspectedUpload, LadderMember, SpooledFile, Upload

FIRST_REVISION = 1
_STORED_AS = {
    DocumentType.LADDER_ZIP: "zip/ladder",
    DocumentType.TEMPLATE: "template/template",
    DocumentType.COMMENT_CSV: "comment/comment",
    **{kind: f"attachments/{kind.lower()}" for kind in ATTACHMENTS},
}
UPLOADED_TYPES = frozenset(_STORED_AS)
"""The documents that are uploaded as files of their own."""

PROGRAMS = "programs"
"""The folder of everything that the blob store keeps for programs."""


def program_prefix(pgm_id: str) -> str:
    """The folder of everything that the blob store keeps for a program."""
    return f"{PROGRAMS}/{pgm_id}"


def revision_prefix(pgm_id: str, revision: int) -> str:
    """The folder of one revision's blobs."""
    return f"{program_prefix(pgm_id)}/r{revision}"


def revision_of(document: DocumentRef) -> int:
    """The revision that a document belongs to, as its id says: that of one that is purged is asked for too."""
    return int(document.document_id.rsplit("-", 2)[1].removeprefix("r"))


def pgm_id_of(key: str) -> str:
    """Of which program a key below its prefix would be; '' for any other key."""
    folder, *names = key.split("/")
    return names[0] if folder == PROGRAMS and names else ""


def prefix_of(key: str) -> str:
    """The prefix that a key would have if it were one of a revision's blobs; '' for any other key."""
    match key.split("/"):
        case [folder, pgm_id, revision, _, *_] if folder == PROGRAMS:
            return f"{PROGRAMS}/{pgm_id}/{revision}"
    return ""


def uploaded_files(upload: Upload, prefix: str) -> Mapping[DocumentType, tuple[SpooledFile, str]]:
    """Each file of an upload by its type, with the key under which it is stored.

    Keys use fixed names: what a sender calls a file is for people, not for paths.
    """
    return {
        kind: (file, f"{prefix}/{_STORED_AS[kind]}{PurePath(file.name).suffix.lower()}")
        for kind, file in upload.by_type.items()
    }


def own_blob_key(document: Document) -> str:
    """The key of a ladder CSV as an object of its own."""
    return f"{revision_prefix(document.pgm_id, document.revision)}/ladder_files/{document.logic_id}.csv"


def register(
    pgm_id: str,
    details: ProgramDetails,
    inspected: InspectedUpload,
    stored: Mapping[DocumentType, tuple[SpooledFile, StoredBlob]],
    *,
    now: datetime,
    indexed_types: AbstractSet[DocumentType],
    revision: int = FIRST_REVISION,
) -> Registration:
    """Put together what one transaction records. Documents whose type is not indexed are skipped from the start."""
    program = Program(pgm_id=pgm_id, details=details, revision=revision, create_dt=now, update_dt=now)
    registrar = _Registrar(program, stored, indexed_types)
    documents = (*registrar.uploaded_documents(), *registrar.ladder_documents(inspected))
    return Registration(program=program, documents=documents, template=inspected.template, comments=inspected.comments)


def indexing_events(registration: Registration) -> tuple[DocumentsRegistered, ...]:
    """The events that get every document of a registration indexed."""
    pending = [document for document in registration.documents if document.state is DocumentState.PENDING]
    return events_for(
        [(document.ref, document) for document in pending],
        pgm_id=registration.program.pgm_id,
        template=registration.template,
    )


def events_for(
    documents: Iterable[tuple[DocumentRef, Document]], *, pgm_id: str, template: Template
) -> tuple[DocumentsRegistered, ...]:
    """The events that get these documents indexed at these references, each as large as one worker does in seconds."""
    rows_of_template = len(template.logics)
    sized = [(ref, _size(document, rows_of_template)) for ref, document in documents]
    return tuple(batched(sized, pgm_id=pgm_id))


def _size(document: Document, rows_of_template: int) -> int:
    """How many chunks it may have. How long a further document is nobody has noted: it stands alone."""
    if document.document_type is DocumentType.FURTHER:
        return RUNGS_PER_EVENT
    return document.ladder.rung_count if document.ladder else rows_of_template


class _Registrar:
    """Numbers the documents of one revision: the uploaded files first, then the ladders in template order."""

    def __init__(
        self,
        program: Program,
        stored: Mapping[DocumentType, tuple[SpooledFile, StoredBlob]],
        indexed_types: AbstractSet[DocumentType],
    ) -> None:
        self._program = program
        self._stored = stored
        self._indexed_types = indexed_types

    def uploaded_documents(self) -> Iterator[Document]:
        for ordinal, (kind, (file, blob)) in enumerate(self._stored.items()):
            yield Document(
                document_id=self._document_id(ordinal),
                pgm_id=self._program.pgm_id,
                revision=self._program.revision,
                ordinal=ordinal,
                document_type=kind,
                document_name=file.name,
                blob_key=blob.key,
                member=None,
                size_bytes=blob.size_bytes,
                sha256=blob.sha256,
                create_dt=self._program.create_dt,
                state=self._first_state(kind),
            )

    def ladder_documents(self, inspected: InspectedUpload) -> Iterator[Document]:
        by_logic = {member.logic_id: member for member in inspected.ladders}
        for ordinal, logic in enumerate(inspected.template.logics, start=len(self._stored)):
            yield self._ladder_document(ordinal, logic, by_logic[logic.logic_id])

    def _ladder_document(self, ordinal: int, logic: Logic, member: LadderMember) -> Document:
        _, archive = self._stored[DocumentType.LADDER_ZIP]
        return Document(
            document_id=self._document_id(ordinal),
            pgm_id=self._program.pgm_id,
            revision=self._program.revision,
            ordinal=ordinal,
            document_type=DocumentType.LADDER_CSV,
            document_name=member.document_name,
            blob_key=archive.key,
            member=member.member,
            size_bytes=member.size_bytes,
            sha256=member.sha256,
            create_dt=self._program.create_dt,
            state=self._first_state(DocumentType.LADDER_CSV),
            logic_id=logic.logic_id,
            logic_name=logic.logic_name,
            folder_id=logic.folder_id,
            folder_name=logic.folder_name,
            sub_folder_name=logic.sub_folder_name,
            ladder=member.facts,
        )

    def _document_id(self, ordinal: int) -> str:
        return f"{self._program.pgm_id}-r{self._program.revision}-{ordinal:04d}"

    def _first_state(self, kind: DocumentType) -> DocumentState:
        return DocumentState.PENDING if kind in self._indexed_types else DocumentState.SKIPPED
