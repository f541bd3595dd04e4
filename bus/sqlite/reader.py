"""Reading the file: where its partitions start and end, and their records."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, cast

from bus.port import Partition
from bus.sqlite.file import File
from bus.sqlite.sound import SHIFT, others
from schemas.errors import Unavailable

_CHUNK = 100
_ENOUGH = 16_000_000  # bytes after which a batch ends, however many records it may have
# In a damaged file a value may be missing or of any type: cast, it is of the right one, but has
# another sum.
_ROWS = (
    "SELECT id & 0xffffffffff, CAST(ifnull(timestamp, 0) AS INTEGER), "
    "CAST(ifnull(key, x'') AS BLOB), "
    "CAST(value AS BLOB), crc FROM log "
    "WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
)
_HEADS = (
    "SELECT topic, number, id, start, next, NOT compacted AND days IS NULL AND swept = 0 FROM head"
)


class Row(NamedTuple):
    """A record as it lies in the log."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes | None


# One C-level call per record: Row._make costs three times as much.
_row = cast("Callable[[tuple[int, int, bytes, bytes | None]], Row]", partial(tuple.__new__, Row))


class Head(NamedTuple):
    """What a partition holds: the records from `start` to before `next`, all of them if `whole`."""

    id: int
    start: int
    next: int
    whole: bool


def standing(db: sqlite3.Connection, owner: str) -> dict[Partition, int]:
    """Return where `owner` stands."""
    rows = db.execute("SELECT topic, number, next FROM position WHERE owner = ?", (owner,))
    return {Partition(topic, number): offset for topic, number, offset in rows}


class Reader:
    """One connection for all the readers of a process; what it knows follows the file."""

    def __init__(self, file: File, db: sqlite3.Connection) -> None:
        self._file, self._db = file, db
        self._version = -1
        self._heads: dict[Partition, Head] = {}
        self._generations: dict[str, int] = {}

    @property
    def place(self) -> str:
        """Where the log lies."""
        return self._file.path

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def changed(self) -> bool:
        """Whether anybody has written since the last `refresh`, which tells what is wrong if so."""
        try:
            return self._seen() != self._version
        except sqlite3.Error:
            return True

    def refresh(self) -> bool:
        """Learn what has been written; say whether it was news, which others may be waiting for."""
        with self._answering():
            version = self._seen()
            if version == self._version:
                return False
            self._load()
            self._version = version
        return True

    def head(self, partition: Partition) -> Head:
        """Return what `partition` held at the last refresh."""
        return self._heads.get(partition, Head(0, 0, 0, whole=False))

    def generation(self, group: str) -> int:
        """Return the generation of `group` at the last refresh."""
        return self._generations.get(group, 0)

    def rows(self, head: Head, offset: int, limit: int) -> tuple[list[Row], int]:
        """Return records from `offset` on, and the offset that they reach."""
        first = head.id << SHIFT
        rows: list[Row] = []
        at, size = offset, 0
        with self._answering():
            cursor = self._db.execute(_ROWS, (first + offset, first + head.next, limit))
            while size < _ENOUGH and (chunk := cursor.fetchmany(_CHUNK)):
                if wrong := others(chunk):
                    told = f"the record at {wrong[0]} is not the one that was written"
                    raise self._file.damaged(told)
                offsets = [row[0] for row in chunk]
                # A page that is taken for another holds sound records, but of another place.
                if offsets[0] < at or offsets != sorted(set(offsets)):
                    raise self._file.damaged(f"the records from {at} on are not in their order")
                at = offsets[-1] + 1
                rows.extend([_row(row[:4]) for row in chunk])
                size += sum([len(row[3] or b"") for row in chunk])
            cursor.close()
        ended = len(rows) == limit or size >= _ENOUGH
        reached = rows[-1].offset + 1 if ended else head.next
        if head.whole and len(rows) != reached - offset:
            missing = reached - offset - len(rows)
            raise self._file.damaged(f"{missing} records from {offset} to {reached} are missing")
        return rows, reached

    def positions(self, owner: str) -> dict[Partition, int]:
        """Return where `owner` stands."""
        with self._answering():
            return standing(self._db, owner)

    def _seen(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _load(self) -> None:
        heads = self._db.execute(_HEADS).fetchall()
        self._heads = {Partition(topic, number): Head(*head) for topic, number, *head in heads}
        self._generations = dict(self._db.execute("SELECT reader, generation FROM member"))

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:
            raise Unavailable(f"the log {self._file.path} cannot be read now: {error}") from error
        except sqlite3.DatabaseError as error:
            raise self._file.damaged(str(error)) from error
