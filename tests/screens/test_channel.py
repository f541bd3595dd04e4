"""A channel and the stream that sends it: clients that fall behind, clients that are stuck."""

import asyncio
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import pytest

from services.screens.channel import PING, Channel, Client
from services.screens.stream import Stream


async def test_a_client_that_falls_behind_is_dropped_and_others_are_not() -> None:
    channel = Channel("epoch", {"n": 0}, ring=10)
    slow, fast = channel.join(None, limit=3), channel.join(None, limit=3)
    for n in range(1, 6):
        assert await fast.next(1) is not None
        channel.advance({"n": n})
    assert (slow.dropped, fast.dropped) == (True, False)
    assert await slow.next(1) is None


async def test_who_comes_back_after_more_than_the_queue_holds_gets_it_all() -> None:
    channel = Channel("epoch", {"n": 0}, ring=10)
    for n in range(1, 9):
        channel.advance({"n": n})
    client = channel.join("epoch-0", limit=3)
    channel.advance({"n": 9})
    assert not client.dropped
    assert (await client.next(1) or b"").count(b"event: change") == 9


async def test_what_only_the_time_changed_is_not_told() -> None:
    channel = Channel("epoch", {"n": 0, "now": "10:00"}, ring=10)
    client = channel.join("epoch-0", limit=3)
    channel.advance({"n": 0, "now": "10:01"})
    assert await client.next(0.001) == PING
    channel.advance({"n": 1, "now": "10:02"})
    assert await client.next(1) == (b'event: change\ndata: {"n":1,"now":"10:02"}\nid: epoch-1\n\n')


@pytest.mark.parametrize(
    "serial", ["", "9" * 4400, "0" * 4400 + "1", "1" * 16, "-1", "+1", "٢", "²", "1.0", "2", "1 "]
)
async def test_an_id_that_was_not_given_here_begins_with_a_snapshot(serial: str) -> None:
    channel = Channel("epoch", {"n": 0}, ring=10)
    channel.advance({"n": 1})
    assert (await channel.join("epoch-0", limit=3).next(1) or b"").startswith(b"event: change")
    message = await channel.join(f"epoch-{serial}", limit=3).next(1) or b""
    assert message.startswith(b"event: snapshot")


async def test_a_stuck_client_is_cut_off_once_it_is_dropped() -> None:
    client = Client(2, b"snapshot")
    stuck = asyncio.Event()

    @contextmanager
    def follow() -> Iterator[Client]:
        yield client

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            stuck.set()
            await asyncio.Event().wait()

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    answering = asyncio.create_task(Stream(follow, 15)({"type": "http"}, receive, send))
    await stuck.wait()
    for _ in range(3):
        client.tell(b"change")
    async with asyncio.timeout(5):
        await answering
