"""Work that goes on beside a test, in a thread and on a loop of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from threading import Thread
from typing import Any, Self

Work = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Goes on until the event is set, then ends in its own time."""


GRACE = 60.0
"""Seconds that cancelled work may take until it has cleaned up."""


class Beside:
    """Runs `work` within its context; a test that fails meanwhile cancels it."""

    def __init__(self, work: Work, name: str) -> None:
        self._work = work
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._failed: BaseException | None = None
        self._broken = asyncio.Event()
        # A daemon: whatever hangs in it must not keep the interpreter from its end.
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, wrong: object, *_: object) -> None:
        if wrong is None:
            self.end()
        else:  # what it waits for may never come
            self._soon(self._broken.set)
            self._thread.join(GRACE)

    def end(self) -> None:
        """Tell it to stop; return once it has ended. Raises what it failed with."""
        self._soon(self._stop.set)
        self._thread.join()
        if self._failed is not None:
            raise self._failed

    def alive(self) -> None:
        """Raise AssertionError when it has ended by itself."""
        if not self._thread.is_alive():
            raise AssertionError("it has ended by itself") from self._failed

    def _soon(self, work: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # its loop may have ended by itself
            self._loop.call_soon_threadsafe(work)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._whole())
        except BaseException as error:  # noqa: BLE001  # raised by whoever ends it
            self._failed = error

    async def _whole(self) -> None:
        working = asyncio.create_task(self._work(self._stop))
        breaking = asyncio.create_task(self._broken.wait())
        await asyncio.wait((working, breaking), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
        breaking.cancel()
        await working
