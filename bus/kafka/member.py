"""What happens when partitions come and go."""

import asyncio
from collections.abc import Collection
from contextlib import suppress

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from bus.kafka.leases import Leases
from bus.port import Listener, Partition, Start

_log = structlog.get_logger(__name__)


class Member(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka comes without types
    """Begins and ends leases as aiokafka assigns and revokes, and tells the reader's user.

    aiokafka swallows what its callbacks raise, so failures are kept for whoever polls.
    """

    def __init__(
        self, group: str | None, leases: Leases, start: Start, listener: Listener | None
    ) -> None:
        self.group, self.leases = group, leases
        self._start, self._listener = start, listener
        self._settled = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._left = False

    @property
    def ready(self) -> bool:
        """Whether there is an assignment, sought and told; raises what failed on the way."""
        if self._failure is not None:
            raise self._failure
        return self._settled.is_set()

    async def settled(self, within: float) -> bool:
        """Wait until `ready`, at most `within` seconds."""
        if not self.ready:
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._settled.wait()
        return self.ready

    async def leave(self) -> None:
        """Let all partitions go for good."""
        self._left = True
        await self.on_partitions_revoked(())

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """End all leases; also what stays is assigned anew afterwards."""
        del revoked
        held = self.leases.end()
        self._tells("revoked", held)
        if self._telling is not None:
            await asyncio.wait([self._telling])
        self._settled.clear()
        if held and self._listener is not None:
            try:
                await self._listener.revoked(held)
            except Exception as error:  # noqa: BLE001 - whoever polls is told
                self._failure = error

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin a lease of each; a plain function, so that nothing can be read before."""
        if self._left:
            return
        try:
            self.leases.begin(assigned, self._start)
        except Exception as error:  # noqa: BLE001 - whoever polls is told
            self._failure = error
        self._tells("assigned", self.leases.held)
        # A task: heartbeats start only when this returns, and a listener may take its time.
        self._telling = asyncio.create_task(self._tell())

    def _tells(self, what: str, partitions: Collection[Partition]) -> None:
        if self.group is not None:
            _log.info(what, group=self.group, partitions=len(partitions))

    async def _tell(self) -> None:
        try:
            if self._listener is not None and self._failure is None:
                await self._listener.assigned(self.leases.held)
        except Exception as error:  # noqa: BLE001 - whoever polls is told
            self._failure = error
        finally:
            self._settled.set()
