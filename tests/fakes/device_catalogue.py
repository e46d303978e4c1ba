"""DeviceCatalogue in memory, over what the in-memory unit of work committed."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from domain.addresses import Address
from domain.chunk import Place, chunk_id
from domain.device_query import DeviceFilter, WantedDevice
from domain.document import Document, DocumentState
from domain.errors import InvalidRequestError, NotFoundError
from domain.ladder.roles import Role
from domain.ports.catalogue import Page
from domain.ports.device_catalogue import DeviceCatalogue, DeviceView, FoundUse, device_name
from domain.told import told
from domain.touched import COILS, STEP, Touched
from domain.uses import Use
from fakes.registry import InMemoryRegistry, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visible:
    use_id: int
    rung: int
    use: Use
    document: Document


class InMemoryDeviceCatalogue(DeviceCatalogue):
    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry
        self._cursors: dict[str, tuple[str, tuple[Any, ...]]] = {}

    async def uses(
        self,
        wanted: WantedDevice,
        *,
        limit: int,
        cursor: str | None = None,
        pgm_id: str | None = None,
        roles: Collection[Role] = (),
    ) -> Page[FoundUse]:
        listing = f"uses {wanted.name} {pgm_id} {sorted(roles)}"
        before = self._after(cursor, listing)
        found = [
            each
            for each in sorted(self._visible(pgm_id), key=lambda each: -each.use_id)
            if wanted.is_covered_by(each.use.space, each.use.first, each.use.last, each.use.bit)
            and (not roles or each.use.role in roles)
            and (before is None or (each.use_id,) < before)
        ]
        shown = [self._found(each, wanted.names) for each in found[:limit]]
        return Page(items=tuple(shown), next_cursor=self._cursor(listing, [(each.use_id,) for each in found], limit))

    async def devices(
        self, pgm_id: str, filters: Sequence[DeviceFilter] = (), *, limit: int, cursor: str | None = None
    ) -> Page[DeviceView]:
        self._require(pgm_id)
        listing = f"devices {pgm_id} {filters}"
        after = self._after(cursor, listing)
        heads = sorted({_head(each.use) for each in self._visible(pgm_id)})
        wanted = [
            head
            for head in heads
            if all(one.admits(Address(space=head[0], number=head[1])) for one in filters)
            and (after is None or head > after)
        ]
        return Page(
            items=tuple(self._view(pgm_id, head) for head in wanted[:limit]),
            next_cursor=self._cursor(listing, wanted, limit),
        )

    async def is_complete(self, pgm_id: str | None = None) -> bool:
        documents = [
            each for each in self._tables.indexed() if self._tables.is_visible(each) and pgm_id in {None, each.pgm_id}
        ]
        stored = [self._tables.uses.get(each.document_id) for each in documents]
        return all(
            uses is not None and uses.generation == document.generation and not uses.is_unreadable
            for uses, document in zip(stored, documents, strict=True)
        )

    async def touched(self, pgm_id: str, *, limit: int) -> Sequence[Touched]:
        self._require(pgm_id)
        by_kind = sorted(self._visible(pgm_id), key=lambda each: (_kind(each.use), each.use_id))
        groups = [(kind, list(group)) for kind, group in groupby(by_kind, key=lambda each: _kind(each.use))]
        return [_touched(kind, [each.use_id for each in group]) for kind, group in groups][:limit]

    async def commented(self, pgm_id: str) -> frozenset[str]:
        stored = self._tables.live(pgm_id)
        return frozenset(stored.parts[stored.program.revision].comments.by_device) if stored else frozenset()

    async def uses_in(self, chunk_ids: Sequence[str]) -> Mapping[str, Sequence[Use]]:
        found: dict[str, list[Use]] = {}
        for each in self._visible(None):
            if (name := chunk_id(each.document.ref, each.rung)) in chunk_ids:
                found.setdefault(name, []).append(each.use)
        return found

    async def examples(self, touched: Sequence[Touched]) -> Mapping[int, FoundUse]:
        named = {use_id for each in touched for use_id in (each.first_use, each.last_use)}
        return {each.use_id: self._found(each, ()) for each in self._visible(None) if each.use_id in named}

    @property
    def _tables(self) -> Tables:
        return self._registry.committed

    def _visible(self, pgm_id: str | None) -> Iterator[_Visible]:
        for document_id, stored in self._tables.uses.items():
            document = self._tables.documents[document_id]
            is_answered = document.state is DocumentState.INDEXED and self._tables.is_visible(document)
            if is_answered and document.generation == stored.generation and pgm_id in {None, document.pgm_id}:
                for use_id, (rung, use) in stored.uses.items():
                    yield _Visible(use_id=use_id, rung=rung, use=use, document=document)

    def _require(self, pgm_id: str) -> None:
        if self._tables.live(pgm_id) is None:
            raise NotFoundError("program", pgm_id)

    def _found(self, visible: _Visible, names: Sequence[str]) -> FoundUse:
        document = visible.document
        return FoundUse(
            use=visible.use,
            chunk_id=chunk_id(document.ref, visible.rung),
            pgm_id=document.pgm_id,
            document_id=document.document_id,
            document_name=document.document_name,
            place=Place(
                logic_id=document.logic_id,
                logic_name=document.logic_name,
                folder_id=document.folder_id,
                folder_name=document.folder_name,
                sub_folder_name=document.sub_folder_name,
            ),
            comment=self._comment(document.pgm_id, names),
        )

    def _view(self, pgm_id: str, head: tuple[str, int, int]) -> DeviceView:
        space, number, bit = head
        address, bit_or_none = Address(space=space, number=number), None if bit < 0 else bit
        wanted = WantedDevice(name=device_name(address, bit_or_none), addresses=(address,), bit=bit_or_none)
        covering = (
            each.use.role
            for each in self._visible(pgm_id)
            if wanted.is_covered_by(each.use.space, each.use.first, each.use.last, each.use.bit)
        )
        return DeviceView(
            address=address,
            bit=bit_or_none,
            comment=self._comment(pgm_id, wanted.names),
            counts=dict(Counter(covering)),
        )

    def _comment(self, pgm_id: str, names: Sequence[str]) -> str:
        program = self._tables.programs[pgm_id]
        by_device = program.parts[program.program.revision].comments.by_device
        return next((by_device[name] for name in names if name in by_device), "")

    def _after(self, cursor: str | None, listing: str) -> tuple[Any, ...] | None:
        if cursor is None:
            return None
        given_for, key = self._cursors.get(cursor, ("", ()))
        if given_for != listing:
            raise InvalidRequestError("cursor", told("this cursor was not given out for this listing"))
        return key

    def _cursor(self, listing: str, keys: Sequence[tuple[Any, ...]], limit: int) -> str | None:
        if len(keys) <= limit:
            return None
        cursor = f"cursor-{len(self._cursors)}"
        self._cursors[cursor] = (listing, keys[limit - 1])
        return cursor


def _head(use: Use) -> tuple[str, int, int]:
    return use.space, use.first, -1 if use.bit is None else use.bit


def _kind(use: Use) -> tuple[str, int, int, int, Role, bool, bool, bool]:
    is_coil = use.mnemonic in COILS and use.role in {Role.WRITE, Role.PRESET}
    bit = -1 if use.bit is None else use.bit
    is_vague = use.is_open or use.is_shifted
    return use.space, use.first, use.last, bit, use.role, is_coil, use.mnemonic == STEP, is_vague


def _touched(kind: tuple[str, int, int, int, Role, bool, bool, bool], use_ids: Sequence[int]) -> Touched:
    space, first, last, bit, role, is_coil, is_step, is_vague = kind
    return Touched(
        space=space,
        first=first,
        last=last,
        bit=None if bit < 0 else bit,
        role=role,
        is_coil=is_coil,
        is_step=is_step,
        is_vague=is_vague,
        count=len(use_ids),
        first_use=min(use_ids),
        last_use=max(use_ids),
    )
