"""What every IdempotencyLog promises."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.outbox import TimePasses
from contracts.records import rolled_back
from domain.errors import ConflictError
from domain.idempotency import IdempotencyKey, KeptAnswer, KeyedRequest
from domain.ports.unit_of_work import UnitOfWork

A_DAY = timedelta(days=1)
KEY = IdempotencyKey(operation="register_program", name="~ 7f3c\"';--")


def an_answer(key: IdempotencyKey = KEY, **changes: Any) -> KeptAnswer:
    answer = KeptAnswer(
        request=KeyedRequest(key=key, fingerprint="ab" * 32), pgm_id="PGM_1", answer=b'{"name": "\xec\x85\x80"}\0\xff'
    )
    return replace(answer, **changes)


def named(name: str) -> IdempotencyKey:
    return replace(KEY, name=name)


class IdempotencyLogContract:
    """Needs the fixtures `unit_of_work` and `time_passes`."""

    async def test_an_answer_is_kept_byte_for_byte(self, unit_of_work: UnitOfWork) -> None:
        await keep(unit_of_work, an_answer())
        assert await find(unit_of_work, KEY) == an_answer()

    async def test_a_key_that_nobody_used_has_no_answer(self, unit_of_work: UnitOfWork) -> None:
        await keep(unit_of_work, an_answer())
        assert await find(unit_of_work, named(KEY.name.upper())) is None

    async def test_a_key_is_taken_once(self, unit_of_work: UnitOfWork) -> None:
        await keep(unit_of_work, an_answer())
        with pytest.raises(ConflictError):
            await keep(unit_of_work, an_answer(pgm_id="PGM_2"))
        assert await find(unit_of_work, KEY) == an_answer()

    async def test_each_operation_has_keys_of_its_own(self, unit_of_work: UnitOfWork) -> None:
        other = an_answer(replace(KEY, operation="replace_files"), pgm_id="PGM_2")
        await keep(unit_of_work, an_answer())
        await keep(unit_of_work, other)
        assert await find(unit_of_work, KEY) == an_answer()
        assert await find(unit_of_work, other.request.key) == other

    async def test_each_client_has_keys_of_its_own(self, unit_of_work: UnitOfWork, time_passes: TimePasses) -> None:
        mine, theirs = replace(KEY, client="key:kim"), replace(KEY, client="key:lee")
        await keep(unit_of_work, an_answer(mine))
        assert await find(unit_of_work, theirs) is None
        assert await find(unit_of_work, KEY) is None
        await time_passes(A_DAY)
        await keep(unit_of_work, an_answer(theirs, pgm_id="PGM_2"))
        await amend(unit_of_work, theirs, b"indexed")
        assert await find(unit_of_work, mine) == an_answer(mine)
        await time_passes(timedelta(minutes=1))
        assert await forget(unit_of_work) == 1
        assert await find(unit_of_work, theirs) is not None

    async def test_a_transaction_that_rolls_back_takes_no_key(self, unit_of_work: UnitOfWork) -> None:
        async with rolled_back(unit_of_work) as transaction:
            await transaction.idempotency.keep(an_answer())
        assert await find(unit_of_work, KEY) is None
        await keep(unit_of_work, an_answer())

    async def test_a_repeat_is_given_the_amended_answer(self, unit_of_work: UnitOfWork) -> None:
        await keep(unit_of_work, an_answer())
        await keep(unit_of_work, an_answer(named("other")))
        await amend(unit_of_work, KEY, b"indexed")
        assert await find(unit_of_work, KEY) == an_answer(answer=b"indexed")
        assert await find(unit_of_work, named("other")) == an_answer(named("other"))

    async def test_amending_does_not_take_a_key(self, unit_of_work: UnitOfWork) -> None:
        await amend(unit_of_work, KEY, b"indexed")
        assert await find(unit_of_work, KEY) is None

    async def test_a_key_is_forgotten_when_its_time_is_over(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        await keep(unit_of_work, an_answer())
        await time_passes(A_DAY - timedelta(minutes=1))
        await keep(unit_of_work, an_answer(named("young")))
        assert await forget(unit_of_work) == 0
        await time_passes(timedelta(minutes=2))
        assert await forget(unit_of_work) == 1
        assert await find(unit_of_work, KEY) is None
        assert await find(unit_of_work, named("young")) is not None

    async def test_the_oldest_keys_are_forgotten_first_and_only_so_many_at_once(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        for name in "abc":
            await keep(unit_of_work, an_answer(named(name)))
            await time_passes(timedelta(minutes=1))
        await time_passes(A_DAY)
        assert await forget(unit_of_work, at_most=2) == 2
        assert [name for name in "abc" if await find(unit_of_work, named(name))] == ["c"]


async def keep(unit_of_work: UnitOfWork, answer: KeptAnswer) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.idempotency.keep(answer)


async def find(unit_of_work: UnitOfWork, key: IdempotencyKey) -> KeptAnswer | None:
    async with unit_of_work.begin() as transaction:
        return await transaction.idempotency.find(key)


async def amend(unit_of_work: UnitOfWork, key: IdempotencyKey, answer: bytes) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.idempotency.amend(key, answer)


async def forget(unit_of_work: UnitOfWork, *, at_most: int = 100) -> int:
    async with unit_of_work.begin() as transaction:
        return await transaction.idempotency.forget(older_than=A_DAY, at_most=at_most)
