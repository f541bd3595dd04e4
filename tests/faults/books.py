"""What a matcher knows, to be compared with a replay of its decisions and with their reader."""

import asyncio
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Self

import bus
from services.matching.worker import Worker
from tests.matching.known import content
from tests.matching.running import decided, matching
from tests.matching.test_kills import RULES
from tests.system.process import SOON, until

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Books = dict[int, dict[str, Any]]
"""What is in the book of each partition."""
_RULES = {name.lower(): float(value) for name, value in RULES.items()}


class Lasting:
    """A matcher that shows its books in the end, one of a group with those that come and go.

    It is a process of its own: in the test's, load would come between it and its heartbeats.
    """

    def __init__(self, log: str) -> None:
        spawning = get_context("spawn")
        self._pipe, self._end = spawning.Pipe()
        self._process = spawning.Process(target=_work, args=(log, self._end), name="matcher")

    def __enter__(self) -> Self:
        self._process.start()
        self._end.close()  # so that what it says ends when it does
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def ready(self) -> None:
        """Wait until it decides."""
        self._hear()

    def end(self) -> Books:
        """Let it decide what was asked, and leave; return the books of what it held by then."""
        self._pipe.send(None)
        books: Books = self._hear()
        self._process.join(SOON)
        assert self._process.exitcode == 0, f"ended with {self._process.exitcode}"
        return books

    def _hear(self) -> Any:
        until(self._pipe.poll, lambda: "the matcher says nothing")
        try:
            return self._pipe.recv()
        except EOFError as error:
            raise AssertionError("the matcher has ended by itself") from error


def _work(log: str, pipe: "Connection[Any, Any]") -> None:
    asyncio.run(_decide(log, pipe))


async def _decide(log: str, pipe: "Connection[Any, Any]") -> None:
    """Say once that it decides, and what is in the books when it is told to end."""
    told = asyncio.Event()
    async with bus.connect(log) as opened, matching(opened, within=SOON, **_RULES) as worker:
        pipe.send(None)
        asyncio.get_running_loop().add_reader(pipe.fileno(), told.set)
        await told.wait()
        pipe.recv()
        await decided(opened, worker, SOON)
        pipe.send(_books(worker))


async def replayed(log: str) -> Books:
    """Return the books of a matcher that takes all over, and so reads all that was decided.

    Nobody else may decide any more: it belongs to no group with others, and waits for none.
    """
    async with (
        bus.connect(log) as opened,
        matching(opened, within=SOON, matching_group="heirs", **_RULES) as worker,
    ):
        return _books(worker)


def merged(books: Books, name: str) -> dict[str, Any]:
    """Return what all books hold under one name."""
    return {key: one for book in books.values() for key, one in book[name].items()}


def _books(worker: Worker) -> Books:
    return {number: content(source.book) for number, source in worker.sources.items()}
