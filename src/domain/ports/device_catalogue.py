"""The reads of what is recorded about devices: who reads and writes them, in what searches may find now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.addresses import Address
from domain.chunk import Place
from domain.device_query import DeviceFilter, WantedDevice
from domain.ladder.roles import Role
from domain.ports.catalogue import Page
from domain.touched import Touched
from domain.uses import Use


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundUse:
    """A use and where it stands. `chunk_id` is its rung's, `comment` that of the device which was asked for."""

    use: Use
    chunk_id: str
    pgm_id: str
    document_id: str
    document_name: str
    place: Place
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """A device that instructions of a program name, and how many uses cover it, by role."""

    address: Address
    bit: int | None
    comment: str
    counts: Mapping[Role, int]

    @property
    def name(self) -> str:
        """As the program's CPU writes it, without zeros in front."""
        return device_name(self.address, self.bit)


def device_name(address: Address, bit: int | None) -> str:
    """A device, or the bit of a word."""
    return str(address) if bit is None else f"{address}.{bit:X}"


class DeviceCatalogue(Protocol):
    """What was recorded of documents that are indexed, of the revision that answers, of programs that are not deleted.

    Raises UnavailableError like every port, InvalidRequestError for a cursor it did not give out.
    """

    async def uses(
        self,
        wanted: WantedDevice,
        *,
        limit: int,
        cursor: str | None = None,
        pgm_id: str | None = None,
        roles: Collection[Role] = (),
    ) -> Page[FoundUse]:
        """The uses that cover a device, those recorded last first; of all roles where none is named.

        None of a program that is unknown.
        """
        ...

    async def devices(
        self, pgm_id: str, filters: Sequence[DeviceFilter] = (), *, limit: int, cursor: str | None = None
    ) -> Page[DeviceView]:
        """The devices that a program names and all filters admit, by space and number. Raises NotFoundError."""
        ...

    async def is_complete(self, pgm_id: str | None = None) -> bool:
        """Whether the uses of every indexed document, or every one of a program, are recorded by any version.

        Those that were indexed by a version that recorded none lack them until a worker has read them again.
        """
        ...

    async def touched(self, pgm_id: str, *, limit: int) -> Sequence[Touched]:
        """What a program does to its devices, summed up, at most so many sums. Raises NotFoundError."""
        ...

    async def commented(self, pgm_id: str) -> frozenset[str]:
        """The devices of a program that have a comment, in canonical spelling."""
        ...

    async def uses_in(self, chunk_ids: Sequence[str]) -> Mapping[str, Sequence[Use]]:
        """What the instructions of these rungs do, in their order; rungs without any are left out."""
        ...

    async def examples(self, touched: Sequence[Touched]) -> Mapping[int, FoundUse]:
        """The outer two uses of each sum, by the number that names them, as far as they are there still."""
        ...
