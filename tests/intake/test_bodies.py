"""Bodies that arrive slowly, or never: they take no place from anybody, and not much memory."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from bus.keys import Keys
from bus.port import Bus
from services.intake import Settings
from tests.intake.station import BATCH, Clock, Station, open_station


class Stalled:
    """A batch that stops after its first bytes until it is let go."""

    def __init__(self, station: Station, first: bytes = b"[ ", path: str = "/v1/events") -> None:
        self._first, self._begun, self._go = first, asyncio.Event(), asyncio.Event()
        media = BATCH if path == "/v1/events" else "application/json"
        headers = {"authorization": f"Bearer {station.token}", "content-type": media}
        posting = station.client.post(path, content=self._parts(), headers=headers)
        self.answer: asyncio.Task[httpx.Response] = asyncio.create_task(posting)

    async def _parts(self) -> AsyncIterator[bytes]:
        yield self._first
        self._begun.set()
        await self._go.wait()
        yield b"]"

    async def begun(self) -> None:
        await self._begun.wait()

    async def end(self) -> httpx.Response:
        self._go.set()
        return await self.answer


async def batch(station: Station) -> httpx.Response:
    return await station.post("/v1/events", b"[]", content_type=BATCH)


async def test_stalled_bodies_take_no_place_from_others(log: Bus, keys: Keys, clock: Clock) -> None:
    few = Settings(batches_in_flight=1, posts_in_flight=1)
    async with open_station(log, keys, clock, few) as station:
        paths = ["/v1/events", "/v1/services", "/v1/heartbeats"] * 5
        stalled = [Stalled(station, path=path) for path in paths]
        for one in stalled:
            await one.begun()
        assert (await batch(station)).status_code == 207
        await station.plant()
        ended = [(await one.end()).status_code for one in stalled]
        assert ended == [207, 400, 400] * 5


@pytest.mark.parametrize("path", ["/v1/events", "/v1/services"])
async def test_a_body_that_does_not_arrive_in_time_is_waited_for_no_longer(
    log: Bus, keys: Keys, clock: Clock, path: str
) -> None:
    async with open_station(log, keys, clock, Settings(body_seconds=0.05)) as station:
        answer = await Stalled(station, path=path).answer
        assert (answer.status_code, answer.json()["rule"]) == (408, "slow")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["connection"] == "close"
        assert "0.05 seconds" in answer.json()["detail"]
        told = station.intake.metrics.get_sample_value
        assert told("yizhan_intake_refused_total", {"rule": "slow"}) == 1


async def test_what_is_arriving_at_the_same_time_is_bounded(
    log: Bus, keys: Keys, clock: Clock
) -> None:
    async with open_station(log, keys, clock, Settings(arriving_bytes=300_000)) as station:
        small, large = Stalled(station), Stalled(station, b"[" + b" " * 199_999)
        await small.begun()
        await large.begun()
        answer = await batch(station)
        assert (answer.status_code, answer.json()["rule"]) == (503, "busy")
        assert answer.headers["retry-after"] == "1"
        # Posts have a room of their own.
        assert (await station.post("/v1/services", b"{")).status_code == 400
        assert (await large.end()).status_code == 207
        assert (await batch(station)).status_code == 207
        assert (await small.end()).status_code == 207
        assert station.intake.door.batches.limits.room.held == 0


async def test_a_body_that_outgrows_the_room_is_refused_and_leaves_it(
    log: Bus, keys: Keys, clock: Clock
) -> None:
    async with open_station(log, keys, clock, Settings(arriving_bytes=100_000)) as station:
        answer = await station.post("/v1/events", b" " * 100_001, content_type=BATCH)
        assert (answer.status_code, answer.json()["rule"]) == (503, "busy")
        room = station.intake.door.batches.limits.room
        assert room.held == 0
        assert (await batch(station)).status_code == 207
