"""A bad link between services and brokers: late, cut, silent or slow, as a test says.

Each broker has a door (see `deploy.kafka.record.Door`) whose clients come through one of these.
What clients send is passed on request by request, so that a test can wait for the very request in
which it wants the link to fail: the one that commits a transaction, for instance.
"""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from threading import Thread

from tests.faults.fenced import Overhearing

PRODUCE, FETCH, METADATA = 0, 1, 3
ADD_PARTITIONS, ADD_OFFSETS, END_TRANSACTION, COMMIT_OFFSETS = 24, 25, 26, 28
"""Kafka's numbers of the requests that a test may wait for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a link. `late` is in seconds a piece, `pace` in bytes a second.

    `deaf`: what clients send gets lost on the way; `mute`: what brokers answer does. Both at once
    are a black hole. Nobody is told, as when a cable is pulled: TCP keeps what it could not
    deliver, so that it arrives when the link is whole again, unless the link was `cut` meanwhile:
    then its connections are reset, and new ones too.
    """

    late: float = 0.0
    pace: float | None = None
    deaf: bool = False
    mute: bool = False
    cut: bool = False


WHOLE = Fault()
HOLE = Fault(deaf=True, mute=True)
Seen = Callable[["Link", bytes], None]
"""Told of each request before it is passed on; it begins with its number in Kafka's protocol."""


class Link:
    """Everything that goes through one door."""

    def __init__(self, front: socket.socket) -> None:
        self.port: int = front.getsockname()[1]
        self.back = 0
        self.seen: Seen | None = None
        self.fenced = Counter[str]()
        self._front, self._fault = front, WHOLE
        self._changed = asyncio.Event()
        self._writers: set[StreamWriter] = set()

    async def serve(self) -> None:
        """Pass connections on for ever."""
        async with await asyncio.start_server(self._connected, sock=self._front) as server:
            await server.serve_forever()

    def set(self, fault: Fault) -> None:
        """Let the link be so from now on."""
        self._fault = fault
        self._changed.set()
        self._changed = asyncio.Event()
        if fault.cut:
            for writer in self._writers:
                writer.transport.abort()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError), ExitStack() as open_:
            self._hold(open_, writer)
            await self._passable(lambda fault: fault.deaf)
            there, away = await asyncio.open_connection("127.0.0.1", self.back)
            self._hold(open_, away)
            heard = Overhearing(self.fenced)
            ways = (self._up(reader, away, heard), self._down(there, writer, heard))
            tasks = [asyncio.create_task(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _hold(self, open_: ExitStack, writer: StreamWriter) -> None:
        self._writers.add(writer)
        open_.callback(self._writers.discard, writer)
        open_.callback(writer.close)
        if self._fault.cut:
            writer.transport.abort()
            raise ConnectionResetError

    async def _up(self, reader: StreamReader, writer: StreamWriter, heard: Overhearing) -> None:
        while True:
            head = await reader.readexactly(4)
            body = await reader.readexactly(struct.unpack(">i", head)[0])
            if self.seen is not None:
                self.seen(self, body)
            heard.asked(body)
            await self._pass(head + body, writer, lambda fault: fault.deaf)

    async def _down(self, reader: StreamReader, writer: StreamWriter, heard: Overhearing) -> None:
        while piece := await reader.read(1 << 16):
            heard.answered(piece)
            await self._pass(piece, writer, lambda fault: fault.mute)

    async def _pass(
        self, piece: bytes, writer: StreamWriter, stuck: Callable[[Fault], bool]
    ) -> None:
        await self._passable(stuck)
        fault = self._fault
        await asyncio.sleep(fault.late)
        step = len(piece) if fault.pace is None else 64
        for start in range(0, len(piece), step):
            if fault.pace is not None:
                await asyncio.sleep(step / fault.pace)
            writer.write(piece[start : start + step])
            await writer.drain()

    async def _passable(self, stuck: Callable[[Fault], bool]) -> None:
        while stuck(self._fault):
            await self._changed.wait()


class Links:
    """The links of all brokers, driven by a thread of their own; a test may be any other."""

    def __init__(self, links: list[Link], loop: asyncio.AbstractEventLoop) -> None:
        self._links, self._loop = links, loop

    @property
    def ports(self) -> list[int]:
        """Where clients come to."""
        return [link.port for link in self._links]

    def lead(self, ports: list[int]) -> None:
        """Say to which ports the doors lead."""
        for link, port in zip(self._links, ports, strict=True):
            link.back = port

    def set(self, fault: Fault, *only: int) -> None:
        """Let all links be so, or only those of some brokers (1, 2, 3); returns when they are."""
        for number, link in enumerate(self._links, 1):
            if not only or number in only:
                self.run(partial(link.set, fault))

    def once(self, request: int, fault: Fault, after: int = 0, of: bytes = b"") -> None:
        """Let every link be so as soon as a client sends this request, `after` others of it.

        `of` stands somewhere in it: the beginning of a transactional id, for instance.
        """
        left = after

        def seen(_: Link, body: bytes) -> None:
            nonlocal left
            if struct.unpack(">h", body[:2])[0] == request and of in body:
                left -= 1
            if left < 0:
                for link in self._links:
                    link.seen = None
                    link.set(fault)

        def watch() -> None:
            for link in self._links:
                link.seen = seen

        self.run(watch)

    @property
    def struck(self) -> bool:
        """Whether what `once` waited for has come."""
        return all(link.seen is None for link in self._links)

    def fenced(self, owners: str) -> int:
        """Return how many ends of transactions brokers refused to owners that begin like this."""
        told = sum((link.fenced for link in self._links), Counter[str]())
        return sum(number for owner, number in told.items() if owner.startswith(owners))

    def run(self, work: Callable[[], None]) -> None:
        """Run something in the links' own thread; return when it is done."""

        async def run() -> None:
            work()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)


@contextmanager
def linked(fronts: list[socket.socket]) -> Iterator[Links]:
    """Run links on these listening sockets until the context ends."""
    started: Future[tuple[Links, asyncio.Event]] = Future()

    async def serve() -> None:
        links, end = [Link(front) for front in fronts], asyncio.Event()
        serving = [asyncio.create_task(link.serve()) for link in links]
        started.set_result((Links(links, asyncio.get_running_loop()), end))
        await end.wait()
        for task in serving:
            task.cancel()

    thread = Thread(target=lambda: asyncio.run(serve()), name="links")
    thread.start()
    made, end = started.result(10)
    try:
        yield made
    finally:
        made.run(end.set)
        thread.join(10)
