"""Sweeping: what has expired goes, and of compacted topics all but the last record of each key.

Everything is done in small steps, each with its own transaction, between two group commits.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from bus.sqlite.sound import SHIFT

_STEP = 1000  # records looked at, or deleted, in one step
_KEYS = 100_000  # keys that one pass over a partition remembers
_WORTH = 1000  # new records that make a pass worth its while
_SETTLED = 60_000  # milliseconds that a record stays, whatever follows it
_DAY = 86_400_000

_log = structlog.get_logger(__name__)


class _Part(NamedTuple):
    """A partition to sweep; below `swept` every key is there once, `live` of them."""

    id: int
    days: int | None
    compacted: bool
    start: int
    next: int
    swept: int
    live: int


def chores(db: sqlite3.Connection, clock: Callable[[], float], every: float) -> Iterator[float]:
    """Sweep for ever; yield how many seconds the next step has time."""
    while True:
        try:
            for _ in sweep(db, int(clock() * 1000)):
                yield 0
        except Exception:  # noqa: BLE001 - the thread that sweeps is the one that writes: it goes on
            _log.warning("sweep put off", exc_info=True)
        yield every


def sweep(db: sqlite3.Connection, now: int) -> Iterator[None]:
    """Go over all partitions once, a step at a time."""
    parts = db.execute("SELECT id, days, compacted, start, next, swept, live FROM head").fetchall()
    for part in map(_Part._make, parts):
        if part.days is not None:
            yield from _expire(db, part, now - part.days * _DAY)
        if part.compacted and part.next - part.swept >= max(_WORTH, part.live):
            yield from _compact(db, part, now - _SETTLED)


def _expire(db: sqlite3.Connection, part: _Part, before: int) -> Iterator[None]:
    while True:
        rows = _rows(db, part, part.start)
        old = [id_ for id_, timestamp, _ in rows if timestamp < before]
        if not old:
            return
        part = part._replace(start=old[-1] - (part.id << SHIFT) + 1)
        with _transaction(db):
            db.execute("DELETE FROM log WHERE id BETWEEN ? AND ?", (old[0], old[-1]))
            db.execute("UPDATE head SET start = ? WHERE id = ?", (part.start, part.id))
        yield


def _compact(db: sqlite3.Connection, part: _Part, before: int) -> Iterator[None]:
    """Learn the last record of every new key, then let older ones go from the start on."""
    latest: dict[bytes, int] = {}
    reached = part.swept
    while len(latest) < _KEYS and (rows := _rows(db, part, reached, before)):
        latest.update({key: id_ for id_, _, key in rows})
        reached = rows[-1][0] - (part.id << SHIFT) + 1
        yield
    live, offset = 0, part.start
    while rows := _rows(db, part._replace(next=reached), offset):
        old = [(id_,) for id_, _, key in rows if latest.get(key, id_) > id_]
        if old:
            with _transaction(db):
                db.executemany("DELETE FROM log WHERE id = ?", old)
        live += len(rows) - len(old)
        offset = rows[-1][0] - (part.id << SHIFT) + 1
        yield
    with _transaction(db):
        db.execute("UPDATE head SET swept = ?, live = ? WHERE id = ?", (reached, live, part.id))


def _rows(
    db: sqlite3.Connection, part: _Part, offset: int, before: int | None = None
) -> list[tuple[int, int, bytes]]:
    """Return a step's worth of ids, append times and keys from `offset` on."""
    first = part.id << SHIFT
    rows = db.execute(
        "SELECT id, timestamp, key FROM log WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (first + offset, first + part.next, _STEP),
    ).fetchall()
    return rows if before is None else [row for row in rows if row[1] < before]


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
