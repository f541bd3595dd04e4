"""The seal of a state: one number that stands for all its rows, moved in their transactions.

SQLite notices torn pages only where a query happens to come by, and bytes that changed inside a
row never. The seal is the sum of a hash of every row: what is written adds to it, what is replaced
or deleted is taken out, so a state of which any row is lost, old, or other than it was written does
not have it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy import MetaData, Table

_log = structlog.get_logger(__name__)
TABLE = "log_seal"
_POSITION = "log_position"  # what every state has, also one of a version before the seal
_MODULUS = 1 << 61  # two of them still fit an integer of SQLite's
_encode = msgspec.msgpack.Encoder().encode


class Seal:
    """What the open transaction of one connection has changed."""

    def __init__(self, db: sqlite3.Connection, metadata: Iterable[MetaData]) -> None:
        self._change = 0
        self._db = db
        db.create_function("seal", -1, self._add)
        for table in _tables(metadata):
            for trigger in _triggers(table):
                db.execute(trigger).close()

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Move with the rows of one transaction: what it changed is its last statement."""
        self._change = 0  # what an earlier one changed may have come to nothing
        yield
        change = (self._change % _MODULUS, _MODULUS - 1)
        self._db.execute(f"UPDATE {TABLE} SET sum = (sum + ?) & ?", change).close()  # noqa: S608  # a name of ours

    def _add(self, sign: int, *row: object) -> None:
        self._change += sign * _hash(row)


def make(db: sqlite3.Connection, metadata: Iterable[MetaData], name: str) -> None:
    """Make the seal of a state that has none: a new one, or one of an older version."""
    if _columns(db, TABLE):
        return
    db.execute(f"CREATE TABLE {TABLE} (sum INTEGER NOT NULL)").close()
    found = _total(db, metadata)
    db.execute(f"INSERT INTO {TABLE} VALUES (?)", (found,)).close()  # noqa: S608  # a name of ours
    if found:
        _log.info("a state of an older version has a seal now", file=name)


def sound(place: Path, metadata: Iterable[MetaData]) -> None:
    """Put a damaged state aside, with what belongs to it; nothing is deleted."""
    if (reason := broken(place, metadata)) is None:
        return
    aside = place.with_name(f"{place.name}.damaged-{datetime.now().astimezone():%Y%m%dT%H%M%S}")
    Path(f"{place}-shm").unlink(missing_ok=True)
    for end in ("", "-wal"):
        if Path(f"{place}{end}").exists():
            Path(f"{place}{end}").rename(f"{aside}{end}")
    _log.error("damaged state", file=str(place), reason=reason, kept=str(aside), next="replay")


def broken(place: Path, metadata: Iterable[MetaData]) -> str | None:
    """Return what is wrong with the state at `place`; None: nothing, or it cannot be told now.

    It reads all of the file: about 4 seconds per GB.
    """
    if not place.is_file() or not place.stat().st_size:
        return None
    try:
        with closing(sqlite3.connect(place, timeout=5, isolation_level=None)) as db:
            return _structure(db) or _sum(db, metadata)
    except sqlite3.DatabaseError as error:
        return str(error) if _damage(error) else None


def _structure(db: sqlite3.Connection) -> str | None:
    ((found,),) = db.execute("PRAGMA integrity_check(1)").fetchall()
    return None if found == "ok" else " ".join(str(found).split())


def _sum(db: sqlite3.Connection, metadata: Iterable[MetaData]) -> str | None:
    db.execute("BEGIN")
    if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return None  # whoever made it was killed before anything was in it
    if not _columns(db, TABLE):
        return _unsealed(db, metadata)
    told = db.execute(f"SELECT sum FROM {TABLE}").fetchall()  # noqa: S608  # a name of ours
    right = [(_total(db, metadata),)]
    return None if told == right else "its rows are not those that were written"


def _unsealed(db: sqlite3.Connection, metadata: Iterable[MetaData]) -> str | None:
    """Return why it is no state of a version before the seal."""
    if not _columns(db, _POSITION):
        return "it is no state"
    for table in _tables(metadata):
        had = _columns(db, table.name)
        if had and not had.issuperset(table.columns.keys()):
            return f"an older version made it, with another {table.name}"
    return None


def _total(db: sqlite3.Connection, metadata: Iterable[MetaData]) -> int:
    return sum(map(_hash, _rows(db, metadata))) % _MODULUS


def _columns(db: sqlite3.Connection, table: str) -> set[str]:
    return {str(name) for _, name, *_ in db.execute(f'PRAGMA table_info("{table}")')}


def _rows(db: sqlite3.Connection, metadata: Iterable[MetaData]) -> Iterator[tuple[Any, ...]]:
    for table in _tables(metadata):
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        yield from db.execute(f"SELECT '{table.name}', {columns} FROM \"{table.name}\"")  # noqa: S608  # names of ours


def _tables(metadata: Iterable[MetaData]) -> list[Table]:
    return [table for tables in metadata for table in tables.sorted_tables]


def _triggers(table: Table) -> Iterator[str]:
    """Yield the triggers of one table; they are this connection's and leave nothing in the file."""
    added, taken = _call(table, 1, "new"), _call(table, -1, "old")
    for event, calls in (("INSERT", added), ("DELETE", taken), ("UPDATE", taken + added)):
        name = f'"seal_{table.name}_{event}"'
        yield f'CREATE TEMP TRIGGER {name} AFTER {event} ON main."{table.name}" BEGIN {calls} END'


def _call(table: Table, sign: int, row: str) -> str:
    columns = ", ".join(f'{row}."{column.name}"' for column in table.columns)
    return f"SELECT seal({sign}, '{table.name}', {columns});"


def _hash(row: tuple[object, ...]) -> int:
    return int.from_bytes(blake2b(_encode(row), digest_size=7).digest())


def _damage(error: sqlite3.DatabaseError) -> bool:
    """Whether it tells of what is in the file, not of the disk or of who else has it open."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
