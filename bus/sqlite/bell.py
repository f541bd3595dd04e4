"""The bell that wakes readers: rung by this process's writer, or when the file has changed."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

_GLANCE = 0.01  # seconds between two looks for commits of other processes


class Bell:
    """All readers of a process share one timer, which runs only while somebody waits."""

    def __init__(self, changed: Callable[[], bool]) -> None:
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def ring(self) -> None:
        """Wake everybody who waits."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def heard(self, within: float) -> None:
        """Wait for the next ring, at most `within` seconds."""
        waiting = self._loop.create_future()
        self._waiting.add(waiting)
        if self._timer is None:
            self._glance()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await waiting
        finally:
            self._waiting.discard(waiting)

    def _glance(self) -> None:
        self._timer = None
        if self._waiting:
            if self._changed():
                self.ring()
            self._timer = self._loop.call_later(_GLANCE, self._glance)
