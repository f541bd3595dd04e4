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
    suppress,
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
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, SQLAlchemyError

from bus import seal
from bus.port import Partition
from bus.seal import Seal
from schemas.errors import Failing, Fenced, Full, Mismatch, Unusable

T = TypeVar("T")
Sealed = Callable[[], AbstractContextManager[None]]
"""What a transaction runs in for its rows to be known again."""
_PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}
_DOUBTFUL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
# The seal speaks to the driver itself, all else through SQLAlchemy.
_DISK = {DatabaseError, OperationalError, sqlite3.DatabaseError, sqlite3.OperationalError}
AGAIN = 1.0
"""Seconds between two tries to write to a disk that is full."""
LONG = 300.0
"""Seconds after which a disk that fails without being full is given up."""
_log = structlog.get_logger(__name__)
_OURS = MetaData()
_ORIGIN = Table("log_origin", _OURS, Column("identity", String, nullable=False))
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
        url = _url(place)
        name = _name(url)
        if url.get_backend_name() == "sqlite":
            with _usable(name):
                seal.sound(Path(name), (_OURS, metadata))
        engine = _engine(url)
        try:
            with _usable(name):
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
        with _working(self._place), self._writer.begin(), self._sealed():
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
        with _working(self._place), self._engine.connect() as connection, connection.begin():
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


def _url(place: str | Path) -> URL:
    with _usable("a database URL that was given"):
        url = make_url(place) if isinstance(place, str) and "://" in place else None
    return url or URL.create("sqlite", database=str(place))


def _name(url: URL) -> str:
    """Return what people call the place, without its password."""
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string()


def _engine(url: URL) -> Engine:
    with _usable(_name(url)):
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            Path(_name(url)).absolute().parent.mkdir(parents=True, exist_ok=True)
            event.listen(engine, "connect", _set_up)
            event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    # The driver must not begin transactions by itself: it would begin them without the lock.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


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
    origin = connection.scalar(select(_ORIGIN.c.identity))
    if origin is None:
        connection.execute(insert(_ORIGIN), {"identity": identity})
    elif origin != identity:
        raise Mismatch(
            f"{name} was read from another log ({origin}, not {identity}): if this log is the "
            "right one, move the file away and it is made anew"
        )
    return _positions(connection)


def origin(place: str | Path) -> str | None:
    """Return which log a state was read from; None when it does not say."""
    with suppress(SQLAlchemyError), _glance(place) as connection:
        return connection.scalar(select(_ORIGIN.c.identity))
    return None


def stands(place: str | Path) -> dict[Partition, int]:
    """Return how far a state has come; {} when it does not say."""
    with suppress(SQLAlchemyError), _glance(place) as connection:
        return _positions(connection)
    return {}


def sound(place: str | Path) -> bool:
    """Whether a state is as it was written, as far as can be told; it reads all of it."""
    tables = MetaData()
    try:
        with _glance(place) as connection:
            tables.reflect(connection, only=lambda name, _: name != seal.TABLE)
    except SQLAlchemyError:
        return False
    return seal.broken(Path(_name(_url(place))), [tables]) is None


@contextmanager
def _glance(place: str | Path) -> Iterator[Connection]:
    engine = _engine(_url(place))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _positions(connection: Connection) -> dict[Partition, int]:
    rows = connection.execute(select(_POSITION.c.topic, _POSITION.c.number, _POSITION.c.next))
    return {Partition(topic, number): offset for topic, number, offset in rows}


@contextmanager
def _working(name: str) -> Iterator[None]:
    """Say what the disk or the file does to a transaction; what its statements do is a fault."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        if type(error) not in _DISK:
            raise
        cause = getattr(error, "orig", error)
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        kind = Full if code in _PASSING else Failing if code in _DOUBTFUL else Unusable
        raise kind(f"{name} cannot be used as a state now: {cause}") from error


@contextmanager
def _usable(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, SQLAlchemyError, sqlite3.Error) as error:
        reason = getattr(error, "orig", None) or error
        raise Unusable(f"{name} cannot be used as a state: {reason}") from error
