"""The bad links themselves: what they do to what goes through them."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from tests.faults.proxy import END_TRANSACTION, HOLE, WHOLE, Fault, Links, linked


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """A port that sends back what it gets."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(1000):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield int(server.sockets[0].getsockname()[1])


@pytest.fixture
def links(echo: int) -> Iterator[Links]:
    with linked([socket.create_server(("127.0.0.1", 0))]) as made:
        made.lead([echo])
        yield made


def request(number: int) -> bytes:
    return struct.pack(">ihh", 4, number, 0)


async def through(links: Links, number: int = 0, within: float = 5.0) -> float:
    """Send a request and wait for its echo; return the seconds it took."""
    began = time.perf_counter()
    async with asyncio.timeout(within):
        reader, writer = await asyncio.open_connection("127.0.0.1", links.ports[0])
        try:
            writer.write(request(number))
            assert await reader.readexactly(8) == request(number)
        finally:
            writer.close()
    return time.perf_counter() - began


async def test_a_whole_link_passes_everything_on(links: Links) -> None:
    assert await through(links) < 1


async def test_a_late_link_takes_its_time_each_way(links: Links) -> None:
    links.set(Fault(late=0.2))
    assert await through(links) >= 0.4


async def test_a_slow_link_passes_so_many_bytes_a_second(links: Links) -> None:
    links.set(Fault(pace=160))
    assert await through(links) >= 0.4


async def test_a_cut_link_resets_and_a_whole_one_serves_again(links: Links) -> None:
    links.set(Fault(cut=True))
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await through(links)
    links.set(WHOLE)
    await through(links)


@pytest.mark.parametrize("fault", [Fault(deaf=True), Fault(mute=True), HOLE])
async def test_what_gets_stuck_arrives_once_the_link_is_whole(links: Links, fault: Fault) -> None:
    links.set(fault)
    sent = asyncio.create_task(through(links))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(sent), 0.3)
    links.set(WHOLE)
    await sent


async def test_a_link_fails_in_the_very_request_that_was_waited_for(links: Links) -> None:
    links.once(END_TRANSACTION, Fault(cut=True), after=1)
    for number in (0, END_TRANSACTION, 0):
        await through(links, number)
    assert not links.struck
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await through(links, END_TRANSACTION)
    assert links.struck
