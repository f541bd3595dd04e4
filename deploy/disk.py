"""Whether the data folder takes what is written to it: tried, since nothing tells beforehand."""

import asyncio
import os
import time
from asyncio import TaskGroup
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile

EVERY = 2.0
"""Seconds between two tries."""
LONG = 10.0
"""Seconds after which a try that has not ended counts as failed."""
_PROBE = bytes(64 << 10)


class Disk:
    """What the last try found; a service that only says whether it is ready."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._wrong: str | None = None
        self._began: float | None = None

    def ready(self) -> dict[str, str]:
        """Return what is wrong with the folder, {} when nothing is."""
        if self._began is not None and time.monotonic() - self._began > LONG:
            return {"data folder": f"no answer for more than {LONG:g} seconds"}
        return {"data folder": self._wrong} if self._wrong else {}

    async def look(self) -> None:
        """Try once, in a thread: a disk may take its time, or never answer."""
        self._began = time.monotonic()
        try:
            await asyncio.to_thread(_write, self._data)
        except OSError as error:
            self._wrong = error.strerror or str(error)
        else:
            self._wrong = None
        self._began = None


@asynccontextmanager
async def watching(data: Path, tasks: TaskGroup) -> AsyncIterator[Disk]:
    """Try again and again, the first time at once."""
    disk = Disk(data)
    await disk.look()
    task = tasks.create_task(_watch(disk))
    try:
        yield disk
    finally:
        task.cancel()


async def _watch(disk: Disk) -> None:
    while True:
        await asyncio.sleep(EVERY)
        await disk.look()


def _write(data: Path) -> None:
    # It has no name, or loses it at once: a crash leaves nothing behind.
    with TemporaryFile(dir=data) as probe:
        probe.write(_PROBE)
        probe.flush()
        os.fsync(probe.fileno())
