"""Many crashes against one set of servers: programs that die at armed points while uploads and deletes go on."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from faults.history import Client, Operation, Outcome, revised, some_files
from faults.nursery import Program
from faults.points import CRASHED, Point, armed
from faults.site import Site

_CRASHES_WITHIN_S = 20.0
_MOST_PASSAGES = 2


@dataclass(slots=True, kw_only=True)
class Campaign:
    """Crash runs on one site. Every choice comes from `chance`; `crashes` counts them by point."""

    site: Site
    client: Client
    chance: random.Random
    crashes: Counter[Point] = field(default_factory=Counter)
    deletable: list[str] = field(default_factory=list)

    async def run(self, points: Sequence[Point], *, at_once: int = 2) -> None:
        """One crash of a worker at each of the points, in a random order, `at_once` workers beside each other."""
        waiting = list(points)
        self.chance.shuffle(waiting)

        async def one_after_the_other() -> None:
            while waiting:
                await self.crash_at(waiting.pop())

        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))

    async def crash_at(self, point: Point) -> None:
        """Give workers something to do until one that is armed there has died there."""
        passage = self.chance.randint(1, _MOST_PASSAGES)
        worker = self.site.worker(**armed(point, passage=passage))
        feeding = asyncio.create_task(self._feed(point, worker))
        try:
            code = await worker.ended(within_s=_CRASHES_WITHIN_S)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        assert code == CRASHED, f"{point}: exit code {code}\n{worker.said}"
        self.crashes[point] += 1

    async def duplicate_deliveries(self) -> int:
        """How often work was begun again after somebody had begun it before."""
        (row,) = await self.site.execute("SELECT coalesce(sum(attempts - 1), 0) AS n FROM outbox WHERE attempts > 1")
        return int(row["n"])

    async def _feed(self, point: Point, worker: Program) -> None:
        while worker.exit_code is None:
            if point.owner == "purge" and self.chance.random() < 0.7:
                await self._delete()
            elif self.deletable and self.chance.random() < 0.3:
                await self._replace(self.chance.choice(self.deletable))
            else:
                await self._upload()
            await asyncio.sleep(0.3)

    async def _upload(self) -> Operation:
        uploaded = await self.client.upload(some_files(self.chance))
        if uploaded.outcome is Outcome.OK:
            self.deletable.append(uploaded.pgm_id)
        return uploaded

    async def _replace(self, pgm_id: str) -> None:
        """A new revision, and the purge of the one before."""
        files = self.client.history.sent(pgm_id)[-1].files
        assert files
        await self.client.replace(pgm_id, revised(files, self.chance))

    async def _delete(self) -> None:
        if not self.deletable:
            await self._upload()
        if self.deletable:
            await self.client.delete(self.deletable.pop(self.chance.randrange(len(self.deletable))))
