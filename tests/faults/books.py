"""What a matcher knows, to be compared with a replay of its decisions and with their reader."""

import asyncio
from threading import Event as Flag
from typing import Any, Self

import bus
from services.matching.worker import Worker
from tests.faults.beside import Beside
from tests.matching.running import decided, matching
from tests.matching.test_kills import RULES
from tests.matching.test_takeover import content
from tests.system.process import until

Books = dict[int, dict[str, Any]]
"""What is in the book of each partition."""
_RULES = {name.lower(): float(value) for name, value in RULES.items()}


class Inside:
    """A matcher in the test's own process, in a thread of its own: its `books` can be looked at.

    They are what they were when it was told to end.
    """

    def __init__(self, log: str) -> None:
        self.books: Books = {}
        self._log, self._ready = log, Flag()
        self._beside = Beside(self._decide, "matcher")

    def __enter__(self) -> Self:
        self._beside.__enter__()
        return self

    def __exit__(self, *wrong: object) -> None:
        self._beside.__exit__(*wrong)

    def ready(self) -> None:
        """Wait until it decides."""
        until(self._decides)

    def _decides(self) -> bool:
        self._beside.alive()
        return self._ready.is_set()

    async def _decide(self, stop: asyncio.Event) -> None:
        async with bus.connect(self._log) as log, matching(log, **_RULES) as worker:
            self._ready.set()
            await stop.wait()
            await decided(log, worker)
            self.books = _books(worker)


async def replayed(log: str) -> Books:
    """Return the books of a matcher that takes all over, and so reads all that was decided."""
    async with bus.connect(log) as opened, matching(opened, **_RULES) as worker:
        return _books(worker)


def merged(books: Books, name: str) -> dict[str, Any]:
    """Return what all books hold under one name."""
    return {key: one for book in books.values() for key, one in book[name].items()}


def _books(worker: Worker) -> Books:
    return {number: content(source.book) for number, source in worker.sources.items()}
