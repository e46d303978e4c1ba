"""A program's files are uploaded anew: the old revision answers until the new one is whole, and then the new one."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from application.register_program import Registered
from application.replace_files import Deduplicated, ReplaceCommand
from application.retry_documents import RetryCommand
from application.search_rungs import SearchQuery
from builders.drift import audited
from builders.service import Service, a_service
from builders.uploads import CONVEYOR, DOOR
from domain.errors import ConflictError, InvalidUploadError, NotFoundError, UnavailableError
from domain.events import RevisionSuperseded
from domain.findings import Finding, Section
from domain.told import told
from fakes.blob_store import InMemoryBlobStore, UnavailableBlobStore

OLD = {"0000_11": CONVEYOR, "0001_11": DOOR}
TITLED = {"0000_11": CONVEYOR, "0001_11": DOOR}
NEW = {"0000_11": CONVEYOR.replace("X0", "X77"), "0001_11": DOOR}


async def indexed_service(folder: Path, **overrides: object) -> Service:
    service = await a_service(folder, OLD, **overrides)
    await service.register()
    await service.work()
    return service


async def devices_found(service: Service, query: str) -> set[str]:
    answer = await service.container.search_rungs()(SearchQuery(text=query))
    return {use.device for hit in answer.hits for use in hit.chunk.devices}


async def revision_of(service: Service) -> tuple[int, int]:
    """What answers, and the latest."""
    view = await service.catalogue.program("PGM_1")
    return view.program.revision, view.latest.revision


async def keys_of(service: Service) -> set[str]:
    return {entry.key async for entry in service.blobs.list_below("")}


async def blob_folders(service: Service) -> set[str]:
    return {"/".join(key.split("/")[:3]) for key in await keys_of(service)}


async def test_the_old_revision_answers_until_the_new_one_is_indexed_and_is_purged_then(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    replaced = await service.replace(NEW)
    assert isinstance(replaced, Registered)
    assert replaced.registration.program.revision == 2
    assert await revision_of(service) == (1, 2)
    assert "X0" in await devices_found(service, "X0")
    await service.work()
    assert await revision_of(service) == (2, 2)
    assert "X77" in await devices_found(service, "X77")
    assert "X0" not in await devices_found(service, "X0")
    await service.work()  # the purge
    assert await blob_folders(service) == {"programs/PGM_1/r2"}
    assert {entry.document.document_id.split("-")[1] for entry in service.index.entries.values()} == {"r2"}
    assert {each.revision for each in service.registry.committed.documents.values()} == {2}
    assert [event for event in service.registry.committed.events.values() if event.is_pending] == []


async def test_no_search_meanwhile_sees_a_mixture_or_nothing(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.replace(NEW)
    seen: list[set[str]] = []

    async def search(_: Sequence[str]) -> None:
        service.embedder.before = None
        seen.append(await devices_found(service, "X0 X77"))
        service.embedder.before = search

    service.embedder.before = search
    await service.work()
    service.embedder.before = None
    assert seen
    assert all("X0" in devices and "X77" not in devices for devices in seen)


async def test_a_search_that_the_switch_overtakes_looks_again(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.replace({"0000_11": CONVEYOR.replace("X0", "X77")})
    stale = dict(service.index.entries)

    async def switch(_: Sequence[str]) -> None:
        service.embedder.before = None
        lexical = service.index.lexical

        async def as_before(*arguments: object, **options: object) -> object:
            """The lane's answer is of before the switch, which comes before anybody looks at what is visible."""
            service.index.lexical = lexical  # type: ignore[method-assign]
            found = await lexical(*arguments, **options)  # type: ignore[arg-type]
            await service.work()
            return [each for each in found if each.chunk_id in stale]

        service.index.lexical = as_before  # type: ignore[method-assign, assignment]

    service.embedder.before = switch
    assert "X77" in await devices_found(service, "X77")


