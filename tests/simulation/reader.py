"""A subscription to the simulated log."""

import asyncio
from asyncio import AbstractEventLoop, Event, Future, get_running_loop
from collections.abc import Iterable, Mapping, Sequence

from bus.port import Batch, Lease, Listener, Partition, Start, outside
from schemas.errors import Unavailable
from tests.simulation.group import Group
from tests.simulation.log import Log


class Reader:
    """Reads all of `places` without a group; else what the group deals it, by `belong`."""

    def __init__(
        self,
        log: Log,
        group: Group | None,
        places: Sequence[Partition],
        start: Start,
        listener: Listener | None,
    ) -> None:
        self._log, self.group, self._start, self._listener = log, group, start, listener
        self._leases: dict[Partition, Lease] = {}
        self.called = Event()
        self._waiting: list[Future[None]] = []
        self._settled = group is None
        self._failure: BaseException | None = None
        self._slow = False
        if group is None:
            self._begin(places)
        log.watching[self.watch] = None

    def watch(self, place: Partition) -> None:
        """Hear that a partition has got something."""
        if place in self._leases:
            self._ring()

    async def belong(self) -> None:
        """Let go and take on partitions for ever, as the group says."""
        group = self.group
        assert group is not None
        try:
            while True:
                share = await group.join(self)
                self._begin(share)
                if self._listener is not None:
                    await self._listener.assigned(frozenset(share))
                self._settled = True
                self._ring()
                await self.called.wait()
                self._settled = False
                held = self.end()
                if held and self._listener is not None:
                    await self._listener.revoked(held)
        except Exception as error:  # noqa: BLE001  # whoever polls is told
            self._failure = error
            self._ring()

    def end(self) -> frozenset[Partition]:
        """End all leases; return of what."""
        held = self.assignment
        for lease in self._leases.values():
            lease.alive = False
        self._leases = {}
        return held

    @property
    def assignment(self) -> frozenset[Partition]:
        return frozenset(self._leases)

    def lease(self, partition: Partition) -> Lease | None:
        return self._leases.get(partition)

    def seek(self, partition: Partition, offset: int) -> None:
        lease = self._leases.get(partition)
        if lease is not None:
            lease.alive = False
            self._leases[partition] = Lease(offset)
            self._ring()

    async def commit(self, positions: Mapping[Partition, int]) -> None: ...

    async def poll(
        self, timeout: float, limit: int = 4000, among: Iterable[Partition] | None = None
    ) -> list[Batch]:
        loop, log = get_running_loop(), self._log
        end = loop.time() + timeout
        wanted = None if among is None else frozenset(among)
        await asyncio.sleep(log.dice.random() * 0.05 if log.odds("delay", 0.1) else 0)
        while True:
            if self._failure is not None:
                raise self._failure
            if log.down and log.dice.random() < 0.03:
                raise Unavailable("the log cannot be read")
            if self._settled and not log.down and (found := self._take(limit, wanted)):
                return found
            left = end - loop.time()
            if left <= 0:
                return []
            await self._heard(loop, min(left, 0.03) if self._slow else left)

    async def _heard(self, loop: AbstractEventLoop, seconds: float) -> None:
        """Wait for news for so long; an Event within a timeout does the same, at many times."""
        waiter: Future[None] = loop.create_future()
        timer = loop.call_later(seconds, _wake, waiter)
        self._waiting.append(waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiting.remove(waiter)

    def _ring(self) -> None:
        for waiter in self._waiting:
            _wake(waiter)

    def _begin(self, places: Iterable[Partition]) -> None:
        self._leases = {place: Lease(self._start(place)) for place in sorted(places)}

    def _take(self, limit: int, wanted: frozenset[Partition] | None) -> list[Batch]:
        log, found, self._slow = self._log, list[Batch](), False
        for place, lease in self._leases.items():
            if limit <= 0 or (wanted is not None and place not in wanted):
                continue
            tape = log.tapes[place]
            if not 0 <= lease.position <= tape.end:
                raise outside(f"the {log.identity} log", place, lease.position, 0, tape.end)
            if lease.position >= tape.shown:
                continue
            if log.odds("delay", 0.2):
                self._slow = True
                continue
            most = min(limit, log.dice.randint(1, 6)) if log.faulty else limit
            records, following = tape.read(lease.position, most)
            base, lease.position = lease.position, following
            found.append(Batch(*place, base, following, records, lease))
            limit -= len(records)
        return found


def _wake(waiter: Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
