"""The in-memory record of keys keeps the promises of the real one."""

import pytest

from contracts.key_repo import KeyRepoContract
from contracts.outbox import TimePasses
from fakes.key_repo import InMemoryKeyRepo
from fakes.registry import ManualClock


class TestInMemoryKeyRepo(KeyRepoContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def keys(self, clock: ManualClock) -> InMemoryKeyRepo:
        return InMemoryKeyRepo(clock)

    @pytest.fixture
    def time_passes(self, clock: ManualClock) -> TimePasses:
        return clock.advance
