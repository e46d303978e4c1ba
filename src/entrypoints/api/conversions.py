"""From the domain's values to the wire's structs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from application.register_program import Registered
from application.search_rungs import SearchAnswer
from domain.document import Document, DocumentState, Failure
from domain.findings import Finding, errors_among, in_reading_order
from domain.ports.catalogue import DocumentTotals, OldestWaiting, Page, ProgramView, Statistics
from domain.program import IndexingProgress, ProgramStatus
from domain.registration import own_blob_key
from domain.search import FoundChunk, Lane, SearchHit, SearchMode
from domain.template import Folder, Template
from domain.upload import InspectedUpload, LadderMember
from entrypoints.api import schemas
from entrypoints.api.languages import Language, failure_title, in_language

LEXICAL_LANE_IS_OFF = "The lexical lane is off on this index: devices and words are found by their meaning alone."


def indexing_href(pgm_id: str) -> str:
    """Where the progress of a program's indexing is told."""
    return f"/v1/programs/{pgm_id}/indexing"


def finding_body(finding: Finding, language: Language) -> schemas.FindingBody:
    """One finding of an upload, in words of that language."""
    return schemas.FindingBody(
        section=finding.section,
        code=finding.code,
        file=finding.file,
        row=finding.row,
        message=in_language(finding.message, language),
        hint=in_language(finding.hint, language),
        severity=finding.severity,
    )


def finding_bodies(findings: tuple[Finding, ...], language: Language) -> tuple[schemas.FindingBody, ...]:
    """All findings in the order in which people read them."""
    return tuple(finding_body(finding, language) for finding in in_reading_order(findings))


def document_body(document: Document) -> schemas.DocumentBody:
    """One document."""
    facts = document.ladder
    return schemas.DocumentBody(
        document_id=document.document_id,
        pgm_id=document.pgm_id,
        document_type=document.document_type,
        document_name=document.document_name,
        logic_id=document.logic_id,
        logic_name=document.logic_name,
        folder_id=document.folder_id,
        folder_name=document.folder_name,
        sub_folder_name=document.sub_folder_name,
        state=document.state,
        encoding=facts.encoding if facts else None,
        delimiter=facts.delimiter if facts else None,
        tool=facts.tool if facts else None,
        cpu=facts.cpu if facts else None,
        row_count=facts.row_count if facts else None,
        rung_count=facts.rung_count if facts else None,
        chunk_count=document.chunk_count,
        size_bytes=document.size_bytes,
        sha256=document.sha256,
        upload_path=document.blob_key if document.member is None else own_blob_key(document),
        href=f"/v1/documents/{document.document_id}",
        create_dt=document.create_dt,
        indexed_dt=document.indexed_dt,
        failure=_failure_body(document.failure),
        title=document.title,
        description=document.description,
    )


def document_page(page: Page[Document]) -> schemas.DocumentPage:
    """A page of documents."""
    return schemas.DocumentPage(items=tuple(map(document_body, page.items)), next=page.next_cursor)


def program_body(view: ProgramView) -> schemas.ProgramBody:
    """One program."""
    return schemas.ProgramBody(**_about(view))


def deduplicated_body(view: ProgramView) -> schemas.DeduplicatedBody:
    """A program whose latest revision has just these files already."""
    return schemas.DeduplicatedBody(**_about(view))


def _about(view: ProgramView) -> dict[str, Any]:
    program, details = view.program, view.program.details
    return {
        "pgm_id": program.pgm_id,
        "pgm_name": details.pgm_name,
        "pgm_version": details.pgm_version,
        "description": details.description,
        "notes": details.notes,
        "create_user": details.create_user,
        "revision": program.revision,
        "create_dt": program.create_dt,
        "update_dt": program.update_dt,
        "document_count": view.progress.total,
        "indexing": schemas.IndexingLink(status=view.progress.status, href=indexing_href(program.pgm_id)),
        "pending": _pending_body(view),
    }


