"""Waiting for a mark: woken when it is passed, in any order, at the cost of what is woken."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bus.gate import Gate
from bus.port import Partition
from schemas.problems import Refusal
from schemas.topics import Topic
from services.screens import Settings
from services.screens.desk import Desk
from services.screens.marks import Marks
from services.screens.patience import Patience
from services.screens.start import Start
from tests.screens.made import until

HERE, THERE = Partition("t", 0), Partition("t", 1)


class Waits:
    """Questions that wait for marks, by the place they wait for."""

    def __init__(self, most: int = 10_000) -> None:
        self.marks, self.gate = Marks(), Gate(most)
        self.asked: dict[tuple[Partition, int], asyncio.Task[bool]] = {}

    async def ask(self, source: Partition, *offsets: int, seconds: float = 60) -> None:
        for offset in offsets:
            passed = self.marks.passed(source, offset, Patience.of(seconds, self.gate))
            self.asked[source, offset] = asyncio.create_task(passed)
        await asyncio.sleep(0)

    async def move(self, source: Partition, position: int) -> set[tuple[Partition, int]]:
        """Move a mark; return who has been answered by now."""
        self.marks.move(source, position)
        await asyncio.wait(self.asked.values(), timeout=0)
        return {place for place, task in self.asked.items() if task.done()}


async def test_a_move_wakes_just_those_whose_place_it_passed() -> None:
    waits = Waits()
    await waits.ask(HERE, 7, 3, 5)
    await waits.ask(THERE, 1)
    assert await waits.move(HERE, 5) == {(HERE, 3)}
    assert await waits.move(HERE, 6) == {(HERE, 3), (HERE, 5)}
    await waits.ask(HERE, 6)
    assert await waits.move(HERE, 8) == {(HERE, n) for n in (3, 5, 6, 7)}
    assert await waits.move(THERE, 2) == set(waits.asked)
    assert all([await task for task in waits.asked.values()])
    assert waits.gate.inside == 0


async def test_who_leaves_or_waits_in_vain_is_not_woken_and_nobody_else_is_forgotten() -> None:
    waits = Waits()
    await waits.ask(HERE, 5, 6)
    await waits.ask(HERE, 4, seconds=0.001)
    waits.asked[HERE, 5].cancel()
    await until(lambda: waits.gate.inside == 1)
    assert not await waits.asked.pop((HERE, 4))
    assert waits.asked.pop((HERE, 5)).cancelled()
    assert await waits.move(HERE, 9) == {(HERE, 6)}
    assert await waits.asked[HERE, 6]


async def test_who_need_not_wait_or_will_not_takes_no_place() -> None:
    waits = Waits(most=1)
    waits.marks.move(HERE, 5)
    await waits.ask(HERE, 7)
    assert await waits.marks.passed(HERE, 4, Patience.of(60, waits.gate))
    assert not await waits.marks.passed(HERE, 7, Patience.of(0, waits.gate))
    with pytest.raises(Refusal):
        await waits.marks.passed(HERE, 7, Patience.of(60, waits.gate))
    assert await waits.move(HERE, 8) == {(HERE, 7)}


class Compared(int):
    """An offset that counts how often it is compared."""

    times = 0

    def __lt__(self, other: Any) -> bool:
        Compared.times += 1
        return int(self) < int(other)

    def __gt__(self, other: Any) -> bool:
        Compared.times += 1
        return int(self) > int(other)


async def test_a_move_among_a_thousand_waits_looks_at_a_few_and_at_none_that_have_left(
    tell: Callable[..., None],
) -> None:
    waits = Waits()
    await waits.ask(HERE, *(Compared(n) for n in range(1000, 2000)))
    Compared.times = 0
    assert await waits.move(HERE, 1) == set()
    tell("compared", waits=len(waits.asked), times=Compared.times)
    assert 0 < Compared.times < 20
    for task in waits.asked.values():
        task.cancel()
    await asyncio.wait(waits.asked.values())
    Compared.times = 0
    waits.marks.move(HERE, 5000)
    assert Compared.times == 0


class Ends:
    """A log of several partitions of which each ends beyond what anybody has read."""

    def partitions(self, topic: Topic) -> int:
        return 3 if topic.spread else 1

    async def highwater(self, partition: Partition) -> int:
        return 10 + partition.number


class Noting(Marks):
    """Marks that have passed everything, and note until when they would have been waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.until: list[float] = []

    async def passed(self, source: Partition, offset: int, patience: Patience) -> bool:
        self.until.append(patience.until)
        assert offset == 9 + source.number
        return True


async def test_the_ends_of_all_partitions_are_waited_for_until_one_moment() -> None:
    log: Any = Ends()
    nobody: Any = None
    noting, gate = Noting(), Gate(1)
    start = Start(noting)
    await start.measure(log, [])
    start.look()
    desk = Desk(log, nobody, Settings(), nobody, nobody, noting, start, start, nobody, gate, gate)
    patience = desk.patience(7)
    await desk.indexed_to_end(patience)
    assert noting.until == [patience.until] * 3
