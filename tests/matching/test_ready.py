"""A matcher that cannot decide, or write what it decides, says so, also while nobody asks."""

import asyncio
from typing import Any

import pytest

from bus import Bus, Partition
from schemas.errors import Unavailable
from schemas.topics import ASSIGNMENTS, REFERRALS, REGISTRY, REQUESTS
from services.matching import worker as working
from services.matching.worker import Worker
from tests.matching.running import (
    CITY,
    COUNTIES,
    decided,
    expert,
    matching,
    province,
    submitted,
    until,
)


class Away:
    """A log one of whose partitions does not say where it ends."""

    def __init__(self, log: Bus, gone: Partition) -> None:
        self._log, self._gone = log, gone

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def highwater(self, partition: Partition) -> int:
        if partition == self._gone:
            raise Unavailable(f"{partition.topic} has no leader")
        return await self._log.highwater(partition)


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "LOOK_EVERY", 0.05)


def through(worker: Worker, log: Any) -> None:
    """Let a matcher and all that it holds go on with another log."""
    worker.means = worker.means._replace(log=log)
    for source in worker.sources.values():
        source._means = worker.means


@pytest.mark.usefixtures("_often")
async def test_one_partition_without_a_leader_makes_it_not_ready_until_it_has_one(
    log: Bus,
) -> None:
    async with matching(log) as worker:
        for topic, number in ((REGISTRY, 0), (ASSIGNMENTS, 2), (REQUESTS, 1), (REFERRALS, 3)):
            through(worker, Away(log, Partition(topic.name, number)))
            told = {"matching": f"the log does not answer: {topic.name} has no leader"}
            await until(lambda told=told: worker.ready() == told)  # type: ignore[misc]
            through(worker, log)
            await until(lambda: worker.ready() == {})


async def test_it_is_ready_once_all_is_decided_that_was_asked_before_it_came(log: Bus) -> None:
    await log.publish([*province(), *[submitted(f"r{n}") for n in range(1500)]])
    async with matching(log, escalate_minutes=60) as worker:
        number = REQUESTS.partition(COUNTIES[0], log.partitions(REQUESTS))
        assert len(worker.sources[number].book.cases) == 1500


@pytest.mark.usefixtures("_often")
@pytest.mark.parametrize(
    ("loop", "topic", "pool"),
    [("hear", REQUESTS, COUNTIES[0]), ("read", REFERRALS, CITY)],
)
async def test_an_input_that_cannot_be_read_makes_it_not_ready(
    log: Bus, loop: str, topic: Any, pool: str
) -> None:
    await log.publish([*province(), expert("li", pool=CITY)])
    async with matching(log) as worker:
        await decided(log, worker)
        (reading,) = (task for task in asyncio.all_tasks() if task.get_name() == f"matching-{loop}")
        reading.cancel()
        await asyncio.wait([reading])
        assert worker.ready() == {}
        await log.publish([submitted("r1")])
        number = topic.partition(pool, log.partitions(topic))
        told = {"matching": f"catching up on {topic.name}/{number}"}
        await until(lambda: worker.ready() == told)
