"""How much room there is beside the data, for who watches: a disk that fills gives notice."""

import asyncio
import shutil
from asyncio import TaskGroup
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

EVERY = 10.0
"""Seconds between two looks."""


@contextmanager
def measuring(data: Path, metrics: CollectorRegistry, tasks: TaskGroup) -> Iterator[None]:
    """Measure again and again; what cannot be measured is told by the probe of the disk."""
    free = Gauge("yizhan_data_free_bytes", "Room left beside the data.", registry=metrics)
    whole = Gauge("yizhan_data_bytes", "Size of the disk that holds the data.", registry=metrics)
    task = tasks.create_task(_measure(data, free, whole))
    try:
        yield
    finally:
        task.cancel()


async def _measure(data: Path, free: Gauge, whole: Gauge) -> None:
    while True:
        try:
            # In a thread: a file system of another machine may not answer.
            found = await asyncio.to_thread(shutil.disk_usage, data)
        except OSError:
            free.set(0)
        else:
            free.set(found.free)
            whole.set(found.total)
        await asyncio.sleep(EVERY)
