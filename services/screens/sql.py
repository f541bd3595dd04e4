"""What both state files ask of SQL: many ids at once, and rows that replace others."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

_MOST = 500  # variables in one statement
Row = Any
"""A row of a table, its columns by name."""


def among(
    connection: Connection, query: Select[Any], column: Column[Any], values: Iterable[str]
) -> Iterator[Row]:
    """Yield what a query finds where a column holds one of these values, however many."""
    names = sorted(set(values))
    for at in range(0, len(names), _MOST):
        yield from connection.execute(query.where(column.in_(names[at : at + _MOST])))


def put(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows, each in place of the one that has its primary key."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table)
    own = [column.name for column in table.primary_key]
    replaced = {c.name: insert.excluded[c.name] for c in table.columns if not c.primary_key}
    if replaced:
        insert = insert.on_conflict_do_update(index_elements=own, set_=replaced)
    else:
        insert = insert.on_conflict_do_nothing(index_elements=own)
    connection.execute(insert, list(rows))
