"""The server against connections that never come to the point, and those that only look so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from deploy.requests import Requests
from deploy.server import listening, serve

HEAD = b"POST / HTTP/1.1\r\nHost: hub\r\n"
MUCH = 64 << 20
ENOUGH = 16 << 20
"""More than the buffers of a connection hold, far less than `MUCH`."""


async def size(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())} bytes")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/", size, methods=["POST"])])
    stop = asyncio.Event()
    with listening("127.0.0.1", 0) as opened:
        running = asyncio.create_task(serve(Requests(app, CollectorRegistry()), opened, stop))
        yield opened.getsockname()[1]
        stop.set()
        await running


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
