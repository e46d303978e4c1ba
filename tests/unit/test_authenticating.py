"""Who is asking, by a key: what is issued, what opens, what does not, and for how long a process believes it."""

import hashlib
import re
import unicodedata
from datetime import timedelta
from typing import Any

import pytest

from adapters.identity.no_issuer import NoIssuer
from application.authenticate import Authenticate
from application.create_key import CreatedKey, CreateKey
from application.known_keys import REMEMBERED_S, KnownKeys
from application.list_keys import ListKeys
from application.rate_limiter import RateLimiter
from application.revoke_key import RevokeKey
from domain.api_key import LONGEST_LIFE, issue
from domain.caller import ANYBODY, NOBODY, Caller, Scope, caller_name
from domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)
from domain.rate import Rate
from fakes.key_repo import CountingKeyRepo
from fakes.registry import ManualClock

A_DAY = timedelta(days=1)
WRITE = frozenset({Scope.WRITE})


class Process:
    """An API process: what it knows of keys, with a clock of its own that the test moves."""

    def __init__(
        self, keys: CountingKeyRepo, clock: ManualClock, *, capacity: int = 8, strangers_per_minute: int = 0
    ) -> None:
        self.seconds = 0.0
        self.known = KnownKeys(keys, monotonic=lambda: self.seconds, capacity=capacity)
        strangers = RateLimiter(Rate(per_minute=strangers_per_minute), monotonic=lambda: self.seconds)
        self.authenticate = Authenticate(keys=self.known, strangers=strangers, tokens=NoIssuer(), clock=clock)

    async def refusal(self, credential: str) -> UnauthenticatedError:
        with pytest.raises(UnauthenticatedError) as raised:
            await self.authenticate(credential, origin="192.0.2.7")
        return raised.value


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def keys(clock: ManualClock) -> CountingKeyRepo:
    return CountingKeyRepo(clock)


@pytest.fixture
def process(keys: CountingKeyRepo, clock: ManualClock) -> Process:
    return Process(keys, clock)


_DRAWN = iter(range(1, 1_000_000))