def _pending_body(view: ProgramView) -> schemas.PendingRevisionBody | None:
    if view.pending is None:
        return None
    progress = view.pending.progress
    return schemas.PendingRevisionBody(
        revision=view.pending.revision,
        document_count=progress.total,
        indexing=schemas.IndexingLink(status=progress.status, href=indexing_href(view.program.pgm_id)),
    )


def program_page(page: Page[ProgramView], *, total: int | None = None) -> schemas.ProgramPage:
    """A page of programs, and how many there are on all pages, where that was counted."""
    return schemas.ProgramPage(items=tuple(map(program_body, page.items)), next=page.next_cursor, total=total)


def registered_body(
    registered: Registered,
    documents: Sequence[Document],
    *,
    processing: Literal["background", "inline"],
    language: Language,
) -> schemas.RegisteredBody:
    """An accepted upload, with its documents as they are now."""
    program, details = registered.registration.program, registered.registration.program.details
    return schemas.RegisteredBody(
        pgm_id=program.pgm_id,
        pgm_name=details.pgm_name,
        pgm_version=details.pgm_version,
        description=details.description,
        notes=details.notes,
        create_user=details.create_user,
        revision=program.revision,
        create_dt=program.create_dt,
        update_dt=program.update_dt,
        document_count=len(documents),
        indexing=schemas.IndexingLink(status=_status(documents), href=indexing_href(program.pgm_id)),
        pending=None,
        documents=tuple(map(document_body, documents)),
        report=_registered_report(registered, language),
        milvus_processing=processing,
    )


def validation_body(inspected: InspectedUpload, language: Language) -> schemas.ValidationBody:
    """The report of a dry run."""
    return schemas.ValidationBody(
        valid=inspected.is_valid,
        logic_count=len(inspected.template.logics),
        ladder_count=len(inspected.ladders),
        comment_count=len(inspected.comments.by_device),
        findings=finding_bodies(inspected.findings, language),
        ladders=tuple(map(_ladder_body, inspected.ladders)),
    )


def statistics_body(statistics: Statistics) -> schemas.StatisticsBody:
    """What there is; every status and every state is named, those of which there is nothing too."""
    by_state = {state: statistics.documents.get(state, DocumentTotals()) for state in DocumentState}
    return schemas.StatisticsBody(
        as_of_dt=statistics.as_of,
        programs={status: statistics.programs.get(status, 0) for status in ProgramStatus},
        documents={state: _totals_body(totals) for state, totals in by_state.items()},
        total_programs=sum(statistics.programs.values()),
        total=_totals_body(
            DocumentTotals(
                documents=sum(totals.documents for totals in by_state.values()),
                chunks=sum(totals.chunks for totals in by_state.values()),
                size_bytes=sum(totals.size_bytes for totals in by_state.values()),
            )
        ),
        oldest=_oldest_body(statistics.oldest, statistics.as_of) if statistics.oldest else None,
    )


def _oldest_body(oldest: OldestWaiting, now: datetime) -> schemas.OldestWaitingBody:
    return schemas.OldestWaitingBody(
        pgm_id=oldest.pgm_id,
        document_id=oldest.document_id,
        # A document's registration is by the service's clock, which may be ahead of the database's.
        age_s=round(max(0.0, (now - oldest.since).total_seconds()), 1),
    )


def _totals_body(totals: DocumentTotals) -> schemas.DocumentTotalsBody:
    return schemas.DocumentTotalsBody(documents=totals.documents, chunks=totals.chunks, size_bytes=totals.size_bytes)


def template_body(pgm_id: str, template: Template) -> schemas.TemplateBody:
    """The tree of a template."""
    return schemas.TemplateBody(
        pgm_id=pgm_id, logic_count=len(template.logics), folders=tuple(map(_folder_body, template.tree()))
    )


