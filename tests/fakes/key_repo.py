"""KeyRepo in memory."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from domain.api_key import ApiKey, KeyStanding, NewKey
from domain.errors import ConflictError, NotFoundError, UnavailableError
from domain.ports.key_repo import KeyRepo


class InMemoryKeyRepo(KeyRepo):
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.kept: dict[str, ApiKey] = {}

    async def add(self, key: NewKey, *, live_at_most: int) -> ApiKey:
        now = self._clock()
        mine = [kept for kept in self.kept.values() if kept.owner == key.owner]
        if sum(kept.standing(now) is KeyStanding.LIVE for kept in mine) >= live_at_most:
            raise ConflictError(f"{key.owner} has {live_at_most} live keys already: revoke one first")
        if key.prefix in self.kept:
            raise ConflictError("the prefix of the key is taken")
        self.kept[key.prefix] = ApiKey(
            prefix=key.prefix,
            owner=key.owner,
            digest=key.digest,
            scopes=key.scopes,
            created_at=now,
            expires_at=now + key.lives_for,
        )
        return self.kept[key.prefix]

    async def find(self, prefix: str) -> ApiKey | None:
        return self.kept.get(prefix)

    async def page(self, *, limit: int, after: ApiKey | None = None, owner: str | None = None) -> list[ApiKey]:
        place = (after.owner, after.prefix) if after else ("", "")
        by_place = {(key.owner, key.prefix): key for key in self.kept.values() if owner in {None, key.owner}}
        return [by_place[each] for each in sorted(by_place) if each > place][:limit]

    async def revoke(self, prefix: str) -> ApiKey:
        if prefix not in self.kept:
            raise NotFoundError("key", prefix)
        key = self.kept[prefix]
        self.kept[prefix] = replace(key, revoked_at=key.revoked_at or self._clock())
        return self.kept[prefix]

    async def note_uses(self, prefixes: Collection[str], *, every: timedelta) -> None:
        now = self._clock()
        for prefix in self.kept.keys() & set(prefixes):
            key = self.kept[prefix]
            if key.last_used_at is None or key.last_used_at <= now - every:
                self.kept[prefix] = replace(key, last_used_at=now)


class CountingKeyRepo(InMemoryKeyRepo):
    """Counts how often it is asked for a key, and gives no answer at all while `is_down`."""

    asked = 0
    is_down = False

    async def find(self, prefix: str) -> ApiKey | None:
        self.asked += 1
        self._require_up()
        return await super().find(prefix)

    async def note_uses(self, prefixes: Collection[str], *, every: timedelta) -> None:
        self._require_up()
        await super().note_uses(prefixes, every=every)

    def _require_up(self) -> None:
        if self.is_down:
            raise UnavailableError("postgres", "no connection")
