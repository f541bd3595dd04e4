"""The log as a port: all that the rest of Yizhan knows about Kafka or SQLite.

The contract, which one suite (tests/bus/) holds against every implementation:

*   `publish` returns when every record is durable (fsynced, or on all in-sync replicas). Records
    of one call keep their order within a partition. When it raises, none, some or all may have
    been written: whoever repeats must be safe to repeat.
*   A reader is handed Batches. `base` is the position a batch was read from, `next` the reader's
    position after it; base(k+1) == next(k) while the lease lives, whatever gaps the log has
    (transaction markers, aborted records, compaction). A batch may be empty and still advance.
    Who applies a batch only when `batch.base` is its own position can neither lose nor repeat a
    record, whatever lies between it and the log.
*   A seek or a revocation ends the lease; a batch of a dead lease must be thrown away.
*   `advance` writes outputs and moves positions in one atomic step, or does neither.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from schemas.errors import OutOfRange
from schemas.topics import Topic


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


class Position(NamedTuple):
    """Where a record stands in the log."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """Return the form used in `Yizhan-Position` and `?after=`: topic:partition:offset."""
        return f"{self.topic}:{self.partition}:{self.offset}"


class Record(NamedTuple):
    """A record to publish: `route` chooses the partition, `key` is what compaction goes by.

    A route that is a number is the partition. Yizhan writes no record without a value; others may,
    so a log can hold some.
    """

    topic: Topic
    route: str | int
    key: bytes
    value: bytes | None


class Stored(Protocol):
    """A record as it lies in the log; `timestamp` is the append time in milliseconds."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""

    @property
    def timestamp(self) -> int:
        """When the log appended it, in milliseconds since 1970."""

    @property
    def key(self) -> bytes | None:
        """What compaction goes by."""

    @property
    def value(self) -> bytes | None:
        """The record itself."""


@dataclass(slots=True, eq=False)
class Lease:
    """One uninterrupted read of one partition; `position` is what will be read next."""

    position: int
    alive: bool = True


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition, in the order of the log."""

    topic: str
    partition: int
    base: int
    next: int
    records: Sequence[Stored]
    lease: Lease = field(repr=False, compare=False)

    @property
    def source(self) -> Partition:
        """The partition this batch was read from."""
        return Partition(self.topic, self.partition)


def outside(log: str, partition: Partition, position: int, start: int, end: int) -> OutOfRange:
    """Return the error of a position that lies outside `log`, which its sentence names."""
    error = OutOfRange(*partition, position, start, end)
    error.args = (f"{log}: {error}; was an older copy of it put back?",)
    return error


Start = Callable[[Partition], int]
"""Where to read a partition from; asked at each assignment, before its first batch."""


class Listener(Protocol):
    """Told when partitions come and go, before their first and after their last batch."""

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Their leases have ended; another member may read them at once."""

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        """All partitions held now, sought to where `start` said."""


class Subscription(Protocol):
    """One reader's hold on its partitions."""

    @property
    def assignment(self) -> frozenset[Partition]:
        """The partitions held now; empty until the first assignment."""

    async def poll(
        self, timeout: float, limit: int = 4000, among: Iterable[Partition] | None = None
    ) -> list[Batch]:
        """Return what is there, at most `limit` records in all, or [] after `timeout` seconds.

        `among` narrows the read to some of the partitions held. Raises OutOfRange when a position
        lies outside the log, except on topics that expire: there a position before the start moves
        to the start, said in a log line; the lease goes on, for what expired is one more gap, and
        `base` is still the position it moved from. Raises Fenced when another member took the group
        over.
        """

    def seek(self, partition: Partition, offset: int) -> None:
        """Read `partition` from `offset` next; ends its lease and begins another."""

    def lease(self, partition: Partition) -> Lease | None:
        """Return the living lease of `partition`; None when it is not held."""

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell the log how far this group has come. Informational: for lag displays only.

        Raises what `poll` would of the group: who holds nothing may have no reason to poll.
        """


class Bus(Protocol):
    """A log of topics. Instances come from `bus.connect`, started and to be closed by it."""

    @property
    def identity(self) -> str:
        """The log's own id, given when it was made: states remember which log they come from."""

    def partitions(self, topic: Topic) -> int:
        """Return how many partitions `topic` has; it never changes."""

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        """Write `records`; return their positions once they are durable.

        Raises TooLarge (nothing written) or Unavailable (retriable).
        """

    def subscribe(
        self,
        group: str | None,
        topics: Sequence[Topic],
        start: Start,
        listener: Listener | None = None,
    ) -> AbstractAsyncContextManager[Subscription]:
        """Read `topics`: sharing them with the other members of `group`, or all of them (None).

        On SQLite a group has one member: subscribing ends the older one, whose polls raise Fenced.
        """

    async def claim(self, owner: str) -> None:
        """Take `owner` over: from now on every other holder's `advance` raises Fenced."""

    async def advance(
        self,
        owner: str,
        moves: Mapping[Partition, tuple[int, int]],
        outputs: Sequence[Record],
    ) -> list[Position]:
        """Write `outputs` and move the owner's positions {partition: (from, to)} in one step.

        Both may be empty. Returns the positions of the outputs. Raises Fenced when `owner` was
        claimed by another, was never claimed here, or a position is not at its `from`;
        TooLarge; Unavailable (all of it is visible or nothing is: claim again and read).
        """

    async def positions(self, owner: str) -> dict[Partition, int]:
        """Return the positions that `advance` has moved for `owner`; {} before the first."""

    async def highwater(self, partition: Partition) -> int:
        """Ask the log now for the end of `partition`: where a read-committed reader would stand."""