async def test_the_same_files_again_are_the_revision_that_is_there(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    same = ReplaceCommand(pgm_id="PGM_1", create_user="lee", upload=service.upload)
    answer = await service.container.replace_files()(same)
    assert answer == Deduplicated(pgm_id="PGM_1", revision=1)
    assert await blob_folders(service) == {"programs/PGM_1/r1"}


async def test_what_waits_already_is_not_uploaded_twice(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.replace(NEW)
    assert await service.replace(NEW) == Deduplicated(pgm_id="PGM_1", revision=2)
    assert await revision_of(service) == (1, 2)


async def test_a_revision_that_fails_changes_nothing_that_is_seen(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.replace(NEW)
    await service.blobs.delete_below("programs/PGM_1/r2")
    await service.work()
    assert await revision_of(service) == (1, 2)
    assert "X0" in await devices_found(service, "X0")
    failures = await service.catalogue.failures("PGM_1", limit=9)
    assert {failed.document_id.split("-")[1] for failed in failures} == {"r2"}


async def test_a_newer_revision_takes_the_place_of_one_that_failed(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.replace(NEW)
    await service.blobs.delete_below("programs/PGM_1/r2")
    await service.work()
    await service.replace({"0000_11": CONVEYOR.replace("X0", "X55")})
    await service.work()
    await service.work()
    assert await revision_of(service) == (3, 3)
    assert "X55" in await devices_found(service, "X55")
    assert await blob_folders(service) == {"programs/PGM_1/r3"}


async def test_a_revision_that_is_overtaken_while_it_is_indexed_leaves_nothing(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.replace(NEW)

    async def overtake(_: Sequence[str]) -> None:
        service.embedder.before = None
        await service.replace({"0000_11": CONVEYOR.replace("X0", "X55")})

    service.embedder.before = overtake
    for _ in range(4):
        await service.work()
    assert await revision_of(service) == (3, 3)
    assert await blob_folders(service) == {"programs/PGM_1/r3"}
    assert {entry.document.document_id.split("-")[1] for entry in service.index.entries.values()} == {"r3"}


async def test_a_program_that_is_deleted_meanwhile_takes_every_revision_along(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.replace(NEW)
    await service.container.delete_program()("PGM_1")
    await service.work()
    assert await keys_of(service) == set()
    assert service.index.entries == {}
    assert service.registry.committed.documents == {}


async def test_files_that_cannot_be_used_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    finding = Finding(
        section=Section.LADDER_ZIP, code="zip_empty", file="l.zip", message=told("empty"), hint=told("fill it")
    )
    before = await keys_of(service)

    async def refused() -> None:
        upload = service.upload.__class__(ladder_zip=service.upload.template, template=service.upload.ladder_zip)
        await service.container.replace_files()(ReplaceCommand(pgm_id="PGM_1", create_user="lee", upload=upload))

    service.upload_reader.inspected = service.inspected.__class__(
        template=service.inspected.template,
        comments=service.inspected.comments,
        ladders=service.inspected.ladders,
        findings=(finding,),
    )
    with pytest.raises(InvalidUploadError):
        await refused()
    assert await keys_of(service) == before
    assert await revision_of(service) == (1, 1)


async def test_there_is_nothing_to_replace_in_a_program_that_is_not_there(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    with pytest.raises(NotFoundError):
        await service.replace(NEW)
    assert await keys_of(service) == set()


async def test_a_blob_store_that_gives_no_answer_leaves_what_was_there(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    service.container.blobs.override(UnavailableBlobStore(service.blobs, failures=1))
    before = await keys_of(service)
    with pytest.raises(UnavailableError):
        await service.replace(NEW)
    assert await keys_of(service) == before
    assert service.registry.committed.uploads == {}
    assert await revision_of(service) == (1, 1)


async def test_an_upload_that_a_sweeper_took_for_dead_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    before = await keys_of(service)

    class SweptBlobStore(UnavailableBlobStore):
        async def put(self, key: str, content: object) -> object:  # type: ignore[override]
            stored = await super().put(key, content)  # type: ignore[arg-type]
            service.registry.committed.uploads.clear()
            return stored

    service.container.blobs.override(SweptBlobStore(service.blobs, failures=0))
    with pytest.raises(ConflictError):
        await service.replace(NEW)
    assert await keys_of(service) == before
    assert await revision_of(service) == (1, 1)


async def test_the_purge_of_a_revision_that_answers_purges_nothing(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    before = await keys_of(service)
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.outbox.add([RevisionSuperseded(pgm_id="PGM_1", revision=1)])
    await service.work()
    assert await keys_of(service) == before
    assert "X0" in await devices_found(service, "X0")


async def test_only_what_changed_is_embedded_again(tmp_path: Path) -> None:
    service = await a_service(tmp_path, TITLED)
    await service.register()
    await service.work()
    embedded: list[str] = []

    async def note(texts: Sequence[str]) -> None:
        embedded.extend(texts)

    service.embedder.before = note
    await service.replace({**TITLED, "0001_11": DOOR.replace("도어 잠금", "도어 열림")})
    await service.work()
    service.embedder.before = None
    assert await revision_of(service) == (2, 2)
    assert len(embedded) == 1
    assert "도어 열림" in embedded[0]
    entries = service.index.entries.values()
    assert {entry.document.document_id.split("-")[1] for entry in entries} == {"r1", "r2"}
    (hit, *_) = (await service.container.search_rungs()(SearchQuery(text="컨베이어 정지"))).hits
    assert "컨베이어 정지" in hit.chunk.title


async def test_a_vector_that_the_index_lost_is_embedded_again(tmp_path: Path) -> None:
    service = await a_service(tmp_path, TITLED)
    await service.register()
    await service.work()
    await service.replace({**TITLED, "0002_11": DOOR})
    service.index.entries.clear()
    service.index.server.indexes[service.index.key].vectors.clear()
    await service.work()
    assert await revision_of(service) == (2, 2)


async def test_an_audit_finds_nothing_amiss_whatever_a_revision_has_come_to(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.replace(NEW)
    assert await audited(service) == []
    await service.work()  # the new one answers, the old one waits for its purge
    assert await revision_of(service) == (2, 2)
    assert await audited(service) == []
    await service.work()
    assert await audited(service) == []


async def test_a_revision_that_failed_answers_once_it_is_retried(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.replace(NEW)
    service.container.blobs.override(InMemoryBlobStore())  # where nothing is
    await service.work()
    assert await revision_of(service) == (1, 2)
    service.container.blobs.override(service.blobs)
    assert await service.container.retry_documents()(RetryCommand(pgm_id="PGM_1")) == 2
    await service.work()
    assert await revision_of(service) == (2, 2)
    assert "X77" in await devices_found(service, "X77")
