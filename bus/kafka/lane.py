"""One partition's queue of records: what gathers while a request is under way shares the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence

from bus.port import Record
from schemas.errors import Unavailable

Send = Callable[[Iterator[Record]], Awaitable[tuple[int, int]]]
"""Write as many of the records as one batch takes; return the first offset and how many."""


class Parcel:
    """The records of one `publish` for one partition, and the offsets they have got so far."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.offsets: list[int] = []
        self.done: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()

    @property
    def missing(self) -> int:
        """How many records are not written yet."""
        return len(self.records) - len(self.offsets)

    def written(self, offsets: range) -> None:
        """Note the offsets of the next records; the last ones complete the parcel."""
        self.offsets.extend(offsets)
        if not self.missing and not self.done.done():
            self.done.set_result(self.offsets)

    def fail(self, error: Exception) -> None:
        """Tell who waits."""
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # asked for, so that nobody complains when they have gone


class Lane:
    """Keeps the order of one partition: a batch is sent when the one before it is durable.

    After a failure one attempt at a time finds out whether the log takes records again; who comes
    meanwhile is told so at once, and does not wait as long as that.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[Parcel] = deque()
        self._task: asyncio.Task[None] | None = None
        self._failed: Exception | None = None

    def put(self, records: Sequence[Record]) -> asyncio.Future[list[int]]:
        """Queue `records`; their offsets come when they are durable. Raises Unavailable."""
        if self._failed is not None and self._task is not None:
            raise Unavailable(f"{self._failed}; whether it does again is being tried")
        parcel = Parcel(records)
        self._waiting.append(parcel)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return parcel.done

    async def close(self) -> None:
        """Stop writing; whoever still waits is told."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            while self._waiting:
                self._written(*await self._send(self._records()))
                self._failed = None
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers are told
            self._failed = error
            self._fail(error)
        finally:
            self._fail(Unavailable("the log is closed"))
            self._task = None

    def _records(self) -> Iterator[Record]:
        for parcel in self._waiting:
            yield from parcel.records[len(parcel.offsets) :]

    def _written(self, base: int, count: int) -> None:
        while count:
            parcel = self._waiting[0]
            part = min(count, parcel.missing)
            parcel.written(range(base, base + part))
            base, count = base + part, count - part
            if not parcel.missing:
                self._waiting.popleft()

    def _fail(self, error: Exception) -> None:
        while self._waiting:
            self._waiting.popleft().fail(error)
