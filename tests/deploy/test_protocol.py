"""The server against connections that never come to the point, and those that only look so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from deploy.protocol import Bounded
from deploy.requests import Requests
from deploy.server import listening, serve

HEAD = b"POST / HTTP/1.1\r\nHost: hub\r\n"
MUCH = 64 << 20
ENOUGH = 16 << 20
"""More than the buffers of a connection hold, far less than `MUCH`."""


async def size(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())} bytes")


async def alive(_: Request) -> Response:
    return PlainTextResponse("alive")


async def held(_: Request) -> Response:
    await asyncio.get_running_loop().create_future()
    return PlainTextResponse("never")


@asynccontextmanager
async def served(protocol: type[Bounded]) -> AsyncIterator[int]:
    """Yield the port of a server."""
    routes = [Route("/", size, methods=["POST"]), Route("/livez", alive), Route("/held", held)]
    requests, stop = Requests(Starlette(routes=routes), CollectorRegistry()), asyncio.Event()
    with listening("127.0.0.1", 0) as opened:
        running = asyncio.create_task(serve(requests, opened, stop, protocol))
        yield opened.getsockname()[1]
        stop.set()
        await running


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served(Bounded) as port:
        yield port


async def poured(port: int, head: bytes, drop: bytes) -> tuple[int, bytes]:
    """Send `head`, then `drop` again and again; return how much was taken, and the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    drops, taken = drop * (65_536 // len(drop)), 0
    answer = b""
    with suppress(ConnectionError):
        while taken < MUCH and not reader.at_eof():
            writer.write(drops)
            await writer.drain()
            taken += len(drops)
    with suppress(ConnectionError):
        answer = await reader.read()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return taken, answer


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"GET /", b"x"),
        (HEAD + b"X-Long: ", b"x"),
        (HEAD, b"X-Many: y\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", b"X-Trailer: y\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"extension=1;"),
    ],
    ids=["url", "header", "headers", "trailers", "extension"],
)
async def test_what_is_no_body_and_never_ends_is_closed(
    port: int, head: bytes, drop: bytes
) -> None:
    taken, answer = await asyncio.wait_for(poured(port, head, drop), 60)
    assert taken < ENOUGH
    assert answer == b"" or answer.split(b" ")[1] in {b"400", b"431"}


@pytest.mark.parametrize("longest", [0, 32_000])
async def test_long_bodies_and_many_requests_on_one_connection_are_taken(
    port: int, longest: int
) -> None:
    extra = b"X-Long: " + b"x" * longest + b"\r\n"
    sizes = [0, 5, 3_000_000, 0, 200_000, *[1] * 200, 70_000]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        for count in sizes:
            writer.write(HEAD + extra + b"Content-Length: %d\r\n\r\n" % count + b"x" * count)
            await writer.drain()

    sending = asyncio.create_task(send())
    for count in sizes:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        assert head.startswith(b"HTTP/1.1 200 ")
        told = b"%d bytes" % count
        assert await asyncio.wait_for(reader.readexactly(len(told)), 20) == told
    await sending
    writer.close()
    await writer.wait_closed()


async def test_a_body_in_small_chunks_may_be_long(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
    for _ in range(50):
        writer.write(b"1\r\nx\r\n" * 2000)
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), 20)).endswith(b"100000 bytes")
    writer.close()
    await writer.wait_closed()


class Narrow(Bounded):
    """A server with room for ten."""

    room = staticmethod(lambda: 10)


class Impatient(Bounded):
    """A server that waits for nobody."""

    patience = 0.2


@asynccontextmanager
async def connection(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def asked(port: int, request: bytes) -> bytes:
    """Return all that a connection of its own is answered; it is closed by the server."""
    async with connection(port) as (reader, writer):
        writer.write(request)
        with suppress(ConnectionError):
            return await reader.read()
        return b""


LAST = b"Connection: close\r\nContent-Length: 5\r\n\r\n12345"
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n"


async def test_whoever_comes_when_there_is_no_room_is_told_to_come_back_and_who_is_in_stays() -> (
    None
):
    async with served(Narrow) as port, AsyncExitStack() as inside, asyncio.timeout(60):
        guests = [await inside.enter_async_context(connection(port)) for _ in range(9)]
        for _, writer in guests:
            writer.write(b"GET /held HTTP/1.1\r\nHost: hub\r\n\r\n")
        told = await asked(port, HEAD + LAST)
        assert told.startswith(b"HTTP/1.1 503 ")
        for said in (b"retry-after: 1", b"application/problem+json", b'"rule":"busy"'):
            assert said in told
        assert (await asked(port, LIVEZ)).endswith(b"alive")
        async with connection(port):
            assert await asked(port, LIVEZ) == b""
        assert not any(reader.at_eof() for reader, _ in guests)
        guests[0][1].close()
        while not (await asked(port, HEAD + LAST)).endswith(b"5 bytes"):
            pass


@pytest.mark.parametrize("begun", [b"", b"GET / HTT", HEAD], ids=["nothing", "line", "header"])
async def test_a_connection_that_asks_nothing_is_closed(begun: bytes) -> None:
    async with served(Impatient) as port, asyncio.timeout(30):
        assert await asked(port, begun) == b""


@pytest.mark.parametrize("begun", [b"\r\n", b"GET / HTT", HEAD], ids=["nothing", "line", "header"])
async def test_a_connection_that_asks_nothing_more_is_closed(begun: bytes) -> None:
    async with served(Impatient) as port, asyncio.timeout(30), connection(port) as (reader, writer):
        writer.write(LIVEZ.replace(b"close", b"keep-alive"))
        assert (await reader.readuntil(b"alive")).startswith(b"HTTP/1.1 200 ")
        writer.write(begun)
        assert await reader.read() == b""


async def test_an_answer_may_take_longer_than_a_question() -> None:
    async with served(Impatient) as port, asyncio.timeout(60), connection(port) as (reader, writer):
        writer.write(b"GET /held HTTP/1.1\r\nHost: hub\r\n\r\n")
        for _ in range(2):
            assert await asked(port, b"") == b""
        assert not reader.at_eof()
