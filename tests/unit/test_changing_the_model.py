"""The index of another model is built aside while the old one answers, and a lost index is built again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from dependency_injector import providers

from application.indexing import IndexingSteps, Surroundings, Workpiece
from application.keep_index import Standing
from application.rebuild_index import RebuildIndex
from application.search_rungs import SearchQuery
from builders.service import Service, WatchedEmbedder, a_service
from domain.document import Document, DocumentRef, DocumentState, DocumentType
from domain.errors import ConflictError, UnavailableError, UnindexableError
from domain.failures import Stage
from domain.index_key import IndexKey
from domain.ports.catalogue import IndexView
from domain.ports.embedder import TEXT_REFUSED, EmbeddingModel
from fakes.vector_index import InMemoryVectorIndex, UnavailableVectorIndex

NEW_KEY = IndexKey(model=EmbeddingModel(name="another", dimension=16), rendering_version=1)


class Successor:
    """The same product started with the settings of another model: the same record, blobs and vector server."""

    def __init__(self, service: Service) -> None:
        self.embedder = WatchedEmbedder(name="another", dimension=16)
        self.index = InMemoryVectorIndex(key=NEW_KEY, server=service.index.server)
        self.service = Service(
            folder=service.folder,
            upload=service.upload,
            inspected=service.inspected,
            overrides={
                "blobs": service.blobs,
                "catalogue": service.catalogue,
                "embedder": self.embedder,
                "index": self.index,
                "unit_of_work": service.container.unit_of_work(),
            },
        )
        self.rebuild: RebuildIndex = self.service.container.rebuild_index()

    async def build(self, builder: str = "") -> list[IndexView]:
        return [view async for view in self.rebuild(builder or str(uuid4()))]


async def indexed_service(folder: Path) -> Service:
    service = await a_service(folder)
    await service.register()
    await service.work()
    return service


async def names_found(service: Service, query: str = "X0") -> list[str]:
    answer = await service.container.search_rungs()(SearchQuery(text=query))
    return [hit.chunk.document_name for hit in answer.hits]


async def test_the_old_index_answers_until_the_new_one_is_complete_and_afterwards_too(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)
    answers: list[list[str]] = []

    async def search_both(_: Sequence[str]) -> None:
        successor.embedder.before = None
        answers.append(await names_found(service))
        with pytest.raises(UnavailableError, match=r"being built: \d of 3 documents"):
            await names_found(successor.service)
        successor.embedder.before = search_both

    successor.embedder.before = search_both
    views = await successor.build()
    successor.embedder.before = None
    assert views == [IndexView(is_complete=False, held=3, total=3)]
    assert len(answers) > 0
    assert all(answer[0] == "0000_11.csv" for answer in answers)
    assert (await names_found(successor.service))[0] == "0000_11.csv"
    assert (await names_found(service))[0] == "0000_11.csv"
    assert service.index.server.published == NEW_KEY
    assert successor.index.entries.keys() == service.index.entries.keys()


async def test_an_answer_tells_which_index_gave_it(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    answer = await service.container.search_rungs()(SearchQuery(text="X0"))
    assert answer.index == service.index.key


async def test_what_comes_in_meanwhile_is_built_too(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)

    async def register_another(_: Sequence[str]) -> None:
        successor.embedder.before = None
        await service.register()
        await service.work()

    successor.embedder.before = register_another
    await successor.build()
    assert successor.index.entries.keys() == service.index.entries.keys()
    assert {entry.pgm_id for entry in successor.index.entries.values()} == {"PGM_1", "PGM_2"}


async def test_who_indexes_into_the_old_index_is_refused_after_the_switch_and_loses_nothing(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)
    await successor.build()
    await service.register()
    await service.work()
    assert {service.registry.committed.documents[name].state for name in ("PGM_2-r1-0002", "PGM_2-r1-0003")} == {
        DocumentState.INDEXING
    }
    assert await service.container.keep_index()(is_open=True) is Standing.NOT_CURRENT
    assert await successor.service.container.keep_index()(is_open=False) is Standing.READY


async def test_a_program_that_is_deleted_meanwhile_leaves_nothing_in_the_new_index(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)

    async def delete(_: Sequence[str]) -> None:
        successor.embedder.before = None
        await service.container.delete_program()("PGM_1")
        await service.work()

    successor.embedder.before = delete
    await successor.build()
    assert successor.index.entries == {}
    assert service.index.entries == {}


async def test_building_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.register()
    await service.work()
    successor = Successor(service)
    embedded: list[str] = []

    async def count(texts: Sequence[str]) -> None:
        embedded.extend(texts)

    successor.embedder.before = count
    building = successor.rebuild("0b5e7a0c-6d6f-4a3e-9a54-0d7c6b0a1f01")
    assert await anext(building) == IndexView(is_complete=False, held=3, total=6)
    await building.aclose()  # type: ignore[attr-defined]  # it is an asynchronous generator
    of_the_first = len(embedded)
    await successor.build("0b5e7a0c-6d6f-4a3e-9a54-0d7c6b0a1f01")
    assert len(embedded) == 2 * of_the_first
    assert (await names_found(successor.service))[0] == "0000_11.csv"


async def test_what_was_written_and_not_recorded_is_not_embedded_again(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)
    await successor.build()
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.indexes.lost(NEW_KEY)

    async def embed_nothing(texts: Sequence[str]) -> None:
        raise AssertionError(texts)

    successor.embedder.before = embed_nothing
    await successor.build()
    assert (await service.catalogue.index(NEW_KEY)).is_complete


async def test_two_do_not_build_the_same_index(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)

    async def build_too(_: Sequence[str]) -> None:
        with pytest.raises(ConflictError, match="somebody else"):
            await successor.build()

    successor.embedder.before = build_too
    await successor.build()


async def test_a_document_that_can_not_be_read_any_more_fails_visibly_and_holds_nothing_up(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.blobs.delete_below("programs/PGM_1/r1/ladder_files")
    successor = Successor(service)
    await successor.build()
    await successor.service.container.keep_index()(is_open=False)
    await service.relay()
    for claimed in list(service.dispatcher.waiting.values()):
        await successor.service.container.handle_event()(claimed)
    failed = [document.failure.code for document in service.registry.committed.documents.values() if document.failure]
    assert failed == ["storage_missing", "storage_missing"]
    assert set(await names_found(successor.service, "도어 잠금")) == {"template.xlsx"}
    for index in (service.index, successor.index):
        assert {entry.document_type for entry in index.entries.values()} == {DocumentType.TEMPLATE}


async def test_a_text_that_the_new_model_alone_refuses_fails_its_document_and_the_switch_takes_place(
    tmp_path: Path,
) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)

    async def refuse_doors(texts: Sequence[str]) -> None:
        if any("잠금" in text for text in texts):
            raise UnindexableError(TEXT_REFUSED, "the embedding model refuses one of the texts, however short")

    successor.embedder.before = refuse_doors
    assert (await successor.build())[-1].held == 2
    assert (await service.catalogue.index(NEW_KEY)).is_complete
    (failed,) = await service.catalogue.failures("PGM_1", limit=10)
    assert failed.document_name == "0001_11.csv"
    assert failed.failure is not None
    assert failed.failure.code == "text_refused"
    (told,) = (await service.operations.failures("PGM_1", limit=10)).items
    assert (told.attempt.stage, told.attempt.is_final) == (Stage.EMBED, True)
    await successor.service.relay()
    for claimed in list(successor.service.dispatcher.waiting.values()):
        await successor.service.container.handle_event()(claimed)
    assert not [event for event in service.registry.committed.events.values() if event.is_pending or event.is_dead]
    for index in (service.index, successor.index):
        assert failed.document_id not in {entry.document.document_id for entry in index.entries.values()}
        assert index.entries


async def test_an_index_that_lost_rows_while_it_was_built_is_not_switched_to(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)
    views = 0
    async for _ in successor.rebuild(str(uuid4())):
        views += 1
        if views == 1:
            successor.index.entries.pop(next(iter(successor.index.entries)))
    assert views == 2
    assert successor.index.entries.keys() == service.index.entries.keys()


async def test_another_rendering_stands_beside_the_one_that_is_searched(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    chunks = service.registry.committed.chunks
    anew = replace(service.index.key, rendering_version=99)
    successor = Successor(service)
    index = InMemoryVectorIndex(key=anew, server=service.index.server)
    rebuild = replace(
        successor.rebuild,
        index=index,
        vectors=replace(successor.rebuild.vectors, index=index, embedder=service.embedder),
    )
    async for _ in rebuild(str(uuid4())):
        assert (await names_found(service))[0] == "0000_11.csv"
    renderings = {rendering for _, rendering in chunks}
    assert 99 in renderings
    assert len(renderings) == 2


async def test_a_lost_index_is_noticed_and_built_again_and_never_answers_with_nothing(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    keep = service.container.keep_index()
    assert await keep(is_open=True) is Standing.READY
    service.index.server.indexes.clear()
    with pytest.raises(UnavailableError):
        await names_found(service)
    assert await keep(is_open=True) is Standing.INCOMPLETE
    with pytest.raises(UnavailableError, match="being built"):
        await names_found(service)
    async for _ in service.container.rebuild_index()(str(uuid4())):
        pass
    assert await keep(is_open=True) is Standing.READY
    assert (await names_found(service))[0] == "0000_11.csv"


async def test_an_emptied_index_is_a_lost_one(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    service.index.entries.clear()
    assert await service.container.keep_index()(is_open=True) is Standing.INCOMPLETE


async def test_an_index_that_never_held_anything_is_not_lost(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    assert await service.container.keep_index()(is_open=True) is Standing.READY
    await service.register()
    service.index.server.indexes.clear()
    assert await service.container.keep_index()(is_open=True) is Standing.READY
    assert await service.index.count() == 0


async def test_a_loss_is_recorded_before_the_index_is_made_anew(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    service.index.server.indexes.clear()
    outage = UnavailableVectorIndex(service.index, failures=0)
    keep = replace(service.container.keep_index(), index=outage)

    async def fail() -> None:
        raise UnavailableError("milvus", "as scripted")

    outage.prepare = fail  # type: ignore[method-assign]  # a server that dies at just this moment
    with pytest.raises(UnavailableError):
        await keep(is_open=True)
    assert not (await service.catalogue.index(service.index.key)).is_complete


async def test_old_indexes_are_dropped_by_whoever_is_current(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)
    with pytest.raises(ConflictError, match="not the one in use"):
        await successor.service.container.drop_old_indexes()()
    await successor.build()
    with pytest.raises(ConflictError):
        await service.container.drop_old_indexes()()
    assert await successor.service.container.drop_old_indexes()() == 1
    assert set(service.index.server.indexes) == {NEW_KEY}
    with pytest.raises(UnavailableError):
        await names_found(service)
    assert (await names_found(successor.service))[0] == "0000_11.csv"


async def test_a_foreign_row_in_the_new_index_costs_the_old_one_nothing(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)
    serving = dict(service.index.entries)

    async def disturb(_: Sequence[str]) -> None:
        successor.embedder.before = None
        entry = next(iter(serving.values()))
        foreign = replace(entry, chunk_id=f"{entry.document.document_id}.g{entry.document.generation}.999")
        await successor.index.upsert([foreign], await successor.embedder.embed(["foreign"]))

    successor.embedder.before = disturb
    with pytest.raises(UnavailableError, match="1 too many"):
        await successor.build("0b5e7a0c-6d6f-4a3e-9a54-0d7c6b0a1f01")
    assert service.index.entries == serving
    await successor.build("0b5e7a0c-6d6f-4a3e-9a54-0d7c6b0a1f01")
    assert successor.index.entries.keys() == serving.keys()


async def test_what_a_deleted_program_left_does_not_make_up_for_rows_that_are_missing(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    await service.register()
    await service.work()
    successor = Successor(service)
    views = 0
    async for _ in successor.rebuild(str(uuid4())):
        views += 1
        if views == 2:
            await service.container.delete_program()("PGM_2")  # its purge comes later
            lost = next(name for name in successor.index.entries if name.startswith("PGM_1"))
            successor.index.entries.pop(lost)
    assert {name for name in service.index.entries if name.startswith("PGM_1")} <= successor.index.entries.keys()


async def test_what_an_index_in_trouble_kept_of_a_deleted_program_is_taken_away_later(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)
    remove = successor.index.remove_documents

    async def give_no_answer(_: Sequence[DocumentRef], **__: bool) -> None:
        successor.index.remove_documents = remove  # type: ignore[method-assign]
        raise UnavailableError("milvus", "no answer")

    async def delete(_: Sequence[str]) -> None:
        successor.embedder.before = None
        await service.container.delete_program()("PGM_1")
        await service.work()
        successor.index.remove_documents = give_no_answer  # type: ignore[assignment]

    successor.embedder.before = delete
    with pytest.raises(UnavailableError, match="no answer"):
        await successor.build()
    assert successor.index.entries
    await successor.service.work()
    assert successor.index.entries == {}


async def test_a_document_that_meets_a_bug_holds_up_no_build_and_fails_by_name(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    successor = Successor(service)

    class Buggy(IndexingSteps):
        async def read(self, documents: Sequence[Document], surroundings: Surroundings) -> list[Workpiece]:
            if any(document.logic_id == "0000_11" for document in documents):
                raise KeyError("a bug")
            return await super().read(documents, surroundings)

    successor.service.container.indexing_steps.override(providers.Object(Buggy(chains=successor.rebuild.steps.chains)))
    successor.rebuild = successor.service.container.rebuild_index()
    await successor.build()
    await successor.service.work_for(timedelta(minutes=5))
    states = service.states
    assert [name for name, state in states.items() if state is DocumentState.FAILED] == ["0000_11.csv"]
    assert list(states.values()).count(DocumentState.INDEXED) == 2
    assert "0000_11.csv" not in await names_found(successor.service, "L0000_11")
