"""What every KeyRepo promises."""

import asyncio
import secrets
from datetime import timedelta

import pytest

from contracts.outbox import TimePasses
from domain.api_key import LIVE_KEYS_OF_AN_OWNER, RANDOM_BYTES, ApiKey, IssuedKey, issue
from domain.caller import Scope
from domain.errors import ConflictError, NotFoundError
from domain.ports.key_repo import KeyRepo

A_DAY, A_MINUTE = timedelta(days=1), timedelta(minutes=1)
READ = frozenset({Scope.READ})


def an_issued_key(owner: str = "kim", scopes: frozenset[Scope] = READ, lives_for: timedelta = A_DAY) -> IssuedKey:
    return issue(owner, scopes, lives_for, randomness=secrets.token_bytes(RANDOM_BYTES))


class KeyRepoContract:
    """Needs the fixtures `keys` and `time_passes`."""

    async def test_a_key_is_found_by_its_prefix_with_all_that_was_said_of_it(self, keys: KeyRepo) -> None:
        issued = an_issued_key("김 대리", frozenset({Scope.READ, Scope.ADMIN}))
        await keys.add(an_issued_key("lee").key, live_at_most=2)
        added = await keys.add(issued.key, live_at_most=2)
        assert await keys.find(issued.key.prefix) == added
        assert added.is_of(issued.text)
        assert (added.owner, added.scopes) == ("김 대리", issued.key.scopes)
        assert added.expires_at - added.created_at == A_DAY
        assert (added.revoked_at, added.last_used_at) == (None, None)

    async def test_a_prefix_that_nobody_has_is_not_found(self, keys: KeyRepo) -> None:
        assert await keys.find("0" * 12) is None

    async def test_an_owner_has_so_many_live_keys_and_no_more(self, keys: KeyRepo) -> None:
        first, _ = await add(keys), await add(keys)
        with pytest.raises(ConflictError):
            await add(keys)
        await add(keys, owner="lee")
        await keys.revoke(first.prefix)
        await add(keys)

    async def test_an_expired_key_makes_room(self, keys: KeyRepo, time_passes: TimePasses) -> None:
        for lives_for in (A_DAY, 3 * A_DAY):
            await add(keys, lives_for=lives_for)
        await time_passes(2 * A_DAY)
        await add(keys)
        with pytest.raises(ConflictError):
            await add(keys)

    async def test_of_many_that_are_added_at_once_only_so_many_are_kept(self, keys: KeyRepo) -> None:
        outcomes = await asyncio.gather(*(add(keys) for _ in range(6)), return_exceptions=True)
        assert sum(isinstance(outcome, ApiKey) for outcome in outcomes) == LIVE_KEYS_OF_AN_OWNER
        assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 6 - LIVE_KEYS_OF_AN_OWNER

    async def test_a_taken_prefix_is_a_conflict(self, keys: KeyRepo) -> None:
        issued = an_issued_key()
        await keys.add(issued.key, live_at_most=2)
        with pytest.raises(ConflictError):
            await keys.add(issued.key, live_at_most=2)

    async def test_keys_are_paged_by_owner_and_prefix(self, keys: KeyRepo) -> None:
        added = [await add(keys, owner=owner) for owner in ("lee", "kim", "lee", "choi")]
        expected = sorted(added, key=lambda key: (key.owner, key.prefix))
        first = await keys.page(limit=3)
        assert first == expected[:3]
        assert await keys.page(limit=3, after=first[-1]) == expected[3:]
        assert await keys.page(limit=3, after=expected[-1]) == []
        assert await keys.page(limit=9, owner="lee") == [key for key in expected if key.owner == "lee"]

    async def test_a_revoked_key_stays_revoked_since_then(self, keys: KeyRepo, time_passes: TimePasses) -> None:
        key, other = await add(keys), await add(keys)
        revoked = await keys.revoke(key.prefix)
        assert revoked.revoked_at is not None
        assert await keys.find(key.prefix) == revoked
        assert await keys.find(other.prefix) == other
        await time_passes(A_MINUTE)
        again = await keys.revoke(key.prefix)
        assert again == await keys.find(key.prefix)
        assert again.revoked_at is not None
        assert again.revoked_at - again.created_at < A_MINUTE

    async def test_what_is_no_key_cannot_be_revoked(self, keys: KeyRepo) -> None:
        with pytest.raises(NotFoundError):
            await keys.revoke("0" * 12)

    async def test_a_use_is_recorded_once_in_a_while(self, keys: KeyRepo, time_passes: TimePasses) -> None:
        key, idle = await add(keys), await add(keys)
        await keys.note_uses([key.prefix, "0" * 12], every=A_MINUTE)
        first = await last_use(keys, key)
        assert first >= timedelta(0)
        assert (await keys.find(idle.prefix)) == idle
        await keys.note_uses([key.prefix], every=A_MINUTE)
        assert await last_use(keys, key) == first
        await time_passes(2 * A_MINUTE)
        await keys.note_uses([key.prefix], every=A_MINUTE)
        assert await last_use(keys, key) > A_MINUTE


async def add(keys: KeyRepo, *, owner: str = "kim", lives_for: timedelta = A_DAY) -> ApiKey:
    return await keys.add(an_issued_key(owner, lives_for=lives_for).key, live_at_most=LIVE_KEYS_OF_AN_OWNER)


async def last_use(keys: KeyRepo, key: ApiKey) -> timedelta:
    """How long after it was made."""
    found = await keys.find(key.prefix)
    assert found is not None
    assert found.last_used_at is not None
    return found.last_used_at - found.created_at
