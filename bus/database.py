"""Where a state is kept: how its SQL database is opened, and what its failures are called."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from schemas.errors import Failing, Full, Unusable

_PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}
_DOUBTFUL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
# The seal speaks to the driver itself, all else through SQLAlchemy.
_DISK = {DatabaseError, OperationalError, sqlite3.DatabaseError, sqlite3.OperationalError}


def url(place: str | Path) -> URL:
    """Return the URL of a state's place: one already, or the path of an SQLite file."""
    with usable("a database URL that was given"):
        given = make_url(place) if isinstance(place, str) and "://" in place else None
    return given or URL.create("sqlite", database=str(place))


def name(at: URL) -> str:
    """Return what people call the place, without its password."""
    return str(at.database) if at.get_backend_name() == "sqlite" else at.render_as_string()


def engine(at: URL) -> Engine:
    """Return what connects to the database there; raises Unusable."""
    with usable(name(at)):
        made = create_engine(at)
        if made.dialect.name == "sqlite":
            Path(name(at)).absolute().parent.mkdir(parents=True, exist_ok=True)
            event.listen(made, "connect", _set_up)
            event.listen(made, "begin", _begin)
    return made


def _set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    # The driver must not begin transactions by itself: it would begin them without the lock.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def working(place: str) -> Iterator[None]:
    """Say what the disk or the file does to a transaction; what its statements do is a fault."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        if type(error) not in _DISK:
            raise
        cause = getattr(error, "orig", error)
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        kind = Full if code in _PASSING else Failing if code in _DOUBTFUL else Unusable
        raise kind(f"{place} cannot be used as a state now: {cause}") from error


@contextmanager
def usable(place: str) -> Iterator[None]:
    """Raise Unusable for whatever keeps a place from being opened."""
    try:
        yield
    except (OSError, SQLAlchemyError, sqlite3.Error) as error:
        reason = getattr(error, "orig", None) or error
        raise Unusable(f"{place} cannot be used as a state: {reason}") from error
