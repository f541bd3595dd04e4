"""An event loop whose clock is made up: it jumps to the next timer when nothing is left to do.

Whoever owns a callback (`OWNER` in its context) can be held still, as by SIGSTOP, or be gone, as by
SIGKILL: then the callback waits, or never runs. Threads are callbacks that come a moment later.
"""

import asyncio
from asyncio import AbstractEventLoop, Future, Handle, Task, TimerHandle
from asyncio.events import _set_running_loop
from asyncio.tasks import _unregister_task
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
AT_ONCE = 200_000
"""Callbacks in one moment after which whoever goes on is taken to turn in a circle."""


class Owner:
    """Somebody whose callbacks can be stopped from outside."""

    def __init__(self) -> None:
        self.held = self.gone = False
        self.waiting: list[Handle] = []


class Numbered(Task[T]):
    """A task that has the same place in a set in every run."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class Stuck(AssertionError):
    """Nothing will ever happen again, or the same moment never ends."""


OWNER: ContextVar[Owner | None] = ContextVar("OWNER", default=None)


class Loop(AbstractEventLoop):
    """`dice` chooses how long threads take."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._now, self._serial, self._turns = 0.0, 0, 0
        self._ready: deque[tuple[Handle, Owner | None]] = deque()
        self._timers: list[tuple[float, int, TimerHandle, Owner | None]] = []
        self._tasks: list[Task[Any]] = []
        self._ending, self._stopped = False, set[Owner]()
        self.errors: list[BaseException] = []

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run `main` to its end; what it leaves behind is cancelled and never heard of again."""
        _set_running_loop(self)
        try:
            task = self.create_task(main)
            while not task.done():
                if not self._turn():
                    raise Stuck("everybody waits for somebody else")
            return task.result()
        finally:
            self._end()
            _set_running_loop(None)

    def thaw(self, owner: Owner) -> None:
        """Let `owner` go on with all that came up while it was held."""
        owner.held = False
        if owner.gone and not self._ending:
            return
        waiting, owner.waiting = owner.waiting, []
        self._ready.extend((handle, owner) for handle in waiting)

    def _turn(self) -> bool:
        """Do what comes next; return False when there is nothing."""
        if self._ready:
            self._call(*self._ready.popleft())
            return True
        while self._timers and self._timers[0][2].cancelled():
            heappop(self._timers)
        if not self._timers:
            return False
        when, _, timer, owner = heappop(self._timers)
        if when > self._now:
            self._now, self._turns = when, 0
        self._call(timer, owner)
        return True

    def _call(self, handle: Handle, owner: Owner | None) -> None:
        self._turns += 1
        if self._turns > AT_ONCE:
            raise Stuck("this moment does not end")
        if handle.cancelled():
            return
        if owner is None or self._ending or not (owner.gone or owner.held):
            handle._run()
        else:
            self._stopped.add(owner)
            owner.waiting.append(handle)

    def _end(self) -> None:
        """Let coroutines close in order, rather than whenever the garbage collector finds them."""
        self._ending = True
        for owner in sorted(self._stopped, key=id):
            self.thaw(owner)
        for _ in range(10):
            left = [task for task in self._tasks if not task.done()]
            for task in left:
                task.cancel()
            for _ in range(100 * len(left)):
                if (not self._ready and all(task.done() for task in left)) or not self._turn():
                    break
        for task in self._tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # as gather() does
            _unregister_task(task)
            if task.done() and not task.cancelled():
                task.exception()

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Handle:
        context = copy_context() if context is None else context
        handle = Handle(callback, args, self, context)
        self._ready.append((handle, context.get(OWNER)))
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # there are no threads

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        context = copy_context() if context is None else context
        timer = TimerHandle(when, callback, args, self, context)
        self._serial += 1
        heappush(self._timers, (when, self._serial, timer, context.get(OWNER)))
        return timer

    def _timer_handle_cancelled(self, handle: TimerHandle) -> None: ...

    def create_future(self) -> Future[Any]:
        return Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None,
        context: Context | None = None,
    ) -> Task[T]:  # fmt: skip
        task = Numbered(coro, loop=self, name=name, context=context)
        task.number = len(self._tasks)
        self._tasks.append(task)
        return task

    def run_in_executor(  # type: ignore[override]
        self, _executor: object, func: Callable[..., T], *args: Any
    ) -> Future[T]:
        future: Future[T] = self.create_future()

        def work() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:  # noqa: BLE001  # whoever awaits is told
                future.set_exception(error)

        self.call_later(self._dice.random() * 0.002, work)
        return future

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(context.get("exception") or asyncio.InvalidStateError(str(context)))
