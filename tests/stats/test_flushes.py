"""Flushes side by side: one that takes long holds up nobody, and nothing that fails is missed."""

import asyncio

import pytest

from bus.port import Partition
from schemas.topics import RESULTS
from services.stats.flushes import Flushes
from services.stats.source import Source


class Work:
    """A flush that notes which partition it is of; those that are `stuck` take long."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.begun: list[int] = []
        self.stuck = {0: asyncio.Event()}
        self.fails = False

    async def __call__(self, source: Source) -> None:
        number = source.partition.number
        self.begun.append(number)
        if number in self.stuck:
            await self.stuck[number].wait()
        if self.fails:
            raise ZeroDivisionError
        self.done.append(number)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setattr("services.stats.flushes.PATIENCE", 0.01)
    return Work()


@pytest.fixture
def sources() -> list[Source]:
    return [Source(Partition(RESULTS.name, number), 3, 0) for number in range(3)]


async def test_who_takes_long_holds_up_no_other(work: Work, sources: list[Source]) -> None:
    flushes = Flushes(work)
    for _ in range(3):
        await flushes.round(sources)
    assert (work.done, work.begun.count(0)) == ([1, 2] * 3, 1)
    work.stuck[0].set()
    await flushes.round(sources)
    assert work.done.count(0) == 1
    await flushes.aclose()


async def test_what_fails_late_is_raised_by_a_later_round(
    work: Work, sources: list[Source]
) -> None:
    flushes = Flushes(work)
    await flushes.round(sources[:1])
    work.fails = True
    work.stuck[0].set()
    assert sources[0].flushing is not None
    await asyncio.wait([sources[0].flushing])
    with pytest.raises(ZeroDivisionError):
        await flushes.round(sources[:1])


async def test_a_round_waits_for_nothing_that_an_earlier_one_began(
    work: Work, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes = Flushes(work)
    await flushes.round(sources)
    monkeypatch.setattr("services.stats.flushes.PATIENCE", 60)
    async with asyncio.timeout(5):
        await flushes.round(sources)
    assert work.done == [1, 2] * 2
    await flushes.aclose()


async def test_in_the_end_nothing_is_under_way(work: Work, sources: list[Source]) -> None:
    flushes = Flushes(work)
    await flushes.round(sources)
    await flushes.aclose()
    assert all(source.flushing is not None and source.flushing.done() for source in sources)
