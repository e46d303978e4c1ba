"""See to it that the index which documents are indexed into is there, and notice when it was lost."""

import logging
from dataclasses import dataclass
from enum import StrEnum

from domain.ports.unit_of_work import UnitOfWork
from domain.ports.vector_index import VectorIndex

_log = logging.getLogger(__name__)


class Standing(StrEnum):
    """What the index of this process is: the current one, that one still being built, or not the current one."""

    READY = "ready"
    INCOMPLETE = "incomplete"
    NOT_CURRENT = "not current"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepIndex:
    """May be asked again and again, by any number of workers."""

    unit_of_work: UnitOfWork
    index: VectorIndex

    async def __call__(self, *, is_open: bool) -> Standing:
        """Look at the index, and prepare it unless `is_open` says that this was done and it is there.

        Raises UnavailableError and MisconfiguredError like the index itself.
        """
        async with self.unit_of_work.begin() as transaction:
            registered = await transaction.indexes.adopt(self.index.key)
        if registered.key != self.index.key:
            return Standing.NOT_CURRENT
        held = await self.index.count()
        is_lost = registered.holds_chunks and not held
        if is_lost:
            # Before it is made anew: an empty index must not look like a complete one for a moment.
            _log.error("the vector index has lost what it held: it is built again")
            async with self.unit_of_work.begin() as transaction:
                await transaction.indexes.lost(self.index.key)
        if held is None or is_lost or not is_open:
            await self.index.prepare()
            await self.index.publish()
        return Standing.READY if registered.is_complete and not is_lost else Standing.INCOMPLETE
