"""One run of a command: until it ends, is told to end, or answers no more."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic

from deploy.keep.probe import EVERY, Probe

GRACE = 15.0
"""Seconds that a process gets to end before it is killed."""
_NOT_STARTED = 126  # as shells say it


@dataclass(frozen=True, slots=True)
class Run:
    """How a run went: its exit code (negative: a signal), and seconds in all and in good order.

    `refused` is why it could not even be started.
    """

    code: int
    lasted: float
    calm: float
    stuck: bool
    refused: str = ""

    @property
    def how(self) -> str:
        """Why it ended, in words."""
        if self.stuck:
            return "answered no more"
        if self.refused:
            return self.refused
        return signal.Signals(-self.code).name if self.code < 0 else f"exit code {self.code}"


async def run(
    command: Sequence[str], place: str | None, patience: float, stop: asyncio.Event
) -> Run:
    """Run a command to its end; `stop` ends it, and so do `patience` seconds without an answer.

    `place` is where it answers HTTP, None when nobody can ask it.
    """
    began = monotonic()
    # Of a session of its own: Ctrl-C at a terminal must reach it once, by way of us.
    try:
        child = await asyncio.create_subprocess_exec(*command, start_new_session=True)
    except OSError as error:  # no memory, no process left, or just being replaced by an upgrade
        return Run(_NOT_STARTED, 0.0, 0.0, stuck=False, refused=str(error))
    async with _probed(place) as probe:
        stuck = await _attend(child, probe, patience, stop)
    lasted = monotonic() - began
    code = child.returncode or 0
    return Run(code, lasted, probe.calm if probe else lasted, stuck)


@asynccontextmanager
async def _probed(place: str | None) -> AsyncIterator[Probe | None]:
    if place is None:
        yield None
        return
    probe = Probe(place)
    asking = asyncio.create_task(probe.run())
    try:
        yield probe
    finally:
        asking.cancel()


async def _attend(
    child: Process, probe: Probe | None, patience: float, stop: asyncio.Event
) -> bool:
    """Return once it has ended; whether that was because it answered no more."""
    ended, told = asyncio.create_task(child.wait()), asyncio.create_task(stop.wait())
    stuck = False
    try:
        while not (ended.done() or told.done() or stuck):
            await asyncio.wait([ended, told], timeout=EVERY, return_when=asyncio.FIRST_COMPLETED)
            stuck = probe is not None and patience > 0 and probe.stuck(patience)
        if not ended.done():
            await _end(child, ended)
    finally:
        told.cancel()
    return stuck


async def _end(child: Process, ended: asyncio.Task[int]) -> None:
    with suppress(ProcessLookupError):
        child.terminate()
    await asyncio.wait([ended], timeout=GRACE)
    with suppress(ProcessLookupError):
        if not ended.done():
            child.kill()
    await ended
