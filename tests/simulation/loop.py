"""An event loop whose clock is made up: it jumps to the next timer when nothing is left to do.

Whoever owns a callback (`OWNER` in its context) can be held still, as by SIGSTOP, or be gone, as by
SIGKILL: then the callback waits, or never runs. Threads are callbacks that come a moment later.
"""

import asyncio
from asyncio import AbstractEventLoop, Future, Task
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


OWNER: ContextVar["Owner | None"] = ContextVar("OWNER", default=None)


class Owner:
    """Somebody whose callbacks can be stopped from outside."""

    def __init__(self) -> None:
        self.held = self.gone = False
        self.waiting: list[Call] = []


class Call:
    """What is to be called; it is all that is asked of a handle, and there are very many."""

    __slots__ = ("_at", "args", "callback", "context", "dead", "owner")

    def __init__(
        self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context, at: float
    ) -> None:
        self.callback, self.args, self.context, self._at = callback, args, context, at
        self.owner: Owner | None = context.get(OWNER)
        self.dead = False

    def cancel(self) -> None:
        self.dead, self.callback, self.args = True, _nothing, ()

    def cancelled(self) -> bool:
        return self.dead

    def when(self) -> float:
        return self._at


def _nothing() -> None: ...


class Numbered(Task[T]):
    """A task that has the same place in a set in every run.

    Its number is there before the task is: asyncio puts it into a set while it is made.
    """

    def __init__(self, number: int, coro: Coroutine[Any, Any, T], **more: Any) -> None:
        self.number = number
        super().__init__(coro, **more)

    def __hash__(self) -> int:
        return self.number


class Stuck(AssertionError):
    """Nothing will ever happen again, or the same moment never ends."""


class Loop(AbstractEventLoop):
    """`dice` chooses how long threads take."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._now, self._serial, self._turns = 0.0, 0, 0
        self._ready: deque[Call] = deque()
        self._timers: list[tuple[float, int, Call]] = []
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
        self._ready.extend(waiting)

    def _turn(self) -> bool:
        """Do what comes next; return False when there is nothing."""
        if self._ready:
            self._call(self._ready.popleft())
            return True
        timers = self._timers
        while timers:
            when, _, call = heappop(timers)
            if not call.dead:
                if when > self._now:
                    self._now, self._turns = when, 0
                self._call(call)
                return True
        return False

    def _call(self, call: Call) -> None:
        self._turns += 1
        if self._turns > AT_ONCE:
            raise Stuck("this moment does not end")
        owner = call.owner
        if call.dead:
            return
        if owner is None or self._ending or not (owner.gone or owner.held):
            try:
                call.context.run(call.callback, *call.args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001  # as a loop does, whatever it is
                self.call_exception_handler({"exception": error})
        else:
            self._stopped.add(owner)
            owner.waiting.append(call)

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
    ) -> Call:
        context = copy_context() if context is None else context
        call = Call(callback, args, context, self._now)
        self._ready.append(call)
        return call

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # there are no threads

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Call:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Call:
        context = copy_context() if context is None else context
        call = Call(callback, args, context, when)
        self._serial += 1
        heappush(self._timers, (when, self._serial, call))
        return call

    def create_future(self) -> Future[Any]:
        return Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None,
        context: Context | None = None,
    ) -> Task[T]:  # fmt: skip
        task = Numbered(len(self._tasks), coro, loop=self, name=name, context=context)
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
            except BaseException as error:  # noqa: BLE001  # whoever awaits is told
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