def indexing_body(view: ProgramView, failed: Iterable[Document], language: Language) -> schemas.IndexingBody:
    """The progress of the latest revision; every state is named, those without documents too."""
    progress = view.latest.progress
    return schemas.IndexingBody(
        pgm_id=view.program.pgm_id,
        revision=view.latest.revision,
        answering=view.program.revision,
        status=progress.status,
        counts={state: progress.counts.get(state, 0) for state in DocumentState},
        total=progress.total,
        done=progress.done,
        errors=tuple(
            schemas.IndexingErrorBody(
                document_id=document.document_id,
                document_name=document.document_name,
                code=document.failure.code,
                title=failure_title(document.failure.code, language),
                message=document.failure.message,
            )
            for document in failed
            if document.failure
        ),
    )


def search_body(answer: SearchAnswer, mode: SearchMode, took_ms: float) -> schemas.SearchBody:
    """The answer to a search."""
    lexical_is_missing = mode is SearchMode.HYBRID and Lane.LEXICAL not in answer.lanes
    return schemas.SearchBody(
        hits=tuple(map(_hit_body, answer.hits)),
        took_ms=round(took_ms, 1),
        lanes=answer.lanes,
        index=schemas.IndexBody(
            model=answer.index.model.name,
            dimension=answer.index.model.dimension,
            rendering_version=answer.index.rendering_version,
        ),
        notices=(LEXICAL_LANE_IS_OFF,) if lexical_is_missing else (),
    )


def _failure_body(failure: Failure | None) -> schemas.FailureBody | None:
    return schemas.FailureBody(code=failure.code, message=failure.message) if failure else None


def _status(documents: Sequence[Document]) -> ProgramStatus:
    return IndexingProgress(counts=Counter(document.state for document in documents)).status


def _registered_report(registered: Registered, language: Language) -> schemas.ReportBody:
    registration = registered.registration
    return schemas.ReportBody(
        valid=not errors_among(registered.findings),
        logic_count=len(registration.template.logics),
        ladder_count=sum(document.ladder is not None for document in registration.documents),
        comment_count=len(registration.comments.by_device),
        findings=finding_bodies(registered.findings, language),
    )


def _ladder_body(member: LadderMember) -> schemas.LadderBody:
    facts = member.facts
    return schemas.LadderBody(
        document_name=member.document_name,
        logic_id=member.logic_id,
        encoding=facts.encoding,
        delimiter=facts.delimiter,
        tool=facts.tool,
        cpu=facts.cpu,
        row_count=facts.row_count,
        rung_count=facts.rung_count,
        size_bytes=member.size_bytes,
        sha256=member.sha256,
    )


def _folder_body(folder: Folder) -> schemas.FolderBody:
    return schemas.FolderBody(
        folder_id=folder.folder_id,
        folder_name=folder.folder_name,
        sub_folders=tuple(
            schemas.SubFolderBody(
                sub_folder_name=sub_folder.sub_folder_name,
                logics=tuple(
                    schemas.LogicBody(logic_id=logic.logic_id, logic_name=logic.logic_name, row=logic.row)
                    for logic in sub_folder.logics
                ),
            )
            for sub_folder in folder.sub_folders
        ),
    )


def rung_fields(chunk: FoundChunk) -> dict[str, Any]:
    """What is told of a rung wherever one is told."""
    place = chunk.place
    return {
        "rung_id": chunk.chunk_id,
        "pgm_id": chunk.pgm_id,
        "document_id": chunk.document_id,
        "document_name": chunk.document_name,
        "document_type": chunk.document_type,
        "logic_id": place.logic_id,
        "logic_name": place.logic_name,
        "folder_id": place.folder_id,
        "folder_name": place.folder_name,
        "sub_folder_name": place.sub_folder_name,
        "first_step": chunk.first_step,
        "last_step": chunk.last_step,
        "title": chunk.title,
        "ladder": chunk.ladder,
        "devices": tuple(schemas.DeviceBody(device=use.device, comment=use.comment) for use in chunk.devices),
    }


def _hit_body(hit: SearchHit) -> schemas.HitBody:
    return schemas.HitBody(
        **rung_fields(hit.chunk),
        score=hit.score,
        lanes=hit.lanes,
    )
