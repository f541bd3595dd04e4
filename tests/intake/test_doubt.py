"""Writes that failed: whether they come after all, and what is said meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bus import sqlite
from bus.keys import Keys
from bus.port import Bus, Partition, Position, Record
from schemas.errors import Unavailable
from schemas.topics import RESULTS
from tests.intake.county import REQUEST, asks, settle, submit
from tests.intake.station import Clock, Station, open_station, service

ACCEPT, RETURN = (f"/v1/requests/{REQUEST}/{verb}" for verb in ("accept", "return"))
LATER = timedelta(hours=3)


class Doubtful:
    """A log whose `short` partitions of facts take nothing, and that may take its time.

    What is posted while it is `late` fails, and lies in the log once it `arrives`. While it is
    `held`, posts wait.
    """

    def __init__(self, log: Bus) -> None:
        self._log, self.late, self.coming = log, False, list[Record]()
        self.short = set[int]()
        self.open, self.waiting = asyncio.Event(), asyncio.Event()
        self.open.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        if self.late:
            self.coming += records
            raise Unavailable("no answer in time")
        if any(RESULTS.partition(r.route, 4) in self.short for r in records):
            raise Unavailable("too few replicas")
        self.waiting.set()
        await self.open.wait()
        return await self._log.publish(records)

    async def highwater(self, partition: Partition) -> int:
        await asyncio.sleep(0)  # whoever asks lets others have their turn, as on Kafka
        return await self._log.highwater(partition)

    async def arrive(self) -> None:
        self.late = False
        await self._log.publish(self.coming)


@pytest.fixture
def doubtful(log: Bus) -> Any:
    return Doubtful(log)


@pytest.fixture
async def station(doubtful: Any, keys: Keys, clock: Clock) -> AsyncIterator[Station]:
    async with open_station(doubtful, keys, clock) as station:
        await station.plant()
        await settle(station)
        await submit(station)
        await station.caught_up()
        yield station


def placed(number: int) -> str:
    """Return the id of a fact in that partition."""
    names = (f"yinhu.f-{i}" for i in range(100))
    return next(name for name in names if RESULTS.partition(name, 4) == number)


async def put_down(station: Station, number: int) -> int:
    return (await station.post("/v1/services", service(id=placed(number)))).status_code


async def test_a_partition_that_takes_nothing_is_told_until_it_takes_something_itself(
    station: Station, doubtful: Doubtful
) -> None:
    doubtful.short = {2}
    assert [await put_down(station, number) for number in (2, 0, 1, 3)] == [503, 202, 202, 202]
    assert station.intake.ready() == {"log": f"too few replicas ({RESULTS.name}/2)"}
    doubtful.short = set()
    assert await put_down(station, 0) == 202
    assert station.intake.ready().keys() == {"log"}
    assert await put_down(station, 2) == 202
    assert station.intake.ready() == {}


async def test_the_doubt_about_each_partition_ends_by_itself(
    station: Station, doubtful: Doubtful, clock: Clock
) -> None:
    doubtful.short = {2, 3}
    assert await put_down(station, 2) == 503
    clock.now += timedelta(seconds=4)
    assert await put_down(station, 3) == 503
    clock.now += timedelta(seconds=4)
    assert station.intake.ready() == {"log": f"too few replicas ({RESULTS.name}/3)"}
    clock.now += timedelta(seconds=1)
    assert station.intake.ready() == {}


async def test_a_retry_is_a_repeat_of_a_post_that_failed_and_is_written_later(
    station: Station, doubtful: Doubtful, clock: Clock
) -> None:
    doubtful.late = True
    for _ in range(3):
        answer = await station.post(ACCEPT, {}, idempotency_key="one")
        assert answer.status_code == 503
        clock.now += LATER
    assert len(await asks(station)) == 1
    await doubtful.arrive()
    assert (await station.post(ACCEPT, {}, idempotency_key="one")).status_code == 202
    accepted = (await asks(station))[1:]
    assert len(accepted) == 4
    assert len({(e.subject, e.content) for e in accepted}) == 1


async def test_what_the_log_has_stands_above_a_post_that_failed(
    keys: Keys, station: Station, doubtful: Doubtful, clock: Clock, tmp_path: Path
) -> None:
    doubtful.late = True
    assert (await station.post(ACCEPT, {}, idempotency_key="one")).status_code == 503
    clock.now += LATER
    async with (
        sqlite.connect(str(tmp_path / "log.db")) as same,
        open_station(same, keys, clock) as other,
    ):
        other.token = station.token
        assert (await other.post(ACCEPT, {}, idempotency_key="one")).status_code == 202
    doubtful.late = False  # and what failed is never written
    assert (await station.post(ACCEPT, {}, idempotency_key="one")).status_code == 202
    assert len({(e.subject, e.content) for e in (await asks(station))[1:]}) == 1


async def test_a_retry_says_what_a_post_under_way_says_also_when_another_was_refused(
    station: Station, doubtful: Doubtful, clock: Clock
) -> None:
    doubtful.open.clear()
    doubtful.waiting.clear()

    def returned(**data: Any) -> "asyncio.Task[Any]":
        return asyncio.create_task(station.post(RETURN, data, idempotency_key="one"))

    refused, first = returned(), returned(reason="材料不全")
    assert (await refused).status_code == 422
    await doubtful.waiting.wait()
    clock.now += LATER
    doubtful.waiting.clear()
    again = returned(reason="材料不全")
    await doubtful.waiting.wait()
    doubtful.open.set()
    assert [(await one).status_code for one in (first, again)] == [202, 202]
    assert len({(e.subject, e.content) for e in (await asks(station))[1:]}) == 1
