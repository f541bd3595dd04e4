"""The one writer of a state file: follows topics and writes them batch by batch."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from bus.beside import Beside
from bus.port import Batch, Bus, Partition, Subscription
from bus.state import State
from schemas.codec import Event, decoder
from schemas.topics import named
from services.screens.marks import Marks
from services.screens.start import Start

T = TypeVar("T")


class Heard(NamedTuple):
    """An event as the log holds it; `logged` in milliseconds since 1970."""

    offset: int
    logged: int
    event: Event
    value: bytes


Floor = Callable[[Connection, Partition], int]
"""The latest append time of what is held of a partition."""
Write = Callable[[Connection, Batch, Sequence[Heard]], T]
"""Writes what was heard in a batch; returns what it changed for those who watch."""


class Writer:
    """`marks` says how far it has come. All its SQL runs `beside`, in a thread named `name`."""

    def __init__(self, log: Bus, state: State, floor: Floor, name: str) -> None:
        self._log, self._state, self._floor = log, state, floor
        self._floors: dict[Partition, int] = {}
        self.marks = Marks(state.positions)
        self.start = Start(self.marks)
        self.skipped = 0
        self.beside = Beside(name)

    async def take(
        self, subscription: Subscription, size: int, write: Write[T]
    ) -> AsyncIterator[T]:
        """Write what comes next; a mark moves once whoever asked has taken in what it changed."""
        for batch in await subscription.poll(1.0, size):
            if batch.lease.alive and batch.base == self.marks.at(batch.source):
                yield await self._state.patient(partial(self.beside.run, self._write, batch, write))
                self.marks.move(batch.source, batch.next)

    def _write(self, batch: Batch, write: Write[T]) -> T:
        """Write a batch; what is kept of it in memory is so only once it is committed."""
        with self._state.move(batch.source, batch.base, batch.next) as connection:
            floor = self._floors.get(batch.source) or self._floor(connection, batch.source)
            heard = list(self._heard(batch, floor))
            done = write(connection, batch, heard)
        self._floors[batch.source] = max([floor, *(one.timestamp for one in batch.records)])
        self.skipped += len(batch.records) - len(heard)  # stats makes dead letters of them
        return done

    def _heard(self, batch: Batch, logged: int) -> Iterator[Heard]:
        topic = named(batch.topic)
        read = decoder(topic, batch.partition, self._log.partitions(topic))
        for record in batch.records:
            event = read(record.value)
            logged = max(logged, record.timestamp)
            if isinstance(event, Event):
                yield Heard(record.offset, logged, event, record.value or b"")
