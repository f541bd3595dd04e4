"""The log decides: what it has not taken durably is never called accepted."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bus import sqlite
from bus.gate import Gate
from bus.keys import Keys
from bus.port import Bus, Partition, Position, Record
from schemas.errors import Unavailable
from schemas.problems import Refusal
from schemas.topics import ASSIGNMENTS, REGISTRY, REQUESTS, Topic
from services.intake import Settings
from services.intake.view import View
from tests.intake.station import BATCH, Clock, Station, event, node, open_station, service


@asynccontextmanager
async def full(tmp_path: Path, keys: Keys, clock: Clock) -> AsyncIterator[Station]:
    """An intake on a log that has room for a few hundred kilobytes."""
    async with (
        sqlite.connect(str(tmp_path / "log.db"), max_pages=60, patience=0.1) as log,
        open_station(log, keys, clock) as station,
    ):
        await station.plant()
        yield station


async def test_on_a_full_disk_posts_are_told_to_come_back_and_nothing_is_promised(
    tmp_path: Path, keys: Keys, clock: Clock
) -> None:
    async with full(tmp_path, keys, clock) as station:
        names = (f"yinhu.{i}" for i in count())
        accepted: set[str] = set()
        body = service(evidence=["检" * 64] * 30)
        while (
            answer := await station.post("/v1/services", {**body, "id": next(names)})
        ).is_success:
            accepted.add(answer.json()["subject"])
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert str(tmp_path) not in answer.text
        assert {e.subject for e in await station.events()} == accepted != set()


async def test_on_a_full_disk_every_good_item_of_a_batch_is_refused(
    tmp_path: Path, keys: Keys, clock: Clock
) -> None:
    async with full(tmp_path, keys, clock) as station:
        large = service(evidence=["检" * 64] * 100)
        items = [event("service.delivered", f"yinhu.{i}", large) for i in range(20)]
        answer = await station.client.post(
            "/v1/events", json=[*items, {}],
            headers={"authorization": f"Bearer {station.token}", "content-type": BATCH},
        )  # fmt: skip
        assert [item["status"] for item in answer.json()] == [503] * 20 + [422]
        assert await station.events() == []


async def test_a_failed_write_makes_it_not_ready_for_a_while(
    tmp_path: Path, keys: Keys, clock: Clock
) -> None:
    async with full(tmp_path, keys, clock) as station:
        large = service(id="yinhu.a", evidence=["检" * 64] * 100, performers=["检" * 64] * 100)
        while (await station.post("/v1/services", large)).is_success:
            pass
        assert station.intake.ready().keys() == {"log"}
        clock.now += timedelta(seconds=5)
        assert station.intake.ready() == {}


class Slow:
    """The log, but for a publish that waits until it is let go."""

    def __init__(self, log: Bus) -> None:
        self._log, self.gate = log, asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        await self.gate.wait()
        return await self._log.publish(records)


async def test_posts_beyond_the_bound_are_told_at_once_to_come_back(
    log: Bus, keys: Keys, clock: Clock
) -> None:
    async with open_station(log, keys, clock) as station:
        await station.plant()
    slow: Any = Slow(log)
    async with open_station(slow, keys, clock, Settings(posts_in_flight=2)) as station:
        names = [f"yinhu.{i}" for i in range(5)]
        posts = [asyncio.create_task(station.post("/v1/services", service(id=n))) for n in names]
        answers = asyncio.as_completed(posts)
        for _ in range(3):
            answer = await next(answers)
            assert (answer.status_code, answer.json()["rule"]) == (503, "busy")
            assert answer.headers["retry-after"] == "1"
        slow.gate.set()
        assert [(await answer).status_code for answer in answers] == [202, 202]


def test_a_gate_lets_in_again_after_somebody_left() -> None:
    gate = Gate(1)
    with gate.entered(), pytest.raises(Refusal), gate.entered():
        pass
    with gate.entered():
        assert gate.inside == 1
    assert gate.inside == 0


async def test_a_node_registered_at_another_intake_is_known_at_once(
    log: Bus, keys: Keys, clock: Clock, tmp_path: Path
) -> None:
    async with (
        open_station(log, keys, clock) as here,
        sqlite.connect(str(tmp_path / "log.db")) as same,
        open_station(same, keys, clock) as there,
    ):
        for i in range(20):
            put = await here.put(f"/v1/registry/nodes/n{i}", node(f"n{i}", "hub"))
            assert put.status_code == 202
            body = service(id=f"n{i}.a", node_id=f"n{i}")
            assert (await there.post("/v1/services", body)).status_code == 202


async def test_a_registry_that_cannot_be_read_to_its_end_promises_nothing(
    log: Bus, keys: Keys, clock: Clock
) -> None:
    async with open_station(log, keys, clock) as station:
        await station.plant()
    stuck = View(log, 0.01)
    with pytest.raises(Unavailable):
        await stuck.current()


async def test_intake_is_ready_once_it_has_read_the_registry_and_the_requests(
    log: Bus, keys: Keys, clock: Clock
) -> None:
    async with open_station(log, keys, clock) as station:
        assert station.intake.ready().keys() == {"registry", "requests"}
        await station.plant()
        await station.caught_up()
        assert station.intake.ready() == {}
    async with open_station(log, keys, clock) as again:
        assert "registry" in again.intake.ready()
        await again.caught_up()
        assert again.intake.ready() == {}


class Longer(Slow):
    """A log in which one topic has a record that never comes."""

    def __init__(self, log: Bus, topic: Topic) -> None:
        super().__init__(log)
        self._topic = topic

    async def highwater(self, partition: Partition) -> int:
        return await self._log.highwater(partition) + (partition.topic == self._topic.name)


@pytest.mark.parametrize(
    ("topic", "missing"),
    [(REGISTRY, "registry"), (REQUESTS, "requests"), (ASSIGNMENTS, "requests")],
    ids=lambda one: getattr(one, "name", one),
)
async def test_intake_is_not_ready_while_it_has_not_read_what_was_there_when_it_began(
    log: Bus, keys: Keys, clock: Clock, topic: Topic, missing: str
) -> None:
    longer: Any = Longer(log, topic)
    async with open_station(longer, keys, clock) as station:
        for tail in (station.intake.door.view.tail, station.intake.door.cases.tail):
            await tail.current([])
        assert station.intake.ready().keys() == {missing}


class Broken(Slow):
    """A log in which the end of one topic cannot be asked."""

    def __init__(self, log: Bus, topic: Topic) -> None:
        super().__init__(log)
        self._topic = topic

    async def highwater(self, partition: Partition) -> int:
        if partition.topic == self._topic.name:
            raise Unavailable("the log is gone")
        return await self._log.highwater(partition)


@pytest.mark.parametrize("topic", [REGISTRY, REQUESTS, ASSIGNMENTS], ids=lambda topic: topic.name)
async def test_a_loop_that_fails_ends_the_process(
    log: Bus, keys: Keys, clock: Clock, topic: Topic
) -> None:
    broken: Any = Broken(log, topic)
    with pytest.RaisesGroup(Unavailable):
        async with open_station(broken, keys, clock):
            await asyncio.Event().wait()


async def test_what_is_counted_is_told(station: Station) -> None:
    await station.post("/v1/services", service(id="yinhu.a"))
    await station.post("/v1/services", service(id="yinhu.a", persons="5"))
    await station.post("/v1/services", service())
    told = station.intake.metrics.get_sample_value
    assert told("yizhan_intake_events_total", {"type": "yizhan.service.delivered"}) == 1
    assert told("yizhan_intake_refused_total", {"rule": "int_type"}) == 1
    assert told("yizhan_intake_refused_total", {"rule": "idempotency_key"}) == 1
    assert told("yizhan_intake_posts") == 0
    assert told("yizhan_intake_registry_position") == 3
