"""A batch is applied once, where it fits; what the log holds later was known later."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from bus import sqlite
from bus.port import Batch, Bus, Lease, Partition, Record
from bus.state import State
from schemas.codec import Event, decode
from schemas.days import Period
from schemas.topics import REGISTRY, RESULTS
from services.screens.chronicle import Chronicle
from services.screens.follow import Follower
from services.screens.index import Index
from services.screens.marks import Marks
from services.screens.source import Half
from services.screens.start import Start
from services.screens.tables import STATEMENT, TABLES
from services.screens.views import Views
from services.stats.fold import Cell
from services.stats.said import mark, rows
from tests.screens.made import Clock, node, service, until

Change = Callable[[Batch], list[Batch]]
ALL = Period.parse("all")


class Through:
    """A log whose readers are handed batches as a function makes them, and all else of it."""

    def __init__(self, real: Any, change: Change) -> None:
        self._real, self._change = real, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @asynccontextmanager
    async def subscribe(self, *args: Any) -> AsyncIterator["Through"]:
        async with self._real.subscribe(*args) as subscription:
            yield Through(subscription, self._change)

    async def poll(self, *args: Any) -> list[Batch]:
        return [made for batch in await self._real.poll(*args) for made in self._change(batch)]


def twice(batch: Batch) -> list[Batch]:
    return [batch, batch]


@dataclass
class Held:
    """A record whose log took it at another time."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def set_back(batch: Batch) -> list[Batch]:
    """Like a log whose clock goes back by a second with each record."""
    held = [Held(r.offset, 10_000 - 1000 * r.offset, r.key, r.value) for r in batch.records]
    return [replace(batch, records=held)]


@asynccontextmanager
async def log(change: Change, *records: Record) -> AsyncIterator[Bus]:
    async with sqlite.connect(":memory:through", 1, clock=Clock()) as bus:
        await bus.publish(records)
        yield cast("Bus", Through(bus, change))


@asynccontextmanager
async def going(work: Coroutine[Any, Any, None]) -> AsyncIterator[Callable[..., Any]]:
    """Run work meanwhile; yield how to wait for something, which ends when the work fails."""
    running = asyncio.create_task(work)
    yield lambda condition: until(lambda: condition() or running.done())
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_the_follower_passes_over_a_batch_that_it_has_applied() -> None:
    garbage = Record(REGISTRY, "x", b"x", b"garbage")
    async with log(twice, node("s-1"), garbage, node("s-2")) as bus:
        views = Views.empty(300)
        async with going(Follower(bus, views).run()) as wait:
            await wait(lambda: views.chronicle.known("s-2"))
            await bus.publish([node("s-3")])
            await wait(lambda: views.chronicle.known("s-3"))
        assert views.skipped == 1


async def test_the_index_passes_over_a_batch_that_it_has_applied(tmp_path: Path) -> None:
    garbage = Record(RESULTS, "x", b"x", b"garbage")
    async with log(twice, service("s-1.a"), garbage) as bus:
        with State.open(tmp_path / "state.db", TABLES, bus.identity) as state:
            index = Index(bus, state, Views.empty(300), Clock(), 100)
            async with going(index.run()) as wait:
                await wait(lambda: index.marks.at(Partition(RESULTS.name, 0)) == 2)
                await bus.publish([service("s-1.b")])
                await wait(lambda: index.marks.at(Partition(RESULTS.name, 0)) == 3)
            assert index.skipped == 1


async def test_what_the_log_took_later_was_known_later_though_its_clock_went_back(
    tmp_path: Path,
) -> None:
    """Within a run, and on from what an earlier run has written."""
    async with log(set_back, service("s-1.a"), service("s-1.b")) as bus:
        with State.open(tmp_path / "state.db", TABLES, bus.identity) as state:
            for end in (2, 3):
                index = Index(bus, state, Views.empty(300), Clock(), 1)
                async with going(index.run()) as wait:
                    await wait(lambda i=index, e=end: i.marks.at(Partition(RESULTS.name, 0)) == e)
                await bus.publish([service("s-1.c")])
            with state.read() as connection:
                assert connection.scalars(select(STATEMENT.c.logged)).all() == [10_000] * 3


def test_the_registry_was_known_in_its_order_though_the_clock_of_the_log_went_back() -> None:
    chronicle = Chronicle()
    for record, logged in ((node("s-1"), 9000), (node("s-2"), 5000), (node("s-3"), 9500)):
        event = decode(record.value)
        assert isinstance(event, Event)
        chronicle.apply(event, logged)
    then = chronicle.at(8000), chronicle.at(9000), chronicle.at(9500)
    assert [sorted(c.registry.nodes) for c in then] == [
        [], ["s-1", "s-2"], ["s-1", "s-2", "s-3"],
    ]  # fmt: skip


async def test_a_start_is_not_over_while_rows_are_there_whose_flush_was_cut_off() -> None:
    place, nobody = Partition(RESULTS.name, 0), Partition("yizhan.nobody", 0)
    cell, when = Cell({"visits": 1}), "2026-01-01T00:00:00+08:00"
    cut = [*rows(place, 2, ("s-1", "2026-01-01"), cell, when)]
    stray = [*rows(nobody, 2, ("s-1", "2026-01-01"), cell, when)]
    async with log(lambda batch: [batch], *stray, *cut) as bus:
        follower = Follower(bus, Views.empty(300))
        async with going(follower.run()) as wait:
            await wait(lambda: "flush mark is not" in str(follower.start.behind()))
            assert follower.start.behind() == (
                "rows of yizhan.results/0 are there, and their flush mark is not"
            )
            await bus.publish([mark(place, 3, when)])
            await wait(lambda: follower.start.behind() is None)


async def test_a_start_waits_for_no_flush_that_began_after_it() -> None:
    flushes = iter([{Half(("t", 0), (1, 5)), Half(("t", 1), (1, 9))}, {Half(("t", 0), (1, 6))}])
    start = Start(Marks(), lambda: next(flushes))
    async with log(lambda batch: [batch]) as bus:
        await start.measure(bus, [REGISTRY])
    start.look()
    assert start.behind() is not None
    start.look()
    assert start.behind() is None


@pytest.mark.parametrize("mended", ["a", "b"])
def test_a_circle_that_is_opened_again_leaves_no_number_where_it_was(mended: str) -> None:
    views, place = Views.empty(300), Partition(RESULTS.name, 0)
    day, when = "2026-01-01", "2026-01-01T00:00:00+08:00"
    other = "ab".replace(mended, "")
    told = [node("a"), node("b"), node("a", "b", 2), node("b", "a", 2), node(mended, "hub", 3)]
    counted = [*rows(place, 1, (other, day), Cell({"visits": 1}), when), mark(place, 1, when)]
    events = [*told[:4], *counted, told[4]]
    for number, record in enumerate(events):
        held = [Held(number, 0, record.key, record.value)]
        views.apply(Batch(record.topic.name, 0, number, number + 1, held, Lease(number)))
    for at in (other, mended, "hub"):
        assert views.counters.read(at, ALL).get("visits") == 1, at
