"""A caller that repeats itself gets one program and one answer, whatever happened to its first attempt."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from application.register_program import RegisterCommand, Registered
from application.sweep_idempotency_keys import KEPT_FOR, SweepIdempotencyKeys
from application.sweep_uploads import LONGEST_UPLOAD
from builders.service import DETAILS, Service, a_service
from domain.errors import InvalidUploadError, ReusedKeyError, UnavailableError
from domain.findings import Finding, Section
from domain.idempotency import IdempotencyKey, KeptAnswer
from domain.ports.unit_of_work import Transaction, UnitOfWork
from domain.ports.upload_reader import UploadReader
from domain.told import told
from domain.upload import InspectedUpload, Upload
from fakes.readers import GatheringUploadReader

KEY = IdempotencyKey(operation="register_program", name="7f3c")


async def register(service: Service, key: IdempotencyKey | None = KEY, **changes: str) -> Registered | KeptAnswer:
    return await send(service, RegisterCommand(details=replace(DETAILS, **changes), upload=service.upload), key)


async def send(service: Service, command: RegisterCommand, key: IdempotencyKey | None = KEY) -> Registered | KeptAnswer:
    return await service.container.register_once()(command, key, render=answer)


def answer(registered: Registered) -> bytes:
    return f"as {registered.registration.program.pgm_id}".encode()


def answered(outcome: Registered | KeptAnswer) -> bytes:
    return outcome.answer if isinstance(outcome, KeptAnswer) else answer(outcome)


async def blob_keys(service: Service) -> list[str]:
    return [entry.key async for entry in service.blobs.list_below("")]


FILES_OF_PGM_1 = ["programs/PGM_1/r1/template/template.xlsx", "programs/PGM_1/r1/zip/ladder.zip"]


async def test_a_repeat_is_given_the_first_answer_and_nothing_is_read_or_stored_again(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    first = await register(service)
    service.container.upload_reader.override(UnwantedReader())
    repeat = await register(service)
    assert isinstance(first, Registered)
    assert isinstance(repeat, KeptAnswer)
    assert (repeat.pgm_id, repeat.answer) == ("PGM_1", b"as PGM_1")
    assert list(service.registry.committed.programs) == ["PGM_1"]
    assert await blob_keys(service) == FILES_OF_PGM_1


class UnwantedReader(UploadReader):
    async def inspect(self, upload: Upload) -> InspectedUpload:
        raise AssertionError("nobody should read the files")


async def test_without_a_key_every_request_registers(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    assert [answered(await register(service, None)) for _ in range(2)] == [b"as PGM_1", b"as PGM_2"]


async def test_another_key_is_another_request(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await register(service)
    assert answered(await register(service, replace(KEY, name="other"))) == b"as PGM_2"


def with_other_bytes(command: RegisterCommand) -> RegisterCommand:
    path = command.upload.template.path.with_name("other")
    path.write_bytes(b"another workbook")
    return replace(command, upload=replace(command.upload, template=replace(command.upload.template, path=path)))


def with_another_name(command: RegisterCommand) -> RegisterCommand:
    return replace(
        command, upload=replace(command.upload, template=replace(command.upload.template, name="other.xlsx"))
    )


def with_swapped_roles(command: RegisterCommand) -> RegisterCommand:
    upload = command.upload
    return replace(command, upload=replace(upload, ladder_zip=upload.template, template=upload.ladder_zip))


def with_comments(command: RegisterCommand) -> RegisterCommand:
    return replace(command, upload=replace(command.upload, comments=command.upload.template))


def with_another_text(command: RegisterCommand) -> RegisterCommand:
    return replace(command, details=replace(command.details, notes="later"))


@pytest.mark.parametrize(
    "changed", [with_other_bytes, with_another_name, with_swapped_roles, with_comments, with_another_text]
)
async def test_a_key_that_was_used_for_another_request_is_refused(
    tmp_path: Path, changed: Callable[[RegisterCommand], RegisterCommand]
) -> None:
    service = await a_service(tmp_path)
    await register(service)
    with pytest.raises(ReusedKeyError):
        await send(service, changed(RegisterCommand(details=DETAILS, upload=service.upload)))
    assert list(service.registry.committed.programs) == ["PGM_1"]
    assert await blob_keys(service) == FILES_OF_PGM_1


async def test_a_refused_upload_leaves_its_key_to_the_corrected_one(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    broken = Finding(
        section=Section.TEMPLATE, code="blank", file="t.xlsx", message=told("blank"), hint=told("Fill it in.")
    )
    service.upload_reader.inspected = replace(service.inspected, findings=(broken,))
    with pytest.raises(InvalidUploadError):
        await register(service)
    service.upload_reader.inspected = service.inspected
    assert isinstance(await register(service, notes="corrected"), Registered)


async def test_of_fifty_at_once_one_registers_and_the_others_are_given_its_answer(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    service.container.upload_reader.override(GatheringUploadReader(service.inspected, 50))
    outcomes = await asyncio.gather(*(register(service) for _ in range(50)))
    [winner] = [outcome for outcome in outcomes if isinstance(outcome, Registered)]
    assert {answered(outcome) for outcome in outcomes} == {answer(winner)}
    assert list(service.registry.committed.programs) == [winner.registration.program.pgm_id]
    assert len(service.registry.committed.events) == 1
    assert len(await blob_keys(service)) == 2
    assert service.registry.committed.uploads == {}


async def test_of_two_requests_under_one_key_at_once_the_slower_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    service.container.upload_reader.override(GatheringUploadReader(service.inspected, 2))
    outcomes = await asyncio.gather(register(service), register(service, notes="other"), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Registered", "ReusedKeyError"]
    assert len(service.registry.committed.programs) == 1
    assert len(await blob_keys(service)) == 2
    assert service.registry.committed.uploads == {}


class CutAtTheCommit(UnitOfWork):
    """Loses the connection once, in the COMMIT that takes the key: before it is done, or with its answer."""

    def __init__(self, behind: UnitOfWork, *, committed: bool, error: BaseException) -> None:
        self._behind = behind
        self._committed = committed
        self._error: BaseException | None = error

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self._behind.begin() as transaction:
            yield transaction
            error = self._error if await _sees_the_key(transaction) else None
            if error and not self._committed:
                self._error = None
                raise error
        if error:
            self._error = None
            raise error


async def _sees_the_key(transaction: Transaction) -> bool:
    return await transaction.idempotency.find(KEY) is not None


def cut(service: Service, *, committed: bool, error: BaseException | None = None) -> None:
    lost = error or UnavailableError("postgres", "the connection was lost")
    behind = service.container.unit_of_work()
    service.container.unit_of_work.override(CutAtTheCommit(behind, committed=committed, error=lost))


async def test_a_commit_whose_answer_is_lost_is_looked_up_and_answered(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    cut(service, committed=True)
    assert answered(await register(service)) == b"as PGM_1"
    assert list(service.registry.committed.programs) == ["PGM_1"]
    assert await blob_keys(service) == FILES_OF_PGM_1


async def test_a_commit_that_nobody_can_find_leaves_its_blobs_to_the_sweeper(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    cut(service, committed=False)
    with pytest.raises(UnavailableError):
        await register(service)
    assert await blob_keys(service) == FILES_OF_PGM_1, "it may still be carried out"
    assert answered(await register(service)) == b"as PGM_2"
    await service.registry.clock.advance(LONGEST_UPLOAD * 2)
    assert await service.container.sweep_uploads()() == 1
    assert await blob_keys(service) == [key.replace("PGM_1", "PGM_2") for key in FILES_OF_PGM_1]


class Killed(BaseException):
    """Ends everything, as a signal does."""


@pytest.mark.parametrize(("committed", "pgm_id"), [(True, "PGM_1"), (False, "PGM_2")])
async def test_whoever_was_killed_before_the_answer_is_repeated_once(
    tmp_path: Path, *, committed: bool, pgm_id: str
) -> None:
    service = await a_service(tmp_path)
    cut(service, committed=committed, error=Killed())
    with pytest.raises(Killed):
        await register(service)
    repeats = [answered(await register(service)) for _ in range(2)]
    assert repeats == [f"as {pgm_id}".encode()] * 2
    assert list(service.registry.committed.programs) == [pgm_id]


async def test_a_deleted_program_is_not_registered_again_by_a_late_repeat(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await register(service)
    await service.container.delete_program()("PGM_1")
    await service.work()
    assert answered(await register(service)) == b"as PGM_1"
    assert list(service.registry.committed.programs) == ["PGM_1"]


async def test_a_key_is_forgotten_after_a_day(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await register(service)
    await service.registry.clock.advance(KEPT_FOR - timedelta(minutes=1))
    assert await service.container.sweep_idempotency_keys()() == 0
    assert answered(await register(service)) == b"as PGM_1"
    await service.registry.clock.advance(timedelta(minutes=2))
    assert await service.container.sweep_idempotency_keys()() == 1
    assert answered(await register(service)) == b"as PGM_2"


async def test_more_keys_than_a_batch_holds_are_forgotten_in_one_sweep(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    for number in range(5):
        await register(service, replace(KEY, name=str(number)))
    await service.registry.clock.advance(2 * KEPT_FOR)
    sweep = SweepIdempotencyKeys(unit_of_work=service.container.unit_of_work(), batch=2)
    assert await sweep() == 5
    assert service.registry.committed.answers == {}


async def test_an_amended_answer_is_what_a_repeat_is_given(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await register(service)
    await service.container.amend_answer()(KEY, b"indexed")
    assert answered(await register(service)) == b"indexed"


async def test_an_answer_that_cannot_be_amended_stays_and_harms_nobody(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await register(service)
    behind = service.container.unit_of_work()
    cut(service, committed=False)
    await service.container.amend_answer()(KEY, b"indexed")
    service.container.unit_of_work.override(behind)
    assert answered(await register(service)) == b"as PGM_1"
