"""Gather what a question about ladders needs: the best rungs, who writes what they read, what stands beside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from application.search_rungs import SearchQuery, SearchRungs
from domain.chunk import neighbours_of
from domain.context import Piece, Why, packed
from domain.device_query import WantedDevice
from domain.ladder.roles import GIVING, Role
from domain.ports.catalogue import Catalogue
from domain.ports.device_catalogue import DeviceCatalogue, device_name
from domain.search import FoundChunk, SearchScope
from domain.uses import Use

HITS = 5
# Questions to the record, of which each is for one device.
_MOST_INPUTS = 24
_WRITERS_OF_EACH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The pieces that fit, most important first, and how many tokens they take by the estimate."""

    pieces: Sequence[Piece]
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    chunk_id: str
    of: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherContext:
    """Raises what a search raises: UnavailableError, InvalidRequestError."""

    search_rungs: SearchRungs
    catalogue: Catalogue
    devices: DeviceCatalogue

    async def __call__(self, text: str, *, budget: int, pgm_id: str | None = None) -> Context:
        """Hits first, then the rungs that write their inputs, then their neighbours, as far as the budget goes."""
        answer = await self.search_rungs(SearchQuery(text=text, scope=SearchScope(pgm_id=pgm_id), limit=HITS))
        hits = [hit.chunk for hit in answer.hits]
        writers = await self._writers(hits)
        beside = {hit.chunk_id: neighbours_of(hit.chunk_id) for hit in hits}
        wanted = {*(writer.chunk_id for writer in writers), *(one for some in beside.values() for one in some)}
        found = await self.catalogue.visible_chunks(sorted(wanted), rendering_version=answer.index.rendering_version)
        pieces = packed(_by_importance(hits, writers, beside, found), budget=budget)
        return Context(pieces=pieces, tokens=sum(piece.tokens for piece in pieces))

    async def _writers(self, hits: Sequence[FoundChunk]) -> list[_Writer]:
        """Of the same program: another program's M100 is another device."""
        uses = await self.devices.uses_in([hit.chunk_id for hit in hits])
        writers: list[_Writer] = []
        for hit, wanted in list(_inputs(hits, uses))[:_MOST_INPUTS]:
            page = await self.devices.uses(wanted, limit=_WRITERS_OF_EACH, pgm_id=hit.pgm_id, roles=GIVING)
            writers += (_Writer(chunk_id=use.chunk_id, of=hit.chunk_id, device=wanted.name) for use in page.items)
        return writers


def _inputs(hits: Sequence[FoundChunk], uses: Mapping[str, Sequence[Use]]) -> Iterator[tuple[FoundChunk, WantedDevice]]:
    for hit in hits:
        read = (use for use in uses.get(hit.chunk_id, ()) if use.role is Role.READ)
        for wanted in dict.fromkeys(
            WantedDevice(name=device_name(use.head, use.bit), addresses=(use.head,), bit=use.bit) for use in read
        ):
            yield hit, wanted


def _by_importance(
    hits: Sequence[FoundChunk],
    writers: Sequence[_Writer],
    beside: Mapping[str, Sequence[str]],
    found: Mapping[str, FoundChunk],
) -> Iterator[Piece]:
    for hit in hits:
        yield Piece(chunk=hit, why=Why.HIT)
    for writer in writers:
        if writer.chunk_id in found:
            yield Piece(chunk=found[writer.chunk_id], why=Why.WRITES, of=writer.of, device=writer.device)
    for hit in hits:
        for chunk_id in beside[hit.chunk_id]:
            if chunk_id in found:
                yield Piece(chunk=found[chunk_id], why=Why.NEIGHBOUR, of=hit.chunk_id)
