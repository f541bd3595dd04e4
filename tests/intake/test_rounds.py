"""Much to do at once: everybody is told soon, and long work leaves room for the rest."""

import asyncio
from typing import Any

import pytest

from bus.gate import Gate
from bus.keys import Keys
from bus.port import Bus
from schemas.problems import Refusal
from services.intake import Settings
from services.intake.rounds import Rounds
from tests.intake.station import BATCH, Clock, event, open_station, service
from tests.intake.test_bodies import Stalled
from tests.intake.test_log import Slow
from tests.matching.running import until


async def test_however_many_have_long_work_one_piece_is_done_in_a_round_of_the_loop() -> None:
    rounds, pieces, most = Rounds(), 0, 0

    async def work() -> None:
        nonlocal pieces
        for _ in range(3):
            await rounds.next()
            pieces += 1

    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(work()) for _ in range(20)]
        while not all(task.done() for task in working):
            before = pieces
            await asyncio.sleep(0)
            most = max(most, pieces - before)
    assert (pieces, most) == (60, 1)


def test_a_gate_counts_what_is_large_as_so_many_and_lets_anything_in_when_it_is_empty() -> None:
    gate = Gate(10)
    with gate.entered(100):
        assert gate.inside == 100
    with gate.entered(6):
        with pytest.raises(Refusal), gate.entered(5):
            pass
        with gate.entered(4):
            assert gate.inside == 10
    assert gate.inside == 0


async def test_who_finds_no_place_is_told_before_the_body_is_read(
    log: Bus, keys: Keys, clock: Clock
) -> None:
    async with open_station(log, keys, clock) as station:
        await station.plant()
    slow: Any = Slow(log)
    async with open_station(slow, keys, clock, Settings(batches_in_flight=1)) as station:
        first = [event("service.delivered", "yinhu.1", service())]
        posted = asyncio.create_task(station.post("/v1/events", first, content_type=BATCH))
        await until(lambda: station.intake.door.batches.gate.inside == 1)
        answer = await asyncio.wait_for(Stalled(station).answer, 5)
        assert (answer.status_code, answer.json()["rule"]) == (503, "busy")
        slow.gate.set()
        assert (await posted).json()[0]["status"] == 202


async def test_batches_of_too_many_events_together_are_told_to_come_back(
    log: Bus, keys: Keys, clock: Clock
) -> None:
    async with open_station(log, keys, clock) as station:
        await station.plant()
    slow: Any = Slow(log)
    async with open_station(slow, keys, clock, Settings(items_in_flight=3)) as station:
        items = [event("service.delivered", f"yinhu.{n}", service()) for n in range(4)]
        posted = asyncio.create_task(station.post("/v1/events", items, content_type=BATCH))
        await until(lambda: station.intake.door.items.inside == 4)
        answer = await station.post("/v1/events", items[:1], content_type=BATCH)
        assert (answer.status_code, answer.json()["rule"]) == (503, "busy")
        slow.gate.set()
        assert [one["status"] for one in (await posted).json()] == [202] * 4
