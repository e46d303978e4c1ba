"""Gather what a question about ladders needs: the best rungs, who writes what they read, what stands beside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from application.search_rungs import SearchAnswer, SearchQuery, SearchRungs
from application.together import together
from domain.chunk import neighbours_of
from domain.context import Piece, Why, packed
from domain.device_query import WantedDevice
from domain.document import DocumentType
from domain.ladder.roles import GIVING, Role
from domain.ports.catalogue import Catalogue, Page
from domain.ports.device_catalogue import DeviceCatalogue, FoundUse, device_name
from domain.search import FoundChunk, SearchScope
from domain.uses import Use

HITS = 5
# Of the hits, as far as there are any: a manual says in words what rungs say in addresses, and sounds nearer.
RUNGS = 3
# Questions to the record, of which each is for one device, and how many of them at once.
_MOST_INPUTS = 24
_INPUTS_AT_ONCE = 4
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
        answer = await self._search(text, SearchScope(pgm_id=pgm_id))
        hits = [hit.chunk for hit in answer.hits]
        if sum(map(_is_rung, hits)) < RUNGS <= sum(not _is_rung(hit) for hit in hits):
            of_ladders = await self._search(text, SearchScope(pgm_id=pgm_id, document_type=DocumentType.LADDER_CSV))
            hits = _with_rungs(hits, [hit.chunk for hit in of_ladders.hits])
        writers = await self._writers(hits)
        beside = {hit.chunk_id: neighbours_of(hit.chunk_id) for hit in hits}
        wanted = {*(writer.chunk_id for writer in writers), *(one for some in beside.values() for one in some)}
        found = await self.catalogue.visible_chunks(sorted(wanted), rendering_version=answer.index.rendering_version)
        pieces = packed(_by_importance(hits, writers, beside, found), budget=budget)
        return Context(pieces=pieces, tokens=sum(piece.tokens for piece in pieces))

    async def _writers(self, hits: Sequence[FoundChunk]) -> list[_Writer]:
        """Of the same program: another program's M100 is another device."""
        uses = await self.devices.uses_in([hit.chunk_id for hit in hits])
        inputs = list(islice(_by_turns(hits, uses), _MOST_INPUTS))
        writers: list[_Writer] = []
        for start in range(0, len(inputs), _INPUTS_AT_ONCE):
            some = inputs[start : start + _INPUTS_AT_ONCE]
            pages = await together(*(self._giving(wanted, hit) for hit, wanted in some))
            writers += (
                _Writer(chunk_id=use.chunk_id, of=hit.chunk_id, device=wanted.name)
                for (hit, wanted), page in zip(some, pages, strict=True)
                for use in page.items
            )
        return writers

    async def _giving(self, wanted: WantedDevice, hit: FoundChunk) -> Page[FoundUse]:
        return await self.devices.uses(wanted, limit=_WRITERS_OF_EACH, pgm_id=hit.pgm_id, roles=GIVING)

    async def _search(self, text: str, scope: SearchScope) -> SearchAnswer:
        return await self.search_rungs(SearchQuery(text=text, scope=scope, limit=HITS))


def _is_rung(chunk: FoundChunk) -> bool:
    return chunk.document_type is DocumentType.LADDER_CSV


def _with_rungs(hits: Sequence[FoundChunk], more: Sequence[FoundChunk]) -> list[FoundChunk]:
    """HITS of them, RUNGS of which are rungs if there are as many; what is put in place of others comes last."""
    places = {hit.chunk_id: place for place, hit in enumerate(hits)}
    rungs = [*filter(_is_rung, hits), *(rung for rung in more if rung.chunk_id not in places)]
    others = [hit for hit in hits if not _is_rung(hit)][: HITS - min(RUNGS, len(rungs))]
    return sorted([*others, *rungs[: HITS - len(others)]], key=lambda hit: places.get(hit.chunk_id, HITS))


def _by_turns(
    hits: Sequence[FoundChunk], uses: Mapping[str, Sequence[Use]]
) -> Iterator[tuple[FoundChunk, WantedDevice]]:
    """The first input of each hit, then the second of each: one that reads much leaves the others theirs."""
    turns = zip_longest(*([(hit, wanted) for wanted in _inputs(uses.get(hit.chunk_id, ()))] for hit in hits))
    return (each for each in chain.from_iterable(turns) if each is not None)


def _inputs(uses: Sequence[Use]) -> Sequence[WantedDevice]:
    read = (use for use in uses if use.role is Role.READ)
    return list(
        dict.fromkeys(
            WantedDevice(name=device_name(use.head, use.bit), addresses=(use.head,), bit=use.bit) for use in read
        )
    )


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
