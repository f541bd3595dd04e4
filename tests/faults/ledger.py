"""Load from two sides, over HTTP and straight onto the topics, and one naive ledger of both.

The ledger only knows what was acknowledged: it adds up dictionaries, and nothing of the project's.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Self

import bus
from bus import Bus, Position, Record
from schemas.errors import Unavailable
from tests.faults.beside import Beside
from tests.histories import record
from tests.system.load import Client, Ledger

PATIENCE = 400.0
"""Seconds after which a log that still takes nothing has not just lost its brokers for a while."""


class Patient:
    """A log to which is written again whatever it did not take."""

    def __init__(self, log: Bus) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        """Write until it is acknowledged: a repeat is harmless."""
        began = time.monotonic()
        while True:
            try:
                return await self._log.publish(records)
            except Unavailable:
                if time.monotonic() > began + PATIENCE:
                    raise
            await asyncio.sleep(0.1)


class Heedful(Client):
    """A client that knows how many of its facts are `under_way`: stated, and not acknowledged."""

    under_way = 0

    def batch(self) -> list[dict[str, Any]]:
        """Make up what is stated next."""
        made = super().batch()
        self.under_way = len(made)
        return made

    def acknowledge(self, sent: dict[str, Any]) -> None:
        """Write down that an event was acknowledged."""
        super().acknowledge(sent)
        self.under_way -= 1


class Straight(Heedful):
    """A client that writes to the log itself, as a station with a Kafka client of its own does."""

    def __init__(self, log: Bus, name: str, ledger: Ledger, most: int) -> None:
        super().__init__(str, "", name, ledger, most)
        self._log = Patient(log)

    async def run(self, stop: asyncio.Event) -> None:
        """Write until `stop`."""
        while not stop.is_set():
            batch = self.batch()
            await self._log.publish([record(event) for event in batch])
            for event in batch:
                self.acknowledge(event)
            await asyncio.sleep(self.rest)


class Flow:
    """Load on a hub: `url` of an intake (asked anew each time), its key, and a log's address.

    Each client states batches of at most so many facts and rests for so many seconds after each.
    """

    def __init__(
        self,
        url: Callable[[], str],
        key: str,
        log: str,
        dice: Random,
        *,
        clients: int = 4,
        most: int = 40,
        rest: float = 0.0,
    ) -> None:
        self.ledger = Ledger()
        self._url, self._key, self._log, self._seed = url, key, log, dice.random()
        self._clients, self._most, self._rest = clients, most, rest
        self._running: list[Heedful] = []
        self._beside = Beside(self._send, "load")

    def __enter__(self) -> Self:
        self._beside.__enter__()
        return self

    def __exit__(self, *wrong: object) -> None:
        self._beside.__exit__(*wrong)

    def end(self) -> Ledger:
        """Stop; return the ledger once everything that was sent is acknowledged."""
        self._beside.end()
        return self.ledger

    @property
    def under_way(self) -> int:
        """How many facts are stated, but not acknowledged yet."""
        return sum(client.under_way for client in self._running)

    def more(self, facts: int) -> Callable[[], bool]:
        """Return what tells whether so many more facts are acknowledged than now."""
        goal = self.ledger.acknowledged + facts

        def reached() -> bool:
            self._beside.alive()
            return self.ledger.acknowledged >= goal

        return reached

    async def _send(self, stop: asyncio.Event) -> None:
        async with bus.connect(self._log) as log, asyncio.TaskGroup() as tasks:
            for n in range(self._clients):
                name, most = f"{self._seed}-{n}".replace(".", "")[2:], self._most
                client = Heedful(self._url, self._key, f"h{name}", self.ledger, most)
                straight = Straight(log, f"s{name}", self.ledger, most)
                chosen = straight if n % 2 else client
                chosen.rest = self._rest
                self._running.append(chosen)
                tasks.create_task(chosen.run(stop))
