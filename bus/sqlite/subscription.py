"""One reader's hold on its partitions."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog

from bus.port import Batch, Lease, Listener, Partition, Start, outside
from bus.sqlite.bell import Bell
from bus.sqlite.reader import Reader
from bus.sqlite.writer import Writer
from schemas.errors import Fenced

_log = structlog.get_logger(__name__)


class Member:
    """The right to read as `group`, which ends when another takes the group over."""

    def __init__(self, group: str | None, generation: int, reader: Reader) -> None:
        self.group, self._generation, self._reader = group, generation, reader

    def fenced(self) -> bool:
        """Whether another has taken over."""
        return self.group is not None and (self._reader.generation(self.group) != self._generation)


class SqliteSubscription:
    """Reads its partitions in turn; `expiring` are the topics whose records go with time."""

    def __init__(
        self, member: Member, reader: Reader, writer: Writer, bell: Bell, expiring: Collection[str]
    ) -> None:
        self._member, self._reader, self._writer, self._bell = member, reader, writer, bell
        self._expiring = expiring
        self._leases: dict[Partition, Lease] = {}
        self._turn: deque[Partition] = deque()
        self._joining: asyncio.Task[None] | None = None
        self._listener: Listener | None = None

    def join(
        self, partitions: Sequence[Partition], start: Start, listener: Listener | None
    ) -> None:
        """Begin to take `partitions`: a task, because a listener may wait for its caller."""
        self._listener = listener
        self._joining = asyncio.create_task(self._join(partitions, start))

    async def leave(self) -> None:
        """End every lease."""
        if self._joining is not None:
            self._joining.cancel()
            await asyncio.gather(self._joining, return_exceptions=True)
        await self._revoke()

    @property
    def assignment(self) -> frozenset[Partition]:
        """The partitions held now."""
        return frozenset(self._leases)

    async def poll(
        self, timeout: float, limit: int = 4000, among: Iterable[Partition] | None = None
    ) -> list[Batch]:
        """Return what is there, or [] after `timeout` seconds."""
        if self._joining is not None:
            await asyncio.shield(self._joining)
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        # A reader that always finds something must not keep the loop to itself.
        await asyncio.sleep(0)
        wanted = None if among is None else frozenset(among)
        while not (batches := await self._read(limit, wanted)) and (left := end - loop.time()) > 0:
            await self._bell.heard(left)
        return batches

    def seek(self, partition: Partition, offset: int) -> None:
        """Read `partition` from `offset` next; one that is not held any more has no next."""
        if partition in self._leases:
            self._leases[partition].alive = False
            self._leases[partition] = Lease(offset)
            self._bell.ring()

    def lease(self, partition: Partition) -> Lease | None:
        """Return the living lease of `partition`."""
        return self._leases.get(partition)

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Record how far this group has come."""
        await self._unfenced()
        group, noted = self._member.group, dict(positions)
        if group is not None and noted:
            await self._writer.do(lambda transaction: transaction.note(group, noted))

    async def _join(self, partitions: Sequence[Partition], start: Start) -> None:
        self._leases = {partition: Lease(start(partition)) for partition in partitions}
        self._turn.extend(partitions)
        if self._listener is not None:
            await self._listener.assigned(self.assignment)

    async def _revoke(self) -> None:
        held, self._leases = self._leases, {}
        for lease in held.values():
            lease.alive = False
        if held and self._listener is not None:
            await self._listener.revoked(frozenset(held))

    async def _unfenced(self) -> None:
        """Raise Fenced when another member has taken the group over; nothing is held then."""
        if self._member.fenced():
            await self._revoke()
            raise Fenced(f"group {self._member.group}")

    async def _read(self, limit: int, wanted: frozenset[Partition] | None) -> list[Batch]:
        if self._reader.refresh():
            self._bell.ring()
        await self._unfenced()
        self._turn.rotate(-1)
        behind = [
            partition
            for partition in self._turn
            if (wanted is None or partition in wanted) and self._behind(partition)
        ]
        return self._share(behind, limit)

    def _behind(self, partition: Partition) -> bool:
        """Whether the log goes on after the position; raises when it lies outside the log."""
        position, head = self._leases[partition].position, self._reader.head(partition)
        start = 0 if partition.topic in self._expiring else head.start
        if not start <= position <= head.next or position < 0:
            raise outside(self._reader.place, partition, position, head.start, head.next)
        return position < head.next

    def _share(self, behind: Sequence[Partition], limit: int) -> list[Batch]:
        """Give each partition its part of `limit`; what one leaves is for those after it."""
        batches: list[Batch] = []
        for index, partition in enumerate(behind):
            if limit > 0:
                batches.append(self._batch(partition, -(-limit // (len(behind) - index))))
                limit -= len(batches[-1].records)
        return batches

    def _batch(self, partition: Partition, limit: int) -> Batch:
        lease, head = self._leases[partition], self._reader.head(partition)
        base = lease.position
        if base < head.start:
            _log.warning(
                "position expired",
                topic=partition.topic,
                partition=partition.number,
                position=base,
                start=head.start,
            )
        rows, lease.position = self._reader.rows(head, max(base, head.start), limit)
        return Batch(*partition, base, lease.position, rows, lease)
