"""The file: where it lies, what is in it, and whether it can be used.

A record's row id is its partition's id, shifted, plus its offset: one B-tree holds the log, and a
partition is a range of it.
"""

import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from bus.sqlite.place import Place
from bus.sqlite.sound import SHIFT, checksum, ends
from schemas.errors import Mismatch, Unusable

DEFAULT_PARTITIONS = 4

_MEMORY = ":memory:"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_OURS = 0x59495A48  # "YIZH", the application id in the file's header
_SUMMED = 1  # the user version in the file's header, once every record has a sum
_TABLES = """
CREATE TABLE about (identity TEXT NOT NULL, partitions INTEGER NOT NULL);
CREATE TABLE head (
  id INTEGER PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL,
  compacted INTEGER NOT NULL, days INTEGER,
  start INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0,
  timestamp INTEGER NOT NULL DEFAULT 0,
  swept INTEGER NOT NULL DEFAULT 0, live INTEGER NOT NULL DEFAULT 0,
  UNIQUE (topic, number));
CREATE TABLE log (
  id INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, key BLOB NOT NULL, value BLOB,
  crc INTEGER);
CREATE TABLE member (
  reader TEXT PRIMARY KEY, generation INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE progress (
  reader TEXT NOT NULL, topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY (reader, topic, number)) WITHOUT ROWID;
CREATE TABLE owner (
  name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE position (
  owner TEXT NOT NULL, topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY (owner, topic, number)) WITHOUT ROWID;
"""

Synchronous = Literal["OFF", "NORMAL", "FULL", "EXTRA"]


class About(NamedTuple):
    """What a log was made with."""

    identity: str
    partitions: int


@dataclass(frozen=True, slots=True)
class File:
    """A log's file and how its connections are set up."""

    path: str
    synchronous: Synchronous
    patience: float
    """Seconds to wait for another process that is writing."""
    max_pages: int | None
    """The most pages of 4 KiB that the file may grow to."""

    @classmethod
    def named(
        cls, path: str, synchronous: Synchronous, patience: float, max_pages: int | None
    ) -> "File":
        """Return the file at `path`; a bare `:memory:` is a log of its own, with a fresh name."""
        fresh = f"{_MEMORY}{uuid.uuid4().hex}" if path == _MEMORY else path
        return cls(fresh, synchronous, patience, max_pages)

    @property
    def memory(self) -> bool:
        """Whether the log lives in this process only."""
        return self.path.startswith(_MEMORY)

    @property
    def uri(self) -> str:
        """How SQLite calls it."""
        if self.memory:
            return f"file:/{self.path.removeprefix(_MEMORY)}?vfs=memdb"
        return Path(self.path).absolute().as_uri()

    def dial(self) -> sqlite3.Connection:
        """Open one more connection; its transactions are begun and ended by hand."""
        with self._usable():
            db = sqlite3.connect(
                self.uri,
                uri=True,
                timeout=self.patience,
                isolation_level=None,
                check_same_thread=False,
            )
            with _closed_on_error(db):
                for pragma, value in self._pragmas():
                    db.execute(f"PRAGMA {pragma}={value}")
        return db

    def hold(self) -> tuple[sqlite3.Connection, Place]:
        """Open the connection that writes; return it with where its files lie."""
        db = self.dial()
        with self._usable(), _closed_on_error(db):
            return db, Place(None if self.memory else self.path, db)

    def open(self, partitions: int | None) -> tuple[sqlite3.Connection, About]:
        """Open the log, making it unless it is there; return what it was made with, too."""
        with self._usable():
            if not self.memory:
                Path(self.path).absolute().parent.mkdir(parents=True, exist_ok=True)
            db = self.dial()
            with _closed_on_error(db):
                self._journal(db)
                about = self._prepare(db, partitions or DEFAULT_PARTITIONS)
                self._match(about.partitions, partitions)
        return db, about

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                raise self.damaged(str(error)) from error
            raise Unusable(f"{self.path} cannot be used as a log: {error}") from error

    def damaged(self, reason: str) -> Unusable:
        """Return the error of a log that is not as it was written."""
        return Unusable(
            f"the log {self.path} is damaged: {reason}; delete nothing, it is the only copy of "
            f"all facts: put its last backup back (with its -wal, if there is one)"
        )

    def _pragmas(self) -> Iterator[tuple[str, str | int]]:
        yield "synchronous", self.synchronous
        yield "cache_size", -16_000
        yield "wal_autocheckpoint", 4_000
        yield "journal_size_limit", 64 << 20
        if self.max_pages is not None:
            yield "max_page_count", self.max_pages

    def _journal(self, db: sqlite3.Connection) -> None:
        end = time.monotonic() + self.patience
        while (mode := _write_ahead(db)) is None and time.monotonic() < end:
            time.sleep(0.005)
        if mode != "wal" and not self.memory:
            raise Unusable(f"{self.path} cannot be used as a log: no write-ahead log ({mode})")

    def _match(self, made: int, wanted: int | None) -> None:
        if wanted not in (None, made):
            raise Mismatch(
                f"{self.path} was made with {made} partitions, not {wanted}: "
                "that never changes, make another log and replay into it"
            )

    def _prepare(self, db: sqlite3.Connection, partitions: int) -> About:
        # The lock shows that the file can be written, and lets one of several processes make it.
        db.execute("BEGIN IMMEDIATE")
        try:
            if not _made(db):
                self._fill(db, partitions)
            if wrong := _upgrade(db) or ends(db):
                raise self.damaged(wrong)
            about = About(*db.execute("SELECT identity, partitions FROM about").fetchone())
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
        return about

    def _fill(self, db: sqlite3.Connection, partitions: int) -> None:
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            raise Unusable(f"{self.path} is a database, but not a log")
        for statement in _TABLES.split(";"):
            db.execute(statement)
        db.execute("INSERT INTO about VALUES (?, ?)", (uuid.uuid4().hex, partitions))
        db.execute(f"PRAGMA application_id={_OURS}")


@contextmanager
def _closed_on_error(db: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        db.close()
        raise


def _write_ahead(db: sqlite3.Connection) -> str | None:
    """Ask for a write-ahead log; None when another is asking, for which SQLite does not wait."""
    try:
        return str(db.execute("PRAGMA journal_mode=WAL").fetchone()[0])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return None
        raise


def _upgrade(db: sqlite3.Connection) -> str | None:
    """Give the records of an older log their sums, once: one without is damaged from then on.

    Returns what is wrong with it by then; None: nothing.
    """
    if db.execute("PRAGMA user_version").fetchone() == (_SUMMED,):
        return None
    if db.execute("SELECT 1 FROM log WHERE timestamp IS NULL OR key IS NULL").fetchone():
        return "there are records of which nothing is left"
    if "crc" not in {name for _, name, *_ in db.execute("PRAGMA table_info(log)")}:
        db.execute("ALTER TABLE log ADD COLUMN crc INTEGER")
    db.create_function("checksum", 4, checksum)
    sums = "UPDATE log SET crc = checksum(id & ?, timestamp, key, value) WHERE crc IS NULL"
    db.execute(sums, ((1 << SHIFT) - 1,))
    db.execute(f"PRAGMA user_version={_SUMMED}")
    return None


def _made(db: sqlite3.Connection) -> bool:
    return bool(db.execute("PRAGMA application_id").fetchone() == (_OURS,))
