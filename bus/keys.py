"""The one store of keys: who may do what, below which node. Every service reads it.

A key is shown once, when it is issued, as `yz_<id>_<secret>`; the file holds only a hash of it.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Self

from schemas.errors import Forbidden, Unauthenticated, Unusable
from schemas.tree import Registry

_OURS = 0x595A4B59  # "YZKY", the application id in the file's header
_TABLE = """
CREATE TABLE IF NOT EXISTS key (
  id TEXT PRIMARY KEY, hash BLOB NOT NULL, scope TEXT NOT NULL, role TEXT NOT NULL,
  not_after REAL, revoked_at REAL, label TEXT NOT NULL, subject TEXT) WITHOUT ROWID
"""
_COLUMNS = "id, scope, role, not_after, revoked_at, label, subject"
_INSERT = f"INSERT INTO key (hash, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
"""For ids without digits: eleven in a row are a mobile number to intake, which refuses those."""
_REMEMBERED = 4096
_INVALID = "this key is not valid: it is unknown, has expired or was revoked"


class Role(Enum):
    """What a key may do; each role includes those before it."""

    READER = "reader"
    WRITER = "writer"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who presents a valid key: `scope` is the node at the top of what it reaches.

    `subject` is whom it speaks for: a resource (`<pool>.<local>`), an enterprise, or nobody.
    """

    id: str
    scope: str
    role: Role
    label: str
    subject: str | None = None

    def reads(self, registry: Registry, node: str, day: str) -> bool:
        """Whether it may read all of a node; who speaks for somebody may not, however high."""
        return self.subject is None and registry.covers(self.scope, node, day)

    def forbidden(self, node: str) -> Forbidden:
        """Return the error of one who may not read what is of a node."""
        if self.subject is not None:
            return Forbidden(f"this key speaks for {self.subject} only")
        return Forbidden(f"the key's scope {self.scope} does not cover {node}")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the store lists it; times are seconds since 1970."""

    principal: Principal
    not_after: float | None
    revoked_at: float | None

    def valid(self, now: float) -> bool:
        """Whether it opens anything at `now`."""
        return self.revoked_at is None and (self.not_after is None or now < self.not_after)


def bearer(authorization: str) -> str:
    """Return the key that an Authorization header presents; raises Unauthenticated."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("a key is needed: Authorization: Bearer yz_…")
    return token.strip()


class Keys:
    """A store of keys; any number of processes may have one file open, and any thread ask."""

    def __init__(self, db: sqlite3.Connection, place: str, clock: Callable[[], float]) -> None:
        self._db, self._place, self._clock = db, place, clock
        self._lock = threading.Lock()
        self._version: int | None = None
        self._known: dict[bytes, Key] = {}

    @classmethod
    @contextmanager
    def open(cls, path: str | Path, clock: Callable[[], float] = time.time) -> Iterator[Self]:
        """Open the store at `path`, making it if need be; Unusable when that cannot be."""
        with _usable(path):
            Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        try:
            with _usable(path):
                _prepare(db)
            yield cls(db, str(path), clock)
        finally:
            db.close()

    def issue(
        self,
        scope: str,
        role: Role,
        *,
        label: str = "",
        not_after: float | None = None,
        subject: str | None = None,
    ) -> str:
        """Make a key; the text returned is not stored and cannot be shown again."""
        id_, secret = token_hex(6).translate(_LETTERS), token_urlsafe(32)
        row = (_hash(secret), id_, scope, role.value, not_after, None, label, subject)
        with self._asking() as db:
            db.execute(_INSERT, row)
        return f"yz_{id_}_{secret}"

    def list(self) -> list[Key]:
        """Return all keys, expired and revoked ones as well."""
        with self._asking() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM key ORDER BY id").fetchall()  # noqa: S608
            return [_key(*row) for row in rows]

    def revoke(self, id_: str) -> bool:
        """End a key from now on; return False when there is none of that id."""
        with self._asking() as db:
            done = db.execute(
                "UPDATE key SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?",
                (self._clock(), id_),
            )
            self._known.clear()
            return done.rowcount == 1

    def check(self, token: str) -> Principal:
        """Return who presents `token`; raises Unauthenticated.

        What was looked up is remembered until anybody writes to the file, so that a key revoked by
        another process ends at once.
        """
        fingerprint = _hash(token)
        with self._asking() as db:
            (version,) = db.execute("PRAGMA data_version").fetchone()
            if version != self._version or len(self._known) > _REMEMBERED:
                self._known.clear()
                self._version = version
            key = self._known.get(fingerprint) or _found(db, token)
            if key is None or not key.valid(self._clock()):
                raise Unauthenticated(_INVALID)
            self._known[fingerprint] = key
        return key.principal

    @contextmanager
    def _asking(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _usable(self._place):
            yield self._db


def _prepare(db: sqlite3.Connection) -> None:
    (ours,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if ours != _OURS and tables:
        raise sqlite3.DatabaseError("it is another program's database")
    # A file that was cut off reads as rows without values: nobody may be let in by those.
    (sound,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if sound != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {' '.join(sound.split())}")
    db.execute("PRAGMA journal_mode=WAL").fetchone()
    db.execute("PRAGMA synchronous=FULL")
    db.execute("BEGIN IMMEDIATE")
    db.execute(_TABLE)
    if "subject" not in {name for _, name, *_ in db.execute("PRAGMA table_info(key)")}:
        db.execute("ALTER TABLE key ADD COLUMN subject TEXT")
    db.execute(f"PRAGMA application_id={_OURS}")
    db.execute("COMMIT")


def _found(db: sqlite3.Connection, token: str) -> Key | None:
    if not token.isascii():
        return None
    prefix, _, rest = token.partition("_")
    id_, _, secret = rest.partition("_")
    statement = f"SELECT hash, {_COLUMNS} FROM key WHERE id = ?"  # noqa: S608
    row = db.execute(statement, (id_,)).fetchone()
    # An unknown id is compared as well: how long this takes tells nobody which ids there are.
    right = compare_digest(row[0] if row else bytes(32), _hash(secret))
    return _key(*row[1:]) if row and right and prefix == "yz" else None


def _key(  # noqa: PLR0913, PLR0917  # the columns of the table
    id_: str,
    scope: str,
    role: str,
    not_after: float | None,
    revoked: float | None,
    label: str,
    subject: str | None,
) -> Key:
    return Key(Principal(id_, scope, Role(role), label, subject), not_after, revoked)


def _hash(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()


@contextmanager
def _usable(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, ValueError) as error:
        raise Unusable(f"{path} cannot be used as a store of keys: {error}") from error
