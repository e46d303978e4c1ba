"""What must be true of the service once things are quiet, told by what its clients know: programs, files, documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from adapters.plc_files.further_passages import read_passages
from builders.uploads import CONVEYOR, DOOR, ladder_csv
from domain.chunk import Chunk, chunk_id
from domain.chunking import template_chunks
from domain.document import Document, DocumentState, DocumentType
from domain.document_chunks import document_chunks
from domain.further.further_document import PROGRAM_ITSELF
from domain.further.passages import passage_chunks
from domain.registration import revision_prefix
from domain.upload import InspectedUpload, UploadLimits
from fakes.registry import Tables

Files = Mapping[str, str]
"""Logic id -> the name of its ladder."""

LADDERS: Mapping[str, str] = {
    "conveyor": CONVEYOR,
    "door": DOOR,
    "pump": "0,[Title]펌프 기동,,,,,\n8,,LD,X0,,,\n9,,OUT,Y7,,,\n10,,LD,X1,,,\n11,,OUT,M10,,,\n12,,END,,,,\n",
}
NOTES: Mapping[str, str] = {
    "short": "# Restart\n\nPress X0 after the alarm.\n",
    "long": "# Pump\n\nX0 stops it.\n\n## Chiller\n\nIt holds 22 degrees.\n\n## Door\n\nX1 must be closed.\n",
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The files of a revision, and what is found in them."""

    files: Files
    inspected: InspectedUpload

    def chunks(self, document: Document) -> tuple[Chunk, ...]:
        """What the parser makes of one of its documents."""
        if document.document_type is DocumentType.TEMPLATE:
            return self._of_template
        return document_chunks(ladder_csv(LADDERS[self.files[document.logic_id]]), document, self.inspected.comments)

    @cached_property
    def _of_template(self) -> tuple[Chunk, ...]:
        return template_chunks(self.inspected.template)


@dataclass(slots=True, kw_only=True)
class KnownProgram:
    """A program as its owner knows it: what was sent for each revision, the further documents by their ids."""

    revisions: dict[int, Sent] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    is_deleted: bool = False

    @property
    def latest(self) -> int:
        """The revision that answers once all of it is indexed."""
        return max(self.revisions)


@dataclass(slots=True, kw_only=True)
class Model:
    """All that was accepted, and what was deleted or removed since: `gone` are ids of documents."""

    programs: dict[str, KnownProgram] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    @property
    def live(self) -> dict[str, KnownProgram]:
        """What was not deleted."""
        return {pgm_id: program for pgm_id, program in self.programs.items() if not program.is_deleted}

    def misrecorded(self, tables: Tables, *, all_indexed: bool) -> Iterator[str]:
        """What the record says that is not so. Where not `all_indexed`, documents may have failed."""
        for pgm_id, program in self.live.items():
            stored = tables.live(pgm_id)
            if stored is None:
                yield f"{pgm_id} was accepted and is gone"
                continue
            answering = stored.program.revision
            if answering not in program.revisions or (all_indexed and answering != program.latest):
                yield f"{pgm_id} answers with revision {answering}, and {program.latest} was accepted"
            documents = [each for each in tables.documents.values() if each.pgm_id == pgm_id]
            yield from _misnamed(documents, program, answering)
            for each in documents:
                is_done = each.state is DocumentState.INDEXED or each.document_type is DocumentType.LADDER_ZIP
                if not is_done and (all_indexed or each.state is not DocumentState.FAILED):
                    yield f"{each.document_id} is {each.state} ({each.failure})"
        for each in tables.documents.values():
            if each.pgm_id not in self.live:
                yield f"the row of {each.document_id} is left"

    def misindexed(self, tables: Tables, held: Mapping[str, str]) -> Iterator[str]:
        """Where the texts that the index holds, by chunk id, are not those of the indexed documents."""
        wanted = dict(self._wanted(tables))
        yield from (f"{each} is missing in the index" for each in sorted(wanted.keys() - held.keys()))
        yield from (f"{each} is left in the index" for each in sorted(held.keys() - wanted.keys()))
        for each in sorted(wanted.keys() & held.keys()):
            if wanted[each] != held[each]:
                yield f"{each} has the text {held[each]!r}, not {wanted[each]!r}"

    def misstored(self, tables: Tables, keys: list[str]) -> Iterator[str]:
        """Which blobs are left of what is gone, and which are missing."""
        prefixes = {
            revision_prefix(pgm_id, revision)
            for pgm_id, program in self.live.items()
            if (stored := tables.live(pgm_id))
            for revision in {stored.program.revision, program.latest}
        }
        documents = [each for each in tables.documents.values() if each.pgm_id in self.live]
        owned = {each.blob_key for each in documents}
        yield from (f"{each} is missing in the blob store" for each in sorted(owned - set(keys)))
        for key in keys:
            if key not in owned and not key.startswith(tuple(f"{prefix}/" for prefix in prefixes) or ("\0",)):
                yield f"{key} is left in the blob store"

    def _wanted(self, tables: Tables) -> Iterator[tuple[str, str]]:
        for pgm_id, program in self.live.items():
            for document in tables.documents.values():
                if document.pgm_id == pgm_id and document.state is DocumentState.INDEXED:
                    for chunk in _chunks(document, program):
                        yield chunk_id(document.ref, chunk.ordinal), chunk.lexical_text


def _misnamed(documents: list[Document], program: KnownProgram, answering: int) -> Iterator[str]:
    """One that waits stands beside the one that answers."""
    standing = program.revisions.keys() & {answering, program.latest}
    want = {(revision, logic_id) for revision in standing for logic_id in ("", *program.revisions[revision].files)}
    have = {(each.revision, each.logic_id) for each in documents if each.revision != PROGRAM_ITSELF}
    if have != want:
        yield f"there are the documents {sorted(have)}, not {sorted(want)}"
    notes = {each.document_id for each in documents if each.revision == PROGRAM_ITSELF}
    if notes != program.notes.keys():
        yield f"there are the further documents {sorted(notes)}, not {sorted(program.notes)}"


def _chunks(document: Document, program: KnownProgram) -> tuple[Chunk, ...]:
    if document.document_type is DocumentType.FURTHER:
        content = NOTES[program.notes[document.document_id]].encode() if document.document_id in program.notes else b""
        return passage_chunks(read_passages(content, document.document_name, UploadLimits()), document)
    sent = program.revisions.get(document.revision)
    return sent.chunks(document) if sent else ()
