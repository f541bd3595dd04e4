"""The registry as the log has it, followed from its beginning."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from bus.port import Batch, Bus, Partition
from schemas.codec import Event, decoder
from schemas.errors import Forbidden, Invalid, Unavailable
from schemas.topics import REGISTRY
from schemas.tree import Registry

T = TypeVar("T")
_SOURCE = Partition(REGISTRY.name, 0)
_CHUNK = 500  # records taken in before others get their turn


class View:
    """Follows the registry topic; `registry` is what stood at `position`."""

    def __init__(self, log: Bus, patience: float) -> None:
        self._log, self._patience = log, patience
        self._decode = decoder(REGISTRY, 0, 1)
        self._moved = asyncio.Event()
        self.registry = Registry()
        self.position = 0
        self.end: int | None = None
        """Where the log ended when this view began; None until it was asked."""

    async def follow(self) -> None:
        """Read for ever."""
        async with self._log.subscribe(None, [REGISTRY], lambda _: self.position) as subscription:
            self.end = await self._log.highwater(_SOURCE)
            while True:
                for batch in await subscription.poll(1.0, _CHUNK):
                    self._take(batch)

    async def current(self) -> None:
        """Return once everything is known that the log holds now; raises Unavailable."""
        end = await self._log.highwater(_SOURCE)
        try:
            async with asyncio.timeout(self._patience):
                while self.position < end:
                    await self._moved.wait()
        except TimeoutError as error:
            raise Unavailable(f"the registry is read only to {self.position} of {end}") from error

    def _take(self, batch: Batch) -> None:
        if not batch.lease.alive or batch.base != self.position:
            return
        for record in batch.records:
            event = self._decode(record.value)
            # What is unusable here is written down as a dead letter by stats, and by nobody else.
            if isinstance(event, Event):
                self.registry.apply(event)
        self.position = batch.next
        self._moved.set()
        self._moved = asyncio.Event()


class Outlook:
    """The registry as one post sees it: what the log says, then what the post itself has said."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._own: list[Event] = []
        self._copy: Registry | None = None
        self._fresh = False

    @property
    def registry(self) -> Registry:
        """What is known."""
        return self._copy or self._view.registry

    def take(self, event: Event) -> None:
        """Add a registry event of this very post."""
        if self._copy is None:
            now = self._view.registry
            self._copy = replace(
                now,
                nodes=dict(now.nodes),
                enterprises=dict(now.enterprises),
                standing=dict(now.standing),
            )
        self._own.append(event)
        self._copy.apply(event)

    async def judge(self, check: Callable[[Registry], T]) -> T:
        """Return what `check` finds; before it refuses, the registry is read to its end, once."""
        if not self._fresh:
            try:
                return check(self.registry)
            except (Invalid, Forbidden):
                await self.refresh()
        return check(self.registry)

    async def refresh(self) -> None:
        """Read the registry to its current end, unless that was done for this post."""
        if self._fresh:
            return
        await self._view.current()
        self._fresh, self._copy = True, None
        own, self._own = self._own, []
        for event in own:
            self.take(event)
