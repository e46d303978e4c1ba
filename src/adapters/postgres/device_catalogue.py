"""DeviceCatalogue on Postgres."""

import hashlib
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import CTE, FromClause, Row, Select, and_, exists, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import Text

from adapters.postgres.cursors import cursor_after, key_of, text_key_of
from adapters.postgres.error_translation import translated_errors
from adapters.postgres.many_rows import as_table
from adapters.postgres.program_rows import PGM_ID_PREFIX
from adapters.postgres.tables import chunks, device_comments, device_uses, documents, programs, used_documents
from adapters.postgres.use_repo import has_uses
from adapters.postgres.use_rows import ALL_OF_A_WORD, counts_by_device, found_use_of_row, touched_of_row
from domain.addresses import LARGEST, Address
from domain.chunk import parts_of
from domain.device_query import DeviceFilter, WantedDevice
from domain.document import DocumentState
from domain.errors import InvalidRequestError, NotFoundError
from domain.ladder.roles import Role
from domain.ports.catalogue import Page
from domain.ports.device_catalogue import DeviceCatalogue, DeviceView, FoundUse, device_name
from domain.told import told
from domain.touched import COILS, STEP, Touched
from domain.uses import Use

_ANSWERS = and_(programs.c.deleted_dt.is_(None), programs.c.revision == documents.c.revision)
_IS_INDEXED = documents.c.state == DocumentState.INDEXED.value
_SHOWN = (
    documents.c.pgm_id,
    documents.c.revision,
    documents.c.document_id,
    documents.c.generation,
    documents.c.document_name,
    documents.c.logic_id,
    documents.c.logic_name,
    documents.c.folder_id,
    documents.c.folder_name,
    documents.c.sub_folder_name,
)
ROWS_AT_ONCE = 2_000
# Lengths and names of devices are bounded, what a comment file holds is not: the index knows as much.
_INDEXED_CHARACTERS = 64
_KEY = re.compile(r"(?P<space>[A-Z0-9\\]{1,16}),(?P<first>[0-9]{1,10}),(?P<bit>-1|[0-9]|1[0-5])")


