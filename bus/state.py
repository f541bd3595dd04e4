"""State: an SQL file whose rows and positions move together, in one transaction or not at all.

Every state is a cache of the log: one that is damaged is put aside and made anew from offset 0.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import (
    AbstractContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from pathlib import Path
from time import monotonic
from typing import Any, Self, TypeVar

import structlog
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bus import database, seal
from bus.port import Partition
from bus.seal import Seal
from schemas.errors import Failing, Fenced, Full, Mismatch

T = TypeVar("T")
Sealed = Callable[[], AbstractContextManager[None]]
"""What a transaction runs in for its rows to be known again."""
AGAIN = 1.0
"""Seconds between two tries to write to a disk that is full."""
LONG = 300.0
"""Seconds after which a disk that fails without being full is given up."""
_log = structlog.get_logger(__name__)
_OURS = MetaData()
ORIGIN = Table("log_origin", _OURS, Column("identity", String, nullable=False))
_POSITION = Table(
    "log_position",
    _OURS,
    Column("topic", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("next", BigInteger, nullable=False),
)
_FIRST = insert(_POSITION)
_MOVE = (
    update(_POSITION)
    .where(
        _POSITION.c.topic == bindparam("of"),
        _POSITION.c.number == bindparam("at"),
        _POSITION.c.next == bindparam("base"),
    )
    .values(next=bindparam("to"))
)


class State:
    """One writer of one file. Its transactions are short and have no `await` inside."""

    def __init__(
        self,
        place: str,
        engine: Engine,
        writer: Connection,
        sealed: Sealed,
        positions: dict[Partition, int],
    ) -> None:
        self._place, self._engine, self._writer = place, engine, writer
        self._sealed, self._positions = sealed, positions
        self._waits: str | None = None

    @classmethod
    @contextmanager
    def open(cls, place: str | Path, metadata: MetaData, identity: str) -> Iterator[Self]:
        """Open the state at a path or database URL, making its tables if need be.

        `identity` is the log's: a state that was read from another log raises Mismatch, a place
        that cannot be used Unusable. A file that is damaged is put aside, and a new one begun.
        """
        url = database.url(place)
        name = database.name(url)
        if url.get_backend_name() == "sqlite":
            with database.usable(name):
                seal.sound(Path(name), (_OURS, metadata))
        engine = database.engine(url)
        try:
            with database.usable(name):
                writer = engine.connect().execution_options(writes=True)
                with writer.begin():
                    sealed = _make(writer, metadata, name)
                    with sealed():
                        positions = _prepare(writer, identity, name)
            with writer:
                yield cls(name, engine, writer, sealed, positions)
        finally:
            engine.dispose()

    @classmethod
    @asynccontextmanager
    async def opening(
        cls, place: str | Path, metadata: MetaData, identity: str
    ) -> AsyncIterator[Self]:
        """Open it as `open` does, in a thread: whether all of it is sound takes a while to tell."""
        with ExitStack() as opened:
            state = cls.open(place, metadata, identity)
            yield await asyncio.to_thread(opened.enter_context, state)

    def position(self, source: Partition) -> int:
        """Return the offset that comes next; 0 when nothing was read yet."""
        return self._positions.get(source, 0)

    @property
    def positions(self) -> Mapping[Partition, int]:
        """All positions that were ever moved."""
        return self._positions

    @contextmanager
    def move(self, source: Partition, base: int, to: int) -> Iterator[Connection]:
        """Yield a transaction that also moves `source` from `base` to `to`.

        Raises Fenced when it does not stand at `base`: another process writes this state.
        Unusable when the disk is full or fails: neither rows nor the position have moved.
        """
        with self.write() as connection:
            if not self._swap(source, base, to):
                raise Fenced(f"the position of {source.topic}/{source.number} in {self._place}")
            yield connection
        self._positions[source] = to

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a transaction that moves nothing; raises Unusable as `move` does."""
        with database.working(self._place), self._writer.begin(), self._sealed():
            yield self._writer

    async def patient(self, write: Callable[[], Awaitable[T]], at_most: float = LONG) -> T:
        """Return what `write` comes to, tried again while the disk takes no more.

        Nothing else of the caller goes on meanwhile, so that its place in the log stays true. A
        disk that still fails after `at_most` seconds without being full raises Failing.
        """
        began = monotonic()
        while True:
            try:
                done = await write()
            except Full as error:
                if isinstance(error, Failing) and monotonic() - began >= at_most:
                    raise
                self._waits = str(error)
                _log.warning("a state waits for its disk", reason=str(error))
            else:
                self._waits = None
                return done
            await asyncio.sleep(AGAIN)

    def doubt(self) -> str | None:
        """Return what somebody patient is waiting for; None: nobody is."""
        return self._waits

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one committed state throughout; any thread may ask."""
        with (
            database.working(self._place),
            self._engine.connect() as connection,
            connection.begin(),
        ):
            yield connection

    def _swap(self, source: Partition, base: int, to: int) -> bool:
        topic, number = source
        if source in self._positions or base:
            row: dict[str, Any] = {"of": topic, "at": number, "base": base, "to": to}
            return self._writer.execute(_MOVE, row).rowcount == 1
        try:
            self._writer.execute(_FIRST, {"topic": topic, "number": number, "next": to})
        except IntegrityError:
            return False
        return True


def _make(connection: Connection, metadata: MetaData, name: str) -> Sealed:
    """Make all tables; return what moves the seal with their rows. PostgreSQL has its own sums."""
    for tables in (_OURS, metadata):
        tables.create_all(connection)
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        return nullcontext
    seal.make(driver, (_OURS, metadata), name)
    return Seal(driver, (_OURS, metadata)).moving


def _prepare(connection: Connection, identity: str, name: str) -> dict[Partition, int]:
    origin = connection.scalar(select(ORIGIN.c.identity))
    if origin is None:
        connection.execute(insert(ORIGIN), {"identity": identity})
    elif origin != identity:
        raise Mismatch(
            f"{name} was read from another log ({origin}, not {identity}): if this log is the "
            "right one, move the file away and it is made anew"
        )
    return positions(connection)


def positions(connection: Connection) -> dict[Partition, int]:
    """Return every position that a state has moved, as its database has them."""
    rows = connection.execute(select(_POSITION.c.topic, _POSITION.c.number, _POSITION.c.next))
    return {Partition(topic, number): offset for topic, number, offset in rows}
