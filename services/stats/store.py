"""The ledgers on disk: one blob of new slots for each batch, in the transaction that moves it.

Upserting a row per fact would cost more than the fold itself; a blob of what the batch changed
costs a tenth of it. A partition is read back by putting the slots of its blobs in order; small
blobs are merged now and then, so that reading back stays short.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
)

from bus.port import Partition
from bus.state import State
from schemas.contribution import Slot
from services.stats.fold import Ledger, Place

TABLES = MetaData()
_ROOM = 1_000_000
"""Bytes of blobs merged at once: the loop stands still meanwhile, and a replay leaves gigabytes."""


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(
        name,
        TABLES,
        Column("topic", String, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        *columns,
    )


_BLOBS = _table(
    "blob",
    Column("until", Integer, primary_key=True, autoincrement=False),
    Column("merged", Boolean, nullable=False),
    Column("slots", LargeBinary, nullable=False),
)
_PUBLISHED = _table(
    "published",
    Column("position", Integer, nullable=False),
)


class Put(NamedTuple):
    """A slot that came to stand for a subject."""

    subject: str
    slot: Slot


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Put]).decode


class Store:
    """The ledgers' blobs in a state; `merge` small ones of a partition become one."""

    def __init__(self, state: State, merge: int = 512) -> None:
        self._state, self._most = state, merge
        self.patient, self.doubt = state.patient, state.doubt
        self._small: dict[Partition, int] = {}

    def position(self, source: Partition) -> int:
        """Return the offset of `source` that comes next."""
        return self._state.position(source)

    def load(self, source: Partition) -> tuple[Ledger, dict[Place, int]]:
        """Return the ledger of `source`, and its unpublished places with when they changed."""
        ledger, dirty = Ledger(), dict[Place, int]()
        with self._state.read() as db:
            published = db.scalar(select(_PUBLISHED.c.position).where(_of(_PUBLISHED, source))) or 0
            blobs = db.execute(_in_order(source)).all()
        for until, _merged, slots in blobs:
            for subject, slot in _decode(slots):
                places = ledger.put(subject, slot)
                if until > published:
                    dirty.update(dict.fromkeys(places, until))
        self._small[source] = sum(not merged for _, merged, _ in blobs)
        return ledger, dirty

    def save(
        self, source: Partition, base: int, to: int, puts: Sequence[Put], *, counts: bool = True
    ) -> None:
        """Append what a batch changed and move `source` from `base` to `to`, in one step.

        Of what does not count there is nothing to publish: it is merged here.
        """
        with self._state.move(source, base, to) as db:
            if puts:
                _append(db, source, to, puts, merged=False)
                self._small[source] = self._small.get(source, 0) + 1
            if not counts:
                self._merge(db, source, to)

    def published(self, source: Partition, position: int) -> None:
        """Remember that every row up to `position` is out.

        Only what is out is merged: a merged blob keeps what stands in the end, and with it nobody
        could tell any more which places a fact has left since.
        """
        row = {"topic": source.topic, "number": source.number, "position": position}
        with self._state.write() as db:
            db.execute(delete(_PUBLISHED).where(_of(_PUBLISHED, source)))
            db.execute(insert(_PUBLISHED), row)
            self._merge(db, source, position)

    def _merge(self, db: Connection, source: Partition, position: int) -> None:
        """Make one of the oldest small blobs up to `position`, if there are too many.

        Of each slot it holds what stands in the end.
        """
        if self._small.get(source, 0) <= self._most or not (old := _oldest(db, source, position)):
            return
        among = and_(_of(_BLOBS, source), ~_BLOBS.c.merged, _BLOBS.c.until <= old[-1])
        blobs = db.scalars(select(_BLOBS.c.slots).where(among).order_by(_BLOBS.c.until)).all()
        last = {(p.subject, p.slot.kind): p for slots in blobs for p in _decode(slots)}
        db.execute(delete(_BLOBS).where(among))
        _append(db, source, old[-1], list(last.values()), merged=True)
        self._small[source] -= len(old)


def _append(
    db: Connection, source: Partition, until: int, puts: Sequence[Put], *, merged: bool
) -> None:
    row = {"topic": source.topic, "number": source.number, "until": until, "merged": merged}
    db.execute(insert(_BLOBS), {**row, "slots": _encode(puts)})


def _oldest(db: Connection, source: Partition, position: int) -> list[int]:
    """Return where the oldest small blobs end that there is room for, one at least."""
    small = and_(_of(_BLOBS, source), ~_BLOBS.c.merged, _BLOBS.c.until <= position)
    sizes = select(_BLOBS.c.until, func.length(_BLOBS.c.slots)).where(small)
    found, room = list[int](), _ROOM
    for until, size in db.execute(sizes.order_by(_BLOBS.c.until)).all():
        room -= size
        if found and room < 0:
            break
        found.append(until)
    return found


def _in_order(source: Partition) -> Select[int, bool, bytes]:
    columns = (_BLOBS.c.until, _BLOBS.c.merged, _BLOBS.c.slots)
    return select(*columns).where(_of(_BLOBS, source)).order_by(_BLOBS.c.until)


def _of(table: Table, source: Partition) -> ColumnElement[bool]:
    return and_(table.c.topic == source.topic, table.c.number == source.number)
