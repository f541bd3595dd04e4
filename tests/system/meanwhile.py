"""What a test does in a thread, beside what goes on in its loop: when that fails, it ends too."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from threading import Event
from typing import ParamSpec

P = ParamSpec("P")
LONGEST = 60.0
"""Seconds that work may take until it looks around."""
_failed: ContextVar[Event] = ContextVar("failed", default=Event())  # noqa: B039  # never set


async def meanwhile(work: Callable[P, None], *args: P.args, **more: P.kwargs) -> None:
    """Do work in a thread; when this is cancelled, return once the work has ended, too.

    Otherwise it would go on beside the next test, and start processes that nobody ends.
    """
    failed = Event()
    token = _failed.set(failed)
    working = asyncio.create_task(asyncio.to_thread(work, *args, **more))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        failed.set()
        await asyncio.wait([working], timeout=LONGEST)
        raise
    finally:
        _failed.reset(token)


def look_around() -> None:
    """Raise AssertionError in such a thread when what goes on beside it has failed."""
    assert not _failed.get().is_set(), "what went on beside this has failed"
