"""One process from start to end: its loop, its signals, and what it says when it fails."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog
import typer

from deploy import files
from schemas.errors import YizhanError

_log = structlog.get_logger(__name__)
_MOMENT = 0.1  # seconds that a thread gets to end
Main = Callable[[asyncio.Event], Awaitable[None]]
"""The whole work of a process; the event tells it to end."""


def run(main: Main) -> None:
    """Run `main` until it is done; SIGTERM and SIGINT set its event.

    Raises what it failed with, bare: an error of ours or of the system's is a sentence already.
    Anything else is a fault, logged with its traceback.
    """
    files.claim()
    try:
        with asyncio.Runner(loop_factory=_loop()) as runner:
            runner.run(_signalled(main))
    except Exception as error:  # noqa: BLE001  # the last one to see it
        cause = first(error)
        if isinstance(cause, YizhanError | OSError):
            raise cause from None
        _log.critical("ended by a fault", error=repr(cause), exc_info=cause)
        leave(1)
        raise typer.Exit(1) from None
    leave(0)


def first(error: BaseException) -> BaseException:
    """Return the first error in a group of groups: the one that brought the others about."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _Threads(ThreadPoolExecutor):
    """Threads that nobody waits for: a long recount must not hold up the end."""

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = True) -> None:  # noqa: FBT001, FBT002  # its base's
        """Let go of what has not begun, and leave alone what has."""
        del wait
        super().shutdown(wait=False, cancel_futures=cancel_futures)


def leave(code: int) -> None:
    """End with `code` if a thread is still at work, which Python would wait for; else return."""
    others = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
    for thread in others:
        thread.join(_MOMENT)
    if any(thread.is_alive() for thread in others):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


async def _signalled(main: Main) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.set_default_executor(_Threads(thread_name_prefix="worker"))

    def end() -> None:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)  # the second one ends at once

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    await main(stop)


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    with suppress(ImportError):
        import uvloop  # noqa: PLC0415  # there is none on Windows

        return uvloop.new_event_loop
    return None
