"""Whether the data folder takes what is written to it: tried, since nothing tells beforehand.

And whether what a process has open still lies there: what is written to a file that was deleted or
replaced is lost with the process.
"""

import asyncio
import os
import time
from asyncio import TaskGroup
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile

from schemas.errors import Unusable

EVERY = 2.0
"""Seconds between two tries."""
LONG = 10.0
"""Seconds after which a try that has not ended counts as failed."""
_Id = tuple[int, int]
_PROBE = bytes(64 << 10)


class Disk:
    """What the last try found; a service that only says whether it is ready."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._held: dict[Path, _Id | None] = {}
        self._wrong: str | None = None
        self._began: float | None = None

    def ready(self) -> dict[str, str]:
        """Return what is wrong with the folder, {} when nothing is."""
        if self._began is not None and time.monotonic() - self._began > LONG:
            return {"data folder": f"no answer for more than {LONG:g} seconds"}
        return {"data folder": self._wrong} if self._wrong else {}

    def hold(self, files: Iterable[Path]) -> None:
        """Remember what this process has open; these files must stay where they are."""
        places = [self._data, *(Path(f"{file}{end}") for file in files for end in ("", "-wal"))]
        self._held = {place: _id(place) for place in places if place.exists()}

    async def look(self) -> None:
        """Try once, in a thread: a disk may take its time, or never answer.

        Raises Unusable when another file lies where one was opened: it never comes back.
        """
        self._began = time.monotonic()
        self._wrong = await asyncio.to_thread(self._try)
        self._began = None

    def _try(self) -> str | None:
        try:
            _write(self._data)
        except OSError as error:
            return error.strerror or str(error)
        return self._lost()

    def _lost(self) -> str | None:
        found = {place: _id(place) for place in self._held}
        for place, was in self._held.items():
            if found[place] not in {None, was}:
                raise Unusable(
                    f"{place} was replaced while it was open: started again, this process goes on "
                    "with what lies there now"
                )
        gone = [str(place) for place, is_ in found.items() if is_ is None]
        return f"{', '.join(gone)}: moved or deleted" if gone else None


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


def _id(place: Path) -> _Id | None:
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _write(data: Path) -> None:
    # It has no name, or loses it at once: a crash leaves nothing behind.
    with TemporaryFile(dir=data) as probe:
        probe.write(_PROBE)
        probe.flush()
        os.fsync(probe.fileno())
