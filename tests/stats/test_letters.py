"""How many dead letters are open, as stats tells it."""

import asyncio
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from bus import Bus, Partition, Record
from deploy.letters.settle import Deed, settling
from schemas.codec import Flaw
from schemas.topics import DEAD_LETTERS, RESULTS
from services.stats import running
from services.stats.letters import Letters
from services.stats.said import letter
from tests.stats.running import settings

SOURCE = Partition(RESULTS.name, 0)
WHEN = "2024-01-01T00:00:00+08:00"
LABELS = {"topic": RESULTS.name, "rule": "json"}


def dead(offset: int) -> Record:
    return letter(SOURCE, offset, b"{", Flaw("json", "", "not valid JSON"), WHEN)


async def settle(log: Bus, *origins: str) -> None:
    async with settling(log) as settlement:
        book = settlement.book
        await settlement.do([Deed(book[name], "dismissed", reason="a test") for name in origins])


async def test_open_letters_are_counted_once_each_until_they_are_settled(
    log: Bus, tmp_path: Path
) -> None:
    registry = CollectorRegistry()
    strange = Record(DEAD_LETTERS, "x", b"x", b"no letter")
    await log.publish([dead(1), dead(2), strange, dead(3), dead(1)])
    await settle(log, f"{RESULTS.name}/0/2")
    await log.publish([dead(2)])
    async with (
        asyncio.TaskGroup() as tasks,
        asyncio.timeout(30),
        running(log, settings(tmp_path), tasks, metrics=registry),
    ):
        while registry.get_sample_value("yizhan_dead_letters_open", LABELS) != 2:  # noqa: ASYNC110  # a gauge has no event
            await asyncio.sleep(0.02)


async def test_a_letter_that_is_settled_later_is_open_no_more(log: Bus) -> None:
    registry = CollectorRegistry()
    gauge = Gauge("open", "Open.", ["topic", "rule"], registry=registry)
    await log.publish([dead(1)])
    following = asyncio.create_task(Letters(gauge, every=0.02).follow(log))
    async with asyncio.timeout(30):
        for wanted in (1, 0):
            while registry.get_sample_value("open", LABELS) != wanted:  # noqa: ASYNC110  # likewise
                await asyncio.sleep(0.02)
            if wanted:
                await settle(log, f"{RESULTS.name}/0/1")
    following.cancel()
