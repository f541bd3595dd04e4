"""One process from start to end: its loop, its signals, and what it says when it fails."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
import typer

from schemas.errors import YizhanError

_log = structlog.get_logger(__name__)
Main = Callable[[asyncio.Event], Awaitable[None]]
"""The whole work of a process; the event tells it to end."""


def run(main: Main) -> None:
    """Run `main` until it is done; SIGTERM and SIGINT set its event.

    Raises what it failed with, bare: an error of ours or of the system's is a sentence already.
    Anything else is a fault, logged with its traceback.
    """
    with asyncio.Runner(loop_factory=_loop()) as runner:
        try:
            runner.run(_signalled(main))
        except Exception as error:  # noqa: BLE001  # the last one to see it
            cause = first(error)
            if isinstance(cause, YizhanError | OSError):
                raise cause from None
            _log.critical("ended by a fault", error=repr(cause), exc_info=cause)
            raise typer.Exit(1) from None


def first(error: BaseException) -> BaseException:
    """Return the first error in a group of groups: the one that brought the others about."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _signalled(main: Main) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

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
