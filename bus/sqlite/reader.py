"""Reading the file: where its partitions start and end, and their records."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, cast

from bus.port import Partition
from bus.sqlite.file import SHIFT, File
from schemas.errors import Unavailable, Unusable

_CHUNK = 100
_ENOUGH = 16_000_000  # bytes after which a batch ends, however many records it may have
_ROWS = (
    "SELECT id & 0xffffffffff, timestamp, key, value FROM log "
    "WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
)


class Row(NamedTuple):
    """A record as it lies in the log."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes | None


# One C-level call per record: Row._make costs three times as much.
_row = cast("Callable[[tuple[int, int, bytes, bytes]], Row]", partial(tuple.__new__, Row))


class Head(NamedTuple):
    """What a partition holds: the records from `start` to before `next`."""

    id: int
    start: int
    next: int


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
        return self._heads.get(partition, Head(0, 0, 0))

    def generation(self, group: str) -> int:
        """Return the generation of `group` at the last refresh."""
        return self._generations.get(group, 0)

    def rows(self, head: Head, offset: int, limit: int) -> tuple[list[Row], int]:
        """Return records from `offset` on, and the offset that they reach."""
        first = head.id << SHIFT
        rows: list[Row] = []
        size = 0
        with self._answering():
            cursor = self._db.execute(_ROWS, (first + offset, first + head.next, limit))
            while size < _ENOUGH and (chunk := cursor.fetchmany(_CHUNK)):
                rows.extend(map(_row, chunk))
                size += sum([len(row[3] or b"") for row in chunk])
            cursor.close()
        ended = len(rows) == limit or size >= _ENOUGH
        return rows, rows[-1].offset + 1 if ended else head.next

    def positions(self, owner: str) -> dict[Partition, int]:
        """Return where `owner` stands."""
        with self._answering():
            return standing(self._db, owner)

    def _seen(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _load(self) -> None:
        heads = self._db.execute("SELECT topic, number, id, start, next FROM head").fetchall()
        self._heads = {Partition(topic, number): Head(*head) for topic, number, *head in heads}
        self._generations = dict(self._db.execute("SELECT reader, generation FROM member"))

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:
            raise Unavailable(f"the log {self._file.path} cannot be read now: {error}") from error
        except sqlite3.DatabaseError as error:
            raise Unusable(f"the log {self._file.path} is damaged: {error}") from error