class PostgresDeviceCatalogue(DeviceCatalogue):
    """Reads of what is visible. A page costs what it shows, however many uses there are."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def uses(
        self,
        wanted: WantedDevice,
        *,
        limit: int,
        cursor: str | None = None,
        pgm_id: str | None = None,
        roles: Collection[Role] = (),
    ) -> Page[FoundUse]:
        """See the port. The newest have the highest numbers; what is recorded meanwhile shows in no later page."""
        listing = f"uses:{wanted.name}:{pgm_id or ''}:{','.join(sorted(roles))}"
        conditions = [_of_program(pgm_id)] if pgm_id is not None else []
        if cursor is not None:
            conditions.append(device_uses.c.use_id < key_of(cursor, listing=listing))
        if roles:
            conditions.append(device_uses.c.role.in_([role.value for role in roles]))
        if wanted.bit is not None:
            conditions.append(device_uses.c.bit.in_([ALL_OF_A_WORD, wanted.bit]))
        rows = await self._rows(_select_covering(wanted, conditions, limit=limit + 1))
        return Page(
            items=tuple(map(found_use_of_row, rows[:limit])),
            next_cursor=cursor_after(listing, rows[limit - 1].use_id) if len(rows) > limit else None,
        )

    async def devices(
        self, pgm_id: str, filters: Sequence[DeviceFilter] = (), *, limit: int, cursor: str | None = None
    ) -> Page[DeviceView]:
        """See the port."""
        await self._require(pgm_id)
        listing = _listing(pgm_id, filters)
        conditions = [_of_program(pgm_id), *map(_is_admitted, filters)]
        if cursor is not None:
            conditions.append(_is_after(text_key_of(cursor, listing=listing)))
        heads = _select_heads(conditions, limit=limit + 1)
        rows = await self._rows(_select_counts(pgm_id, heads))
        views = counts_by_device(rows)
        comments = await self._comments(pgm_id, [device_name(each, bit) for each, bit in views])
        items = tuple(
            DeviceView(address=address, bit=bit, comment=_comment_of(address, bit, comments), counts=counts)
            for (address, bit), counts in list(views.items())[:limit]
        )
        return Page(items=items, next_cursor=cursor_after(listing, _key(items[-1])) if len(views) > limit else None)

    async def is_complete(self, pgm_id: str | None = None) -> bool:
        """See the port."""
        of_program = [documents.c.pgm_id == pgm_id] if pgm_id is not None else []
        is_unread = exists().where(
            used_documents.c.document_id == documents.c.document_id, used_documents.c.is_unreadable
        )
        lacking = (
            select(documents.c.document_id)
            .join(programs, programs.c.pgm_id == documents.c.pgm_id)
            .where(_ANSWERS, _IS_INDEXED, or_(~has_uses(), is_unread.correlate(documents)), *of_program)
            .limit(1)
        )
        return not await self._rows(lacking)

    async def touched(self, pgm_id: str, *, limit: int) -> Sequence[Touched]:
        """See the port."""
        await self._require(pgm_id)
        uses = device_uses.c
        is_coil = uses.mnemonic.in_(COILS) & uses.role.in_([Role.WRITE.value, Role.PRESET.value])
        what = (
            uses.space,
            uses.first,
            uses.last,
            uses.bit,
            uses.role,
            is_coil.label("is_coil"),
            (uses.mnemonic == STEP).label("is_step"),
            (uses.is_open | uses.is_shifted).label("is_vague"),
        )
        summed = (
            select(
                *what,
                func.count().label("how_many"),
                func.min(uses.use_id).label("first_use"),
                func.max(uses.use_id).label("last_use"),
            )
            .select_from(_visible(device_uses))
            .where(_of_program(pgm_id), documents.c.pgm_id == pgm_id, _ANSWERS)  # all of it, by whichever index
            .group_by(*what)
            .order_by(uses.space, uses.first)
            .limit(limit)
        )
        return [touched_of_row(row) async for row in self._slowly(summed)]

    async def commented(self, pgm_id: str) -> frozenset[str]:
        """See the port."""
        rows = self._slowly(
            select(device_comments.c.device)
            .join(programs, _is_of_revision(programs.c.pgm_id, programs.c.revision))
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
        )
        return frozenset([row.device async for row in rows])

    async def uses_in(self, chunk_ids: Sequence[str]) -> Mapping[str, Sequence[Use]]:
        """See the port."""
        if not chunk_ids:
            return {}
        named = list(map(parts_of, chunk_ids))
        asked = as_table(
            {
                "document_id": [ref.document_id for ref, _ in named],
                "generation": [ref.generation for ref, _ in named],
                "ordinal": [ordinal for _, ordinal in named],
            },
            like=chunks,
        )
        is_asked = and_(
            documents.c.document_id == asked.c.document_id,
            documents.c.generation == asked.c.generation,
            device_uses.c.rung == asked.c.ordinal,
        )
        rows = await self._rows(
            select(device_uses, *_SHOWN, literal("").label("comment"))
            .select_from(_visible(device_uses).join(asked, is_asked))
            .where(_ANSWERS)
            .order_by(device_uses.c.use_id)
        )
        found: dict[str, list[Use]] = {}
        for each in map(found_use_of_row, rows):
            found.setdefault(each.chunk_id, []).append(each.use)
        return found

    async def examples(self, touched: Sequence[Touched]) -> Mapping[int, FoundUse]:
        """See the port. By what they touch: no index begins at the numbers alone."""
        named = [(each, use_id) for each in touched for use_id in {each.first_use, each.last_use}]
        if not named:
            return {}
        asked = as_table(
            {
                "space": [each.space for each, _ in named],
                "first": [each.first for each, _ in named],
                "use_id": [use_id for _, use_id in named],
            },
            like=device_uses,
        )
        uses = device_uses.c
        is_asked = and_(uses.space == asked.c.space, uses.first == asked.c.first, uses.use_id == asked.c.use_id)
        rows = await self._rows(
            select(device_uses, *_SHOWN, literal("").label("comment"))
            .select_from(_visible(device_uses.join(asked, is_asked)))
            .where(_ANSWERS)
        )
        return {row.use_id: found_use_of_row(row) for row in rows}

    async def _require(self, pgm_id: str) -> None:
        is_live = and_(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
        if not await self._rows(select(programs.c.pgm_id).where(is_live)):
            raise NotFoundError("program", pgm_id)

    async def _comments(self, pgm_id: str, names: Sequence[str]) -> Mapping[str, str]:
        """Of these devices, and of the words of which they are bits."""
        if not names:
            return {}
        asked = as_table({"device": [*{*names, *(name.partition(".")[0] for name in names)}]}, like=device_comments)
        rows = await self._rows(
            select(device_comments.c.device, device_comments.c.comment)
            .join(programs, _is_of_revision(programs.c.pgm_id, programs.c.revision))
            .join(asked, and_(_indexed_name(asked.c.device), device_comments.c.device == asked.c.device))
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
        )
        return {row.device: row.comment for row in rows}

    async def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with translated_errors():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
                return rows

    async def _slowly(self, statement: Select[Any]) -> AsyncIterator[Row[Any]]:
        """Rows of which there may be hundreds of thousands, in slices with a turn of the event loop between them."""
        with translated_errors():
            async with self._engine.connect() as connection:
                found = await connection.stream(statement, execution_options={"yield_per": ROWS_AT_ONCE})
                async for rows in found.partitions():
                    for row in rows:
                        yield row


def _visible(uses: FromClause) -> FromClause:
    """The uses with the documents and programs that they are of; `_ANSWERS` remains to be asked for."""
    is_recorded = and_(
        documents.c.document_id == used_documents.c.document_id,
        documents.c.generation == used_documents.c.generation,
        _IS_INDEXED,
    )
    return (
        uses.join(used_documents, used_documents.c.set_id == device_uses.c.set_id)
        .join(documents, is_recorded)
        .join(programs, programs.c.pgm_id == documents.c.pgm_id)
    )


def _select_covering(wanted: WantedDevice, conditions: Sequence[ColumnElement[bool]], *, limit: int) -> Select[Any]:
    """Each way in by an index of its own: what begins at the device, and ranges that begin before it."""
    branches = []
    for address in wanted.addresses:
        uses = device_uses.c
        begins_here = uses.first == address.number
        reaches_here = and_(
            uses.last > uses.first,
            uses.first < address.number,
            func.int4range(uses.first, uses.last, "[]").op("@>")(literal(address.number)),
        )
        branches += [
            select(device_uses, *_SHOWN)
            .select_from(_visible(device_uses))
            .where(uses.space == address.space, is_covered, _ANSWERS, *conditions)
            .order_by(uses.use_id.desc())
            .limit(limit)
            for is_covered in (begins_here, reaches_here)
        ]
    found = union_all(*(select(branch.subquery()) for branch in branches)).subquery("found")
    names = [_comment(found, name) for name in wanted.names]
    return select(found, func.coalesce(*names, "").label("comment")).order_by(found.c.use_id.desc()).limit(limit)


def _comment(found: FromClause, name: str) -> ColumnElement[str]:
    device = literal(name, Text)
    return (
        select(device_comments.c.comment)
        .where(
            _is_of_revision(found.c.pgm_id, found.c.revision),
            _indexed_name(device),
            device_comments.c.device == device,
        )
        .limit(1)
        .correlate(found)
        .scalar_subquery()
    )


def _is_of_revision(pgm_id: ColumnElement[str], revision: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(device_comments.c.pgm_id == pgm_id, device_comments.c.revision == revision)


def _indexed_name(device: ColumnElement[str]) -> ColumnElement[bool]:
    return func.left(device_comments.c.device, _INDEXED_CHARACTERS) == func.left(device, _INDEXED_CHARACTERS)


def _of_program(pgm_id: str) -> ColumnElement[bool]:
    return device_uses.c.pgm_number == int(pgm_id.removeprefix(PGM_ID_PREFIX))


def _is_admitted(one: DeviceFilter) -> ColumnElement[bool]:
    uses = device_uses.c
    admitted = [and_(uses.space == each.space, uses.first.between(each.first, each.last)) for each in one.ranges]
    if one.space_prefix:
        admitted.append(uses.space.startswith(one.space_prefix, autoescape=True))
    return or_(*admitted)


def _select_heads(conditions: Sequence[ColumnElement[bool]], *, limit: int) -> CTE:
    uses = device_uses.c
    what = (uses.space, uses.first, uses.bit)
    statement = select(*what).select_from(_visible(device_uses)).where(_ANSWERS, *conditions).distinct()
    return statement.order_by(*what).limit(limit).cte("heads").prefix_with("MATERIALIZED", dialect="postgresql")


def _select_counts(pgm_id: str, heads: CTE) -> Select[Any]:
    """For each head how many uses cover it, those of ranges that begin before it among them."""
    uses = device_uses.c
    is_of_space = and_(_of_program(pgm_id), uses.space == heads.c.space)
    # A word is concerned by what is done to its bits, a bit by what is done to its word, not by other bits.
    has_bit = or_(heads.c.bit == ALL_OF_A_WORD, uses.bit.in_([ALL_OF_A_WORD, heads.c.bit]))
    begins_here = uses.first == heads.c.first
    reaches_here = and_(uses.last > uses.first, uses.first < heads.c.first, uses.last >= heads.c.first)
    covering = union_all(
        *(
            select(heads.c.space, heads.c.first, heads.c.bit, uses.role)
            .select_from(heads.join(_visible(device_uses), and_(is_of_space, has_bit, is_covered)))
            .where(_ANSWERS)
            for is_covered in (begins_here, reaches_here)
        )
    ).subquery("covering")
    what = (covering.c.space, covering.c.first, covering.c.bit)
    return (
        select(*what, covering.c.role, func.count().label("how_many")).group_by(*what, covering.c.role).order_by(*what)
    )


def _is_after(key: str) -> ColumnElement[bool]:
    found = _KEY.fullmatch(key)
    if not found or int(found["first"]) > LARGEST:
        raise InvalidRequestError("cursor", told("this cursor was not given out for this listing"))
    uses = device_uses.c
    return func.row(uses.space, uses.first, uses.bit) > func.row(found["space"], int(found["first"]), int(found["bit"]))


def _listing(pgm_id: str, filters: Sequence[DeviceFilter]) -> str:
    """What a cursor is bound to: the plain listing keeps the name that it has always had."""
    if not filters:
        return f"devices:{pgm_id}"
    return f"devices:{pgm_id}:{hashlib.sha256(repr(filters).encode()).hexdigest()[:16]}"


def _key(view: DeviceView) -> str:
    return f"{view.address.space},{view.address.number},{ALL_OF_A_WORD if view.bit is None else view.bit}"


def _comment_of(address: Address, bit: int | None, comments: Mapping[str, str]) -> str:
    return comments.get(device_name(address, bit)) or comments.get(str(address), "")
