"""A bound in time that holds also for whoever swallows being cancelled."""

import asyncio
from types import TracebackType
from typing import Self

AGAIN = 0.5
"""Seconds after which who has not ended is cancelled again."""


class Bound:
    """Cancels its body after some seconds, again and again until it ends; raises TimeoutError.

    aiokafka has bounds of its own inside ours. When both run out in the same round of the event
    loop, it takes the one cancellation for its own, and tries once more: for ever.
    """

    def __init__(self, seconds: float, again: float = AGAIN) -> None:
        self._seconds, self._again, self._asked = seconds, again, 0

    async def __aenter__(self) -> Self:
        """Begin to count."""
        task = asyncio.current_task()
        assert task is not None
        self._task, self._before = task, task.cancelling()
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_later(self._seconds, self._ask)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Take back what was asked for; others may have cancelled the task as well."""
        self._handle.cancel()
        left = self._before
        for _ask in range(self._asked):
            left = self._task.uncancel()
        if self._asked and kind is asyncio.CancelledError and left <= self._before:
            raise TimeoutError from error

    def _ask(self) -> None:
        self._asked += 1
        self._task.cancel()
        self._handle = self._loop.call_later(self._again, self._ask)
