"""Patience: until when a question waits for what it asks about, and among how many."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bus.gate import Gate


@dataclass(frozen=True, slots=True)
class Patience:
    """One for all that a question waits for, one thing after the other: `until` on loop's clock.

    Only who truly waits takes a place at the gate.
    """

    until: float
    gate: Gate

    @classmethod
    def of(cls, seconds: float, gate: Gate) -> "Patience":
        """Return the patience of a question that may wait so long from now on."""
        return cls(asyncio.get_running_loop().time() + seconds, gate)

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Be one of those who wait meanwhile.

        Raises TimeoutError once the time is over, a 503 when there is no place to wait.
        """
        if self.until <= asyncio.get_running_loop().time():
            raise TimeoutError
        with self.gate.entered():
            async with asyncio.timeout_at(self.until):
                yield
