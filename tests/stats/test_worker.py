"""The running worker: exact after restarts, lost states and takeovers, on both logs."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bus import Bus, Partition, Record
from schemas.errors import Fenced
from schemas.topics import COUNTED, COUNTERS, RESULTS
from services.stats import running
from services.stats.app import INPUTS
from services.stats.audit import auditing
from tests.histories import History, event, record
from tests.stats.running import events, letters, published, settings, totals, until


def service(serial: int, revision: int = 1, node: str = "yinhu", **more: Any) -> dict[str, Any]:
    data = {
        "revision": revision,
        "node_id": node,
        "enterprise_id": f"ent-{serial % 7}",
        "elements": ["STD"],
        "mode": "diagnosis",
        "occurred_at": "2023-05-06T09:30:00+08:00",
        "actor_role": "staff",
        "actor_ref": "s-1",
    }
    return event("service.delivered", f"yinhu.{serial}", data | more, serial)


STATED = ("revision", "node_id", "occurred_at", "actor_role", "actor_ref")


async def run(log: Bus, folder: Path) -> None:
    """Run a worker until everything there is has been published."""
    async with asyncio.TaskGroup() as tasks, running(log, settings(folder), tasks) as worker:
        await published(log, worker, INPUTS)


async def test_what_was_delivered_is_counted_once_over_restarts(log: Bus, tmp_path: Path) -> None:
    for start in (0, 40, 80):
        await log.publish([record(service(n)) for n in range(start, start + 60)])
        await run(log, tmp_path)
    found = await totals(log)
    assert found["yinhu", "services_delivered"] == 140
    assert found["yinhu", "enterprises_served"] == 7


async def test_a_lost_state_is_counted_anew_from_the_log(log: Bus, tmp_path: Path) -> None:
    await log.publish([record(service(n)) for n in range(50)])
    await run(log, tmp_path / "first")
    await log.publish([record(service(n, revision=2, node="anlu")) for n in range(20)])
    await run(log, tmp_path / "second")
    found = await totals(log)
    assert (found["yinhu", "services_delivered"], found["anlu", "services_delivered"]) == (30, 20)


async def test_a_fact_that_moves_is_never_missing_at_a_flush_mark(log: Bus, tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as tasks, running(log, settings(tmp_path), tasks) as worker:
        for revision in range(1, 30):
            node = ("yinhu", "anlu")[revision % 2]
            await log.publish([record(service(1, revision, node=node))])
        await published(log, worker, [RESULTS])
    shown: dict[str, int] = {}
    marks = 0
    for found in await events(log, COUNTERS):
        if found.kind.name == "yizhan.counter.updated":
            shown[found.data.node] = found.data.sums.get("services_delivered", 0)
        elif found.kind.name == "yizhan.counters.flushed" and shown:
            marks += 1
            assert sum(shown.values()) == 1
    assert marks


async def test_the_second_worker_of_a_group_takes_over(tmp_path: Path) -> None:
    from bus import sqlite  # noqa: PLC0415  # only this test is about the embedded log alone

    async with sqlite.connect(str(tmp_path / "log.db"), 4) as log:
        await log.publish([record(service(n)) for n in range(50)])
        with pytest.RaisesGroup(Fenced):
            async with asyncio.TaskGroup() as tasks, running(log, settings(tmp_path / "a"), tasks):
                await run(log, tmp_path / "b")
                await asyncio.Event().wait()
        assert (await totals(log))["yinhu", "services_delivered"] == 50


async def test_batches_that_are_lost_or_come_twice_change_nothing(log: Bus, tmp_path: Path) -> None:
    await log.publish([record(service(n)) for n in range(200)])
    async with asyncio.TaskGroup() as tasks, running(log, settings(tmp_path), tasks) as worker:
        take, dice = worker.take, Random(7)

        async def careless(batch: Any) -> bool:
            if dice.random() < 0.3:
                return True
            return await take(batch) and (dice.random() < 0.7 or await take(batch))

        worker.take = careless  # type: ignore[method-assign]
        for start in range(200, 500, 10):
            await log.publish([record(service(n)) for n in range(start, start + 10)])
        await published(log, worker, [RESULTS])
    assert (await totals(log))["yinhu", "services_delivered"] == 500


async def test_each_conflict_is_one_dead_letter_and_the_first_stands(
    log: Bus, tmp_path: Path
) -> None:
    await log.publish([record(service(1)), record(service(1, enterprise_id="other"))])
    await run(log, tmp_path / "first")
    await run(log, tmp_path / "again-from-0")
    found = await letters(log)
    assert [group[0].data.rule for group in found.values()] == ["conflict"]
    rows = [e.data for e in await events(log, COUNTERS) if e.kind.name.endswith("updated")]
    assert {member for row in rows for member in row.sets["enterprises_served"]} == {"ent-1"}


async def test_the_audit_agrees_with_any_history_and_names_what_differs(
    log: Bus, tmp_path: Path
) -> None:
    histories = [History(f"h{n}", Random(n)) for n in range(20)]
    await log.publish([record(e) for history in histories for e in history.events])
    async with asyncio.TaskGroup() as tasks, running(log, settings(tmp_path), tasks) as worker:
        await published(log, worker, [RESULTS])
        async with auditing(log) as auditor:
            reports = await auditor.check()
            assert sum(report.places for report in reports) > 100
            assert not any(report.differences for report in reports)
            source = next(s for s in worker.sources.values() if s.counts and s.ledger.cells)
            place, cell = next((p, c) for p, c in source.ledger.cells.items() if c.sums)
            cell.sums["visits"] = cell.sums.get("visits", 0) + 1
            source.dirty[place] = source.position
            source.published = -1
            await until(lambda: source.published == source.position)
            differ = [d for report in await auditor.check() for d in report.differences]
        assert len(differ) == 1
        assert differ[0].startswith(f"{place[0]} {place[1]} visits: {cell.sums['visits']} shown")


async def test_a_row_larger_than_any_record_goes_out_in_parts_and_shrinks_again(
    log: Bus, tmp_path: Path
) -> None:
    def held(revision: int, enterprises: int) -> Record:
        data = {
            **{name: service(0)["data"][name] for name in STATED},
            "revision": revision,
            "kind": "training",
            "sessions": 1,
            "enterprises": [f"a-firm-with-a-very-long-id-{n:06d}" for n in range(enterprises)],
        }
        return record(event("activity.held", "yinhu.activity", data))

    key = "yinhu", "enterprises_trained"
    for revision, enterprises in ((1, 10_000), (2, 9_000), (3, 3)):
        await log.publish([held(revision, enterprises)])
        await run(log, tmp_path)
        assert (await totals(log))[key] == enterprises
        async with auditing(log) as auditor:
            assert not [d for report in await auditor.check() for d in report.differences]


async def test_a_worker_publishes_nothing_before_it_has_caught_up(log: Bus, tmp_path: Path) -> None:
    await log.publish([record(service(n)) for n in range(100)])
    places = [Partition(topic.name, n) for topic in COUNTED for n in range(4)]
    ends = {place: await log.highwater(place) for place in places}
    await run(log, tmp_path)
    marks = [e.data for e in await events(log, COUNTERS) if e.kind.name.endswith("flushed")]
    assert {Partition(mark.topic, mark.partition) for mark in marks} == ends.keys()
    assert all(m.position >= ends[Partition(m.topic, m.partition)] for m in marks)
