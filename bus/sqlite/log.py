"""The bus over one file."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing

from bus.port import Listener, Partition, Position, Record, Start
from bus.sqlite.bell import Bell
from bus.sqlite.file import About, File, Synchronous
from bus.sqlite.reader import Reader
from bus.sqlite.subscription import Member, SqliteSubscription
from bus.sqlite.transaction import Placed
from bus.sqlite.writer import Writer
from schemas.errors import Fenced, TooLarge
from schemas.topics import MAX_RECORD, Topic


@asynccontextmanager
async def connect(  # noqa: PLR0913 - what only some callers set is keyword-only
    path: str,
    partitions: int | None = None,
    *,
    synchronous: Synchronous = "FULL",
    max_pages: int | None = None,
    patience: float = 5.0,
    clock: Callable[[], float] = time.time,
    sweep_every: float = 30.0,
) -> AsyncIterator["SqliteBus"]:
    """Open the log at `path`, making it if need be; `:memory:NAME` is one of this process only.

    `patience` is how many seconds a write waits for another process's, `sweep_every` how many
    pass between two sweeps of what has expired or been replaced.
    """
    file = File.named(path, synchronous, patience, max_pages)
    db, about = await asyncio.to_thread(file.open, partitions)
    with closing(Reader(file, db)) as reader:
        bell = Bell(reader.changed)
        writer = Writer(file, bell, clock, sweep_every)
        try:
            yield SqliteBus(about, reader, writer, bell)
        finally:
            await writer.close()


class SqliteBus:
    """The port on one SQLite file."""

    def __init__(self, about: About, reader: Reader, writer: Writer, bell: Bell) -> None:
        self._about, self._reader, self._writer, self._bell = about, reader, writer, bell
        self._epochs: dict[str, int] = {}

    @property
    def identity(self) -> str:
        """The log's own id."""
        return self._about.identity

    def partitions(self, topic: Topic) -> int:
        """Return how many partitions `topic` has."""
        return self._about.partitions if topic.spread else 1

    async def create(self, topics: Sequence[Topic]) -> None:
        """Make `topics` and record how they are kept; those that are there stay."""
        wanted = [(topic, self.partitions(topic)) for topic in topics]
        await self._writer.do(lambda transaction: transaction.create(wanted))

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        """Append `records`; return their positions once they are on disk."""
        placed = self._placed(records)
        return await self._writer.do(lambda transaction: transaction.append(placed))

    @asynccontextmanager
    async def subscribe(
        self,
        group: str | None,
        topics: Sequence[Topic],
        start: Start,
        listener: Listener | None = None,
    ) -> AsyncIterator[SqliteSubscription]:
        """Read `topics`; the older member of `group` ends."""
        generation = 0 if group is None else await self._join(group)
        member = Member(group, generation, self._reader)
        expiring = {topic.name for topic in topics if topic.kept.days is not None}
        subscription = SqliteSubscription(member, self._reader, self._writer, self._bell, expiring)
        numbers = [
            (topic.name, number) for topic in topics for number in range(self.partitions(topic))
        ]
        subscription.join([Partition(*one) for one in numbers], start, listener)
        try:
            yield subscription
        finally:
            await subscription.leave()

    async def claim(self, owner: str) -> None:
        """Take `owner` over."""
        self._epochs[owner] = await self._writer.do(lambda transaction: transaction.claim(owner))

    async def advance(
        self,
        owner: str,
        moves: Mapping[Partition, tuple[int, int]],
        outputs: Sequence[Record],
    ) -> list[Position]:
        """Write `outputs` and move positions in one transaction."""
        placed, moved, epoch = self._placed(outputs), dict(moves), self._epochs.get(owner)
        if epoch is None:
            raise Fenced(owner)
        return await self._writer.do(
            lambda transaction: transaction.advance(owner, epoch, moved, placed)
        )

    async def positions(self, owner: str) -> dict[Partition, int]:
        """Return where `owner` stands."""
        return self._reader.positions(owner)

    async def highwater(self, partition: Partition) -> int:
        """Return the offset that the next record of `partition` gets."""
        if self._reader.refresh():
            self._bell.ring()
        return self._reader.head(partition).next

    async def _join(self, group: str) -> int:
        return await self._writer.do(lambda transaction: transaction.join(group))

    def _placed(self, records: Sequence[Record]) -> list[Placed]:
        return [
            Placed(topic, topic.partition(route, self.partitions(topic)), key, _fits(key, value))
            for topic, route, key, value in records
        ]


def _fits(key: bytes, value: bytes | None) -> bytes | None:
    size = len(key) + len(value or b"")
    if size > MAX_RECORD:
        raise TooLarge(size, MAX_RECORD)
    return value
