"""Many rows through one statement of few parameters: one array per column, however many rows there are.

A multi-row VALUES would meet the protocol's limit of 32,767 parameters at some 1,400 documents.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Insert, Table, TableValuedAlias, bindparam, column, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.types import TypeEngine

# A value that a column of the driver takes or gives: its type is the column's.
Row = Mapping[str, Any]


def insert_of(table: Table, rows: Sequence[Row]) -> Insert:
    """Insert rows that all have the same columns; at least one row."""
    names = list(rows[0])
    incoming = as_table({name: [row[name] for row in rows] for name in names}, like=table)
    return insert(table).from_select(names, select(incoming))


def insert_new(table: Table, rows: Sequence[Row]) -> Insert:
    """Insert the rows whose key is not taken; at least one row."""
    names = list(rows[0])
    incoming = as_table({name: [row[name] for row in rows] for name in names}, like=table)
    return postgresql_insert(table).from_select(names, select(incoming)).on_conflict_do_nothing()


def as_table(values: Mapping[str, Sequence[object]], *, like: Table) -> TableValuedAlias:
    """Columns of equal length as a table to join with, typed like the columns of that name."""
    types: dict[str, TypeEngine[Any]] = {name: like.c[name].type for name in values}
    arrays = (
        # One dimension said outright: a JSON value that is a list is an element, not a dimension.
        bindparam(f"all_{name}", list(items), type_=ARRAY(types[name], dimensions=1))
        for name, items in values.items()
    )
    columns = (column(name, type_) for name, type_ in types.items())
    return func.unnest(*arrays).table_valued(*columns).render_derived(name="incoming")
