"""A process of the simulation: it runs, is killed, is paused, and is started again."""

import asyncio
from asyncio import Task
from collections.abc import Awaitable, Callable, Iterator
from contextvars import Context, copy_context
from typing import Protocol

from schemas.errors import Fenced, Unavailable
from tests.simulation.file import File
from tests.simulation.link import Link
from tests.simulation.log import Log
from tests.simulation.loop import OWNER, Loop, Owner

Main = Callable[[Link], Awaitable[None]]
MAY_END = (Unavailable, Fenced)
"""With what a process may end of itself: whoever started it starts it again."""


class Disk(Protocol):
    """What outlives a process."""

    def cut(self) -> None:
        """Forget what was not synced."""

    def wipe(self) -> None:
        """Forget everything."""


class Process:
    """One process, over all its lives; `broken` is what must never end one."""

    def __init__(self, log: Log, name: str, main: Main, disk: Disk | None = None) -> None:
        self.name, self.disk = name, disk
        self._log, self._main = log, main
        self._owner = Owner()
        self._task: Task[None] | None = None
        self._link: Link | None = None
        self.broken: list[BaseException] = []
        self.ending = False
        if isinstance(disk, File):
            disk.kill = lambda: self.kill(0.5 * log.options.session)

    @property
    def runs(self) -> bool:
        return self._task is not None and not (self._owner.gone or self._owner.held)

    def start(self) -> None:
        """Begin a life."""
        if self.ending or self._task is not None:
            return
        self._owner, self._link = Owner(), Link(self._log)
        self._link.freeze = lambda: self.pause(2.0 * self._log.options.session)
        context = copy_context()
        context.run(OWNER.set, self._owner)
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._live(self._link), name=self.name, context=context)
        self._task.add_done_callback(self._ended, context=Context())

    async def _live(self, link: Link) -> None:
        await self._main(link)

    def kill(self, back: float | None) -> None:
        """End it as SIGKILL does; start it again after so many seconds (None: never)."""
        self._owner.gone = True
        self._bury()
        if back is not None:
            self._log.later(back, self.start)

    def thaw(self) -> None:
        """Let it go on now."""
        self._thaw(self._owner)

    def pause(self, seconds: float) -> None:
        """Stop it as SIGSTOP does, and let it go on in a while."""
        self._owner.held = True
        self._log.later(self._log.options.session, self._expire, self._owner)
        self._log.later(seconds, self._thaw, self._owner)

    def _expire(self, owner: Owner) -> None:
        if owner.held and owner is self._owner and self._link is not None:
            for reader in self._link.readers:
                if reader.group is not None and reader in reader.group:
                    self._log.happened["sessions expired"] += 1
                    reader.group.leave(reader)

    def _thaw(self, owner: Owner) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Loop)
        loop.thaw(owner)

    def _bury(self) -> None:
        link, self._task, self._link = self._link, None, None
        if link is not None:
            for reader in tuple(link.readers):
                self._log.later(self._log.options.session, link.leave, reader)

    def _ended(self, task: Task[None]) -> None:
        if task is not self._task:
            return
        self._bury()
        error = None if task.cancelled() else task.exception()
        wrong = [e for e in _leaves(error) if not isinstance(e, MAY_END)]
        if error is None or wrong:
            self.broken += wrong or [AssertionError(f"{self.name} has ended by itself")]
        self._log.happened["ended by itself"] += 1
        self._log.later(0.1, self.start)


def _leaves(error: BaseException | None) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    elif error is not None:
        yield error
