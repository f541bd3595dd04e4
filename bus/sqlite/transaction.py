"""One write transaction: what several callers queued meanwhile, committed together."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bus.port import Partition, Position
from bus.sqlite.reader import standing
from bus.sqlite.sound import SHIFT, checksum
from schemas.errors import Fenced
from schemas.topics import Topic

_JOIN = (
    "INSERT INTO member (reader, generation) VALUES (?, 1) "
    "ON CONFLICT DO UPDATE SET generation = generation + 1 RETURNING generation"
)
_CLAIM = (
    "INSERT INTO owner (name, epoch) VALUES (?, 1) "
    "ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch"
)


class Placed(NamedTuple):
    """A record whose partition is chosen."""

    topic: Topic
    number: int
    key: bytes
    value: bytes | None


@dataclass(slots=True)
class _End:
    """The end of one partition, as this transaction moves it."""

    id: int
    next: int
    timestamp: int


class Transaction:
    """Reads every end under the lock, because other processes may write the same file."""

    def __init__(self, db: sqlite3.Connection, now: int) -> None:
        self._db = db
        self._now = now
        self._ends: dict[tuple[str, int], _End] = {}
        self._rows: list[tuple[int, int, bytes, bytes | None, int]] = []

    def append(self, records: Iterable[Placed]) -> list[Position]:
        """Add `records` to their partitions."""
        ends, rows, positions = self._ends, self._rows, []
        for topic, number, key, value in records:
            end = ends.get((topic.name, number)) or self._end(topic, number)
            crc = checksum(end.next, end.timestamp, key, value)
            rows.append(((end.id << SHIFT) + end.next, end.timestamp, key, value, crc))
            positions.append(Position(topic.name, number, end.next))
            end.next += 1
        return positions

    def create(self, topics: Iterable[tuple[Topic, int]]) -> None:
        """Make each topic's so many partitions unless they are there; record how it is kept."""
        self._db.executemany(
            "INSERT INTO head (topic, number, compacted, days) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET compacted = excluded.compacted, days = excluded.days",
            [
                (topic.name, number, topic.kept.compacted, topic.kept.days)
                for topic, partitions in topics
                for number in range(partitions)
            ],
        )

    def join(self, group: str) -> int:
        """Take `group` over; return its new generation."""
        return self._count(_JOIN, group)

    def claim(self, owner: str) -> int:
        """Take `owner` over; return its new epoch."""
        return self._count(_CLAIM, owner)

    def advance(
        self,
        owner: str,
        epoch: int,
        moves: Mapping[Partition, tuple[int, int]],
        outputs: Sequence[Placed],
    ) -> list[Position]:
        """Move `owner` and append `outputs`; nothing is written when it is fenced."""
        held = self._db.execute("SELECT epoch FROM owner WHERE name = ?", (owner,)).fetchone()
        now = standing(self._db, owner)
        if held != (epoch,) or any(now.get(p, 0) != old for p, (old, _) in moves.items()):
            raise Fenced(owner)
        self._db.executemany(
            "INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?)",
            [(owner, topic, number, new) for (topic, number), (_, new) in moves.items()],
        )
        return self.append(outputs)

    def note(self, group: str, positions: Mapping[Partition, int]) -> None:
        """Record how far `group` says it has come."""
        self._db.executemany(
            "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?)",
            [(group, topic, number, offset) for (topic, number), offset in positions.items()],
        )

    def write(self) -> None:
        """Hand the collected rows and the moved ends to the database."""
        self._db.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?)", self._rows)
        self._db.executemany(
            "UPDATE head SET next = ?, timestamp = ? WHERE id = ?",
            [(end.next, end.timestamp, end.id) for end in self._ends.values()],
        )

    def _end(self, topic: Topic, number: int) -> _End:
        end = self._find(topic.name, number)
        if end is None:
            self.create([(topic, number + 1)])
            end = self._find(topic.name, number)
        assert end is not None
        self._ends[topic.name, number] = end
        return end

    def _find(self, topic: str, number: int) -> _End | None:
        row = self._db.execute(
            "SELECT id, next, timestamp FROM head WHERE topic = ? AND number = ?", (topic, number)
        ).fetchone()
        # Append time never goes backwards, whatever the clock does.
        return row and _End(row[0], row[1], max(row[2], self._now))

    def _count(self, statement: str, name: str) -> int:
        # A statement that returns rows must be read to its end, or the commit finds it running.
        return int(self._db.execute(statement, (name,)).fetchall()[0][0])
