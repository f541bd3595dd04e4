"""What stats says, as records: rows of counters, flush marks, audits, dead letters."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from uuid_utils import uuid7

from bus.port import Partition, Record
from schemas.codec import Flaw, encode
from schemas.measures import CATALOGUE
from schemas.topics import COUNTERS, DEAD_LETTERS, Topic
from services.stats.fold import Cell, Place

PART = 400_000
"""About how many bytes of members one part of a row holds; topics take a million."""
LETTER = 64 * 1024
"""Up to this many bytes a letter carries what it is about; above, only its hash."""


def rows(
    source: Partition, position: int, place: Place, cell: Cell | None, now: str
) -> Iterator[Record]:
    """Yield what states all of `source` at a place, empty when nothing is left: mostly one record.

    The parts of a row share its position; nobody needs to know how many there were before.
    """
    cell = cell or Cell()
    parts = list(_parts(cell.sets)) or [{}]
    for part, sets in enumerate(parts):
        yield _counter(
            source,
            "counter.updated",
            "/".join((*place, _name(source))) + (f"#{part}" if part else ""),
            now,
            position=position,
            node=place[0],
            day=place[1],
            sums={} if part else cell.sums,
            sets=sets,
            part=part,
            parts=len(parts),
        )


def mark(source: Partition, position: int, now: str) -> Record:
    """Return the record that says: all rows of `source` are out up to `position`."""
    subject = f"flush/{_name(source)}"
    return _counter(source, "counters.flushed", subject, now, position=position)


def audited(source: Partition, position: int, now: str, differences: Iterable[str]) -> Record:
    """Return the record that says what a recount of `source` up to `position` found."""
    subject, found = f"audit/{_name(source)}", list(differences)
    return _counter(source, "counters.audited", subject, now, position=position, differences=found)


def letter(source: Partition, offset: int, value: bytes | None, flaw: Flaw, now: str) -> Record:
    """Return the dead letter of the record at `offset` of `source`: its key is that origin."""
    origin, body = f"{_name(source)}/{offset}", value or b""
    data = {
        "topic": source.topic,
        "partition": source.number,
        "offset": offset,
        "rule": flaw.rule,
        "field": flaw.field,
        "detail": flaw.detail[:500],
        "size": len(body),
        "sha256": sha256(body).hexdigest(),
        "value": b64encode(body).decode() if len(body) <= LETTER else None,
    }
    return _record(DEAD_LETTERS, origin, source, "record.rejected", origin, now, data)


def _parts(sets: Mapping[str, Mapping[str, int]]) -> Iterator[dict[str, list[str]]]:
    """Spread members over parts of about PART bytes each."""
    part: dict[str, list[str]] = {}
    size = 0
    for key, members in sets.items():
        for member in members:
            if size > PART:
                yield part
                part, size = {}, 0
            part.setdefault(key, []).append(member)
            size += len(member) + 3
    if part:
        yield part


def _counter(source: Partition, kind: str, subject: str, now: str, **data: Any) -> Record:  # noqa: ANN401
    about = {"topic": source.topic, "partition": source.number, "catalogue": CATALOGUE}
    return _record(COUNTERS, _name(source), source, kind, subject, now, about | data)


def _record(  # noqa: PLR0913, PLR0917  # the parts of an event
    topic: Topic,
    route: str,
    source: Partition,
    kind: str,
    subject: str,
    now: str,
    data: Mapping[str, Any],
) -> Record:
    event = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": f"/stats/{_name(source)}",
        "type": f"yizhan.{kind}",
        "subject": subject,
        "time": now,
        "datacontenttype": "application/json",
        "data": data,
    }
    return Record(topic, route, subject.encode(), encode(event))


def _name(source: Partition) -> str:
    return f"{source.topic}/{source.number}"
