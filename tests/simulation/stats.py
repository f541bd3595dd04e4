"""A stats worker as a process: the real worker and the real calls, on a stand-in for Faust.

Like Faust the stand-in keeps a short queue, and loses or repeats what is in it now and then.
"""

import asyncio
from asyncio import Queue, get_running_loop
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from faust.types import TP
from prometheus_client import CollectorRegistry

from bus.port import Batch, Partition, Subscription
from bus.state import State
from schemas.days import SHANGHAI
from schemas.errors import Unavailable
from services.stats.app import INPUTS, Host
from services.stats.audit import auditing
from services.stats.metrics import Metrics
from services.stats.store import Store
from services.stats.worker import Worker
from tests.simulation.file import File
from tests.simulation.link import Link
from tests.simulation.log import EPOCH, Log
from tests.simulation.shelf import Shelf

FLUSH_EVERY, TEND_EVERY, LOOK_EVERY, AUDIT_EVERY = 0.1, 0.4, 1.0, 1.5


class Stage:
    """What Host asks of Faust: a stream of batches, and the consumer's positions."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._queue: Queue[Batch] = Queue(8)
        self.consumer: Any = self
        self.subscription: Subscription | None = None

    async def crash(self, error: BaseException) -> None: ...

    async def position(self, tp: TP) -> int | None:
        lease = self.subscription and self.subscription.lease(Partition(*tp))
        return lease.position if lease else None

    async def seek(self, tp: TP, offset: int) -> None:
        if self.subscription is not None:
            self.subscription.seek(Partition(*tp), offset)

    async def inform(self, positions: Mapping[Partition, int]) -> None: ...

    async def pull(self, subscription: Subscription) -> None:
        """Fill the queue for ever."""
        self.subscription, last = subscription, list[Batch]()
        while True:
            for batch in await subscription.poll(1.0):
                if not self._log.odds("drop", 0.1):
                    await self._queue.put(batch)
                    last = [*last[-3:], batch]
            if last and self._log.odds("again", 0.05):
                await self._queue.put(self._log.dice.choice(last))

    async def events(self) -> AsyncIterator[SimpleNamespace]:
        while True:
            yield SimpleNamespace(value=await self._queue.get())


class Leaving:
    """Tells the host which partitions go, as Faust does."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        await self._host.revoked(None, {TP(*partition) for partition in partitions})

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        await self._host.assigned(None, {TP(*partition) for partition in partitions})


async def stats(log: Log, disk: Shelf | File, link: Link) -> None:
    """Count for ever."""
    with disk.opened() as kept:
        # Of a real state blobs are merged often, or no run would come to it.
        store = Store(kept, merge=3) if isinstance(kept, State) else kept
        await _count(log, store, link)


async def _count(log: Log, store: Any, link: Link) -> None:
    worker = Worker(link, store, now, Metrics(CollectorRegistry()))
    stage = Stage(log)
    app: Any = stage
    host = Host(worker, app)
    async with (
        link.subscribe("stats", INPUTS, worker.start, Leaving(host)) as subscription,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(stage.pull(subscription))
        tasks.create_task(host.fold(stage))
        tasks.create_task(_every(FLUSH_EVERY, host.flush))
        tasks.create_task(_every(TEND_EVERY, host.tend))
        tasks.create_task(_every(LOOK_EVERY, worker.look))
        tasks.create_task(_audit(worker))


async def _every(seconds: float, call: Any) -> None:
    while True:
        await asyncio.sleep(seconds)
        await call()


async def _audit(worker: Worker) -> None:
    """Recount beside the fold, as the real loop does, by the virtual clock alone."""
    while True:
        while not worker.caught_up:  # noqa: ASYNC110  # a state of many parts, not an event
            await asyncio.sleep(0.2)
        held = worker.held
        async with auditing(worker.log, held) as auditor:
            while held == worker.held:
                with suppress(Unavailable):
                    await worker.audit(auditor)
                await asyncio.sleep(AUDIT_EVERY)


def now() -> str:
    """Return the virtual time as events state it."""
    moment = datetime.fromtimestamp(EPOCH + get_running_loop().time(), SHANGHAI)
    return moment.isoformat(timespec="milliseconds")
