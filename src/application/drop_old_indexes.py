"""Remove the indexes that another one has taken the place of, once no process searches them any more."""

from dataclasses import dataclass

from domain.errors import ConflictError
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.vector_index import VectorIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class DropOldIndexes:
    """Whoever still searches an old index is answered that it is unavailable from then on."""

    unit_of_work: UnitOfWork
    index: VectorIndex

    async def __call__(self) -> int:
        """Drop every index but this process' own; how many. Raises ConflictError unless that is the current one."""
        async with self.unit_of_work.begin() as transaction:
            current = await transaction.indexes.current()
            if current is None or current.key != self.index.key or not current.is_complete:
                raise ConflictError(f"the index of {self.index.key} is not the one in use")
            await transaction.indexes.hold_current(self.index.key)  # no other one becomes it meanwhile
            await transaction.indexes.forget_others(self.index.key)
        return await self.index.drop_others()
