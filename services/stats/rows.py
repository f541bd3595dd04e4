"""Rows of counters and flush marks, as records of the counters topic."""

from collections.abc import Iterable

from uuid_utils import uuid7

from bus.port import Partition, Record
from schemas.codec import encode
from schemas.measures import CATALOGUE
from schemas.topics import COUNTERS
from services.stats.fold import Cell, Place


def row(source: Partition, position: int, place: Place, cell: Cell | None, now: str) -> Record:
    """Return the record that states all of `source` at a place, empty when nothing is left."""
    node, day = place
    return _record(
        source,
        position,
        now,
        "counter.updated",
        f"{node}/{day}/{source.topic}/{source.number}",
        node=node,
        day=day,
        sums=cell.sums if cell else {},
        sets={key: list(members) for key, members in cell.sets.items() if members} if cell else {},
    )


def mark(source: Partition, position: int, now: str) -> Record:
    """Return the record that says: all rows of `source` are out up to `position`."""
    return _record(source, position, now, "counters.flushed", f"flush/{_name(source)}")


def audited(source: Partition, position: int, now: str, differences: Iterable[str]) -> Record:
    """Return the record that says what a recount of `source` up to `position` found."""
    found = list(differences)
    return _record(
        source, position, now, "counters.audited", f"audit/{_name(source)}", differences=found
    )


def _name(source: Partition) -> str:
    return f"{source.topic}/{source.number}"


def _record(
    source: Partition, position: int, now: str, kind: str, key: str, **data: object
) -> Record:
    event = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": f"/stats/{_name(source)}",
        "type": f"yizhan.{kind}",
        "subject": key,
        "time": now,
        "datacontenttype": "application/json",
        "data": {
            "topic": source.topic,
            "partition": source.number,
            "catalogue": CATALOGUE,
            "position": position,
            **data,
        },
    }
    return Record(COUNTERS, _name(source), key.encode(), encode(event))
