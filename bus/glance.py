"""A look at a state from outside: which log it is of, how far it has come, whether it is sound."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, MetaData, select
from sqlalchemy.exc import SQLAlchemyError

from bus import database, seal
from bus.port import Partition
from bus.state import ORIGIN, positions


def origin(place: str | Path) -> str | None:
    """Return which log a state was read from; None when it does not say."""
    with suppress(SQLAlchemyError), _glance(place) as connection:
        return connection.scalar(select(ORIGIN.c.identity))
    return None


def stands(place: str | Path) -> dict[Partition, int]:
    """Return how far a state has come; {} when it does not say."""
    with suppress(SQLAlchemyError), _glance(place) as connection:
        return positions(connection)
    return {}


def sound(place: str | Path) -> bool:
    """Whether a state is as it was written, as far as can be told; it reads all of it."""
    tables = MetaData()
    try:
        with _glance(place) as connection:
            tables.reflect(connection, only=lambda name, _: name != seal.TABLE)
    except SQLAlchemyError:
        return False
    return seal.broken(Path(database.name(database.url(place))), [tables]) is None


@contextmanager
def _glance(place: str | Path) -> Iterator[Connection]:
    engine = database.engine(database.url(place))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