async def create(keys: CountingKeyRepo, owner: str = "kim", scopes: frozenset[Scope] = WRITE) -> CreatedKey:
    return await CreateKey(keys=keys, randomness=lambda size: 2 * next(_DRAWN).to_bytes(size // 2, "little"))(
        owner, scopes, A_DAY
    )


def test_a_key_has_a_public_prefix_and_256_secret_bits_of_which_the_hash_alone_is_kept() -> None:
    issued = issue("kim", WRITE, A_DAY, randomness=bytes(range(38)))
    assert issued.text == f"lb_{bytes(range(6)).hex()}_{bytes(range(6, 38)).hex()}"
    assert issued.key.digest == hashlib.sha256(issued.text.encode()).digest()
    assert issued.text not in repr(issued)
    assert "digest" not in repr(issued.key)


def test_too_little_randomness_makes_no_key() -> None:
    with pytest.raises(ValueError, match="38 random bytes"):
        issue("kim", WRITE, A_DAY, randomness=bytes(37))


RIGHT: dict[str, Any] = {"owner": "kim", "scopes": WRITE, "lives_for": A_DAY, "randomness": bytes(38)}


@pytest.mark.parametrize(
    "wrong",
    [
        {"owner": " "},
        {"owner": "k" * 201},
        {"owner": "kim\nadmin"},
        {"owner": "kim\u202e"},
        {"scopes": frozenset()},
        {"lives_for": timedelta(0)},
        {"lives_for": LONGEST_LIFE + A_DAY},
    ],
)
def test_what_no_key_can_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        issue(**RIGHT | wrong)


def test_a_name_is_kept_trimmed_and_composed() -> None:
    assert caller_name(" 김\u1103\u1162\u1105\u1175 ") == "김대리"


@pytest.mark.parametrize(
    ("has", "may"),
    [
        (Scope.READ, [Scope.READ]),
        (Scope.WRITE, [Scope.READ, Scope.WRITE]),
        (Scope.ADMIN, [Scope.READ, Scope.WRITE, Scope.ADMIN]),
    ],
)
def test_each_scope_allows_what_stands_before_it(has: Scope, may: list[Scope]) -> None:
    caller = Caller(identity="key:kim", name="kim", scopes=frozenset({has}))
    assert [scope for scope in Scope if caller.may(scope)] == may


def test_what_a_caller_may_not_do_is_told_by_the_scope_that_is_missing() -> None:
    ANYBODY.require(Scope.ADMIN)
    with pytest.raises(ForbiddenError) as raised:
        NOBODY.require(Scope.READ)
    assert raised.value.needed == "read"


async def test_a_key_tells_its_owner_and_scopes(keys: CountingKeyRepo, process: Process) -> None:
    created = await create(keys, "김 대리")
    caller = await process.authenticate(created.text, origin="192.0.2.7")
    assert caller == Caller(identity="key:김 대리", name="김 대리", scopes=WRITE, credential=created.key.prefix)


async def test_both_keys_of_an_owner_are_one_caller(keys: CountingKeyRepo, process: Process) -> None:
    first, second = await create(keys), await create(keys)
    callers = [await process.authenticate(each.text, origin="192.0.2.7") for each in (first, second)]
    assert {caller.identity for caller in callers} == {"key:kim"}
    with pytest.raises(ConflictError):
        await create(keys)


async def test_a_secret_of_another_key_opens_nothing(keys: CountingKeyRepo, process: Process) -> None:
    mine, theirs = await create(keys), await create(keys, "lee")
    mixed = f"lb_{mine.key.prefix}_{theirs.text.rpartition('_')[2]}"
    refusal = await process.refusal(mixed)
    assert (refusal.reason, refusal.credential) == ("its secret is another", mine.key.prefix)


@pytest.mark.parametrize("tail", ["", "0", "G", "\n", " "])
async def test_what_is_not_spelled_like_a_key_is_not_looked_up(
    keys: CountingKeyRepo, process: Process, tail: str
) -> None:
    created = await create(keys)
    text = created.text[: -1 if tail in {"", "G"} else None] + tail
    assert (await process.refusal(text)).reason == "it is cut off or misspelled"
    assert keys.asked == 0


async def test_an_expired_key_opens_nothing_from_that_moment(
    keys: CountingKeyRepo, process: Process, clock: ManualClock
) -> None:
    created = await create(keys)
    await clock.advance(A_DAY - timedelta(seconds=1))
    await process.authenticate(created.text, origin="192.0.2.7")
    await clock.advance(timedelta(seconds=1))  # what is remembered of a key does not keep it alive
    assert (await process.refusal(created.text)).reason == "the key is expired"


async def test_a_revoked_key_opens_nothing_anywhere_within_a_minute(keys: CountingKeyRepo, clock: ManualClock) -> None:
    created = await create(keys)
    replicas = [Process(keys, clock), Process(keys, clock)]
    for replica in replicas:
        await replica.authenticate(created.text, origin="192.0.2.7")
    await RevokeKey(keys=keys)(created.key.prefix)
    for replica in replicas:
        replica.seconds += 59
        assert (await replica.refusal(created.text)).reason == "the key is revoked"
    assert REMEMBERED_S < 60


async def test_using_a_key_does_not_keep_it_in_memory(keys: CountingKeyRepo, process: Process) -> None:
    created = await create(keys)
    await process.authenticate(created.text, origin="192.0.2.7")
    await RevokeKey(keys=keys)(created.key.prefix)
    for _ in range(3):
        process.seconds += REMEMBERED_S / 3
        if process.seconds < REMEMBERED_S:
            await process.authenticate(created.text, origin="192.0.2.7")
    await process.refusal(created.text)


async def test_a_key_is_revoked_by_its_whole_text_too(keys: CountingKeyRepo, process: Process) -> None:
    created = await create(keys)
    assert (await RevokeKey(keys=keys)(created.text)).prefix == created.key.prefix
    await process.refusal(created.text)
    with pytest.raises(NotFoundError):
        await RevokeKey(keys=keys)("0" * 12)


async def test_the_record_is_asked_once_for_many_requests(keys: CountingKeyRepo, process: Process) -> None:
    created = await create(keys)
    for _ in range(5):
        await process.authenticate(created.text, origin="192.0.2.7")
        await process.refusal("lb_" + "0" * 12 + "_" + "0" * 64)
    assert keys.asked == 2


async def test_what_is_remembered_is_bounded_and_the_used_ones_stay(keys: CountingKeyRepo, process: Process) -> None:
    created = await create(keys)
    for number in range(20):
        await process.authenticate(created.text, origin="192.0.2.7")
        await process.refusal(f"lb_{number:012x}_" + "0" * 64)
    assert keys.asked == 21
    assert len(process.known._remembered) == 8


async def test_a_database_that_is_down_is_told_as_that_and_what_is_remembered_goes_on(
    keys: CountingKeyRepo, process: Process
) -> None:
    created = await create(keys)
    await process.authenticate(created.text, origin="192.0.2.7")
    keys.is_down = True
    await process.authenticate(created.text, origin="192.0.2.7")
    process.seconds += REMEMBERED_S
    with pytest.raises(UnavailableError):
        await process.authenticate(created.text, origin="192.0.2.7")


async def test_the_last_use_is_told_later_and_no_request_waits_for_it(
    keys: CountingKeyRepo, process: Process, clock: ManualClock
) -> None:
    created, idle = await create(keys), await create(keys, "lee")
    await process.authenticate(created.text, origin="192.0.2.7")
    await process.refusal(f"lb_{idle.key.prefix}_" + "0" * 64)
    assert keys.kept[created.key.prefix].last_used_at is None
    keys.is_down = True
    await process.known.tell_uses()
    keys.is_down = False
    await process.known.tell_uses()
    assert keys.kept[created.key.prefix].last_used_at == clock()
    assert keys.kept[idle.key.prefix].last_used_at is None


async def test_a_use_that_is_told_is_not_told_again(
    keys: CountingKeyRepo, process: Process, clock: ManualClock
) -> None:
    created = await create(keys)
    await process.authenticate(created.text, origin="192.0.2.7")
    await process.known.tell_uses()
    at = clock()
    await clock.advance(timedelta(minutes=5))
    await process.known.tell_uses()
    assert keys.kept[created.key.prefix].last_used_at == at


async def test_a_token_is_refused_where_no_issuer_is_trusted(process: Process) -> None:
    assert re.search("no issuer", (await process.refusal("e30.e30.")).reason)


async def test_all_keys_are_listed_page_by_page(keys: CountingKeyRepo) -> None:
    for owner in ("lee", "kim", "choi"):
        await create(keys, owner)
    list_keys = ListKeys(keys=keys, page_size=2)
    assert [key.owner async for key in list_keys()] == ["choi", "kim", "lee"]
    assert [key.owner async for key in list_keys("kim")] == ["kim"]


async def test_an_owner_is_found_in_either_spelling_of_hangul(keys: CountingKeyRepo) -> None:
    await create(keys, "김")
    assert [key.owner async for key in ListKeys(keys=keys)(unicodedata.normalize("NFD", " 김"))] == ["김"]


async def test_made_up_keys_of_one_address_stop_asking_the_record_and_shut_out_nobody_who_is_known(
    keys: CountingKeyRepo, clock: ManualClock
) -> None:
    known, late = await create(keys), await create(keys, "lee")
    process = Process(keys, clock, capacity=64, strangers_per_minute=10)
    await process.authenticate(known.text, origin="192.0.2.7")
    asked = keys.asked
    made_up = [f"lb_{number:012x}_{'0' * 64}" for number in range(1, 31)]
    outcomes = [await _outcome(process, text, "192.0.2.7") for text in made_up]
    assert outcomes == [UnauthenticatedError] * 9 + [RateLimitedError] * 21
    assert keys.asked - asked == 9
    process.seconds = REMEMBERED_S  # long enough for what is known to be asked for anew, not for another token
    assert await _outcome(process, known.text, "192.0.2.7") is None
    assert await _outcome(process, late.text, "192.0.2.8") is None


async def _outcome(process: Process, text: str, origin: str) -> type[Exception] | None:
    try:
        await process.authenticate(text, origin=origin)
    except (UnauthenticatedError, RateLimitedError) as error:
        return type(error)
    return None
