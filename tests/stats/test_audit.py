"""The recount shares nothing with the fold, keeps little, and leaves the event loop its turns."""

import ast
import asyncio
import threading
import tracemalloc
from pathlib import Path
from random import Random

import pytest

from bus import Bus, Partition, sqlite
from bus.state import State
from schemas.codec import Event, decode, encode
from schemas.topics import COUNTERS, RESULTS
from services.stats import running
from services.stats.audit import MOST, auditing
from services.stats.fold import Cell
from services.stats.pace import unhurried
from services.stats.recount import Recount
from services.stats.said import mark, rows
from services.stats.store import TABLES
from tests.histories import History, record
from tests.stats.running import events, published, settings, until
from tests.stats.test_metrics import Recounts, Told
from tests.stats.test_source import batch
from tests.stats.test_worker import run, service

SOURCE = Partition(RESULTS.name, 0)
WHEN = "2024-01-01T00:00:00+08:00"
PACKAGES = ("schemas", "bus", "services", "deploy")
ROOT = Path(__file__).parents[2]
AUDIT = {f"services.stats.{name}" for name in ("audit", "pace", "published", "recount")}
MODELS = {
    "bus.ends",
    "bus.port",
    *(f"schemas.{name}" for name in ("codec", "days", "decisions", "facts", "fields")),
    *(f"schemas.{name}" for name in ("reports", "topics")),
}
COUNTS = {"schemas.contribution", "schemas.measures"}


def imported(module: str) -> set[str]:
    """Return which modules of ours a module names, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(place(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            of = node.module or ""
            inside = {f"{of}.{name.name}" for name in node.names}
            found |= {name if place(name).is_file() else of for name in inside}
    return {name for name in found if name.split(".")[0] in PACKAGES}


def place(module: str) -> Path:
    """Return where a module lies, or would."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def reached(*modules: str) -> set[str]:
    """Return these modules and all of ours that they come to."""
    found: set[str] = set()
    waiting = [*modules]
    while waiting:
        if (module := waiting.pop()) not in found:
            found.add(module)
            waiting += imported(module)
    return found


def test_the_audit_is_made_of_the_event_models_and_nothing_that_counts() -> None:
    direct = {name for module in AUDIT for name in imported(module)}
    assert direct - AUDIT == MODELS
    assert not reached(*AUDIT) & COUNTS
    command = {name for name in imported("deploy.audit") if name.startswith("services.")}
    assert command == {"services.stats.audit"}


def test_a_statement_takes_a_few_hundred_bytes() -> None:
    events = [decode(encode(service(n, enterprise_id=f"ent-{n % 500}"))) for n in range(5_000)]
    recount = Recount()
    tracemalloc.start()
    for event in events:
        assert isinstance(event, Event)
        recount.read(event)
    each = tracemalloc.get_traced_memory()[0] / len(events)
    tracemalloc.stop()
    assert each < 400


async def test_facts_behind_the_mark_wait_for_the_next_one(tmp_path: Path) -> None:
    async with sqlite.connect(str(tmp_path / "log.db"), 1) as log:
        await log.publish([record(service(n)) for n in range(7)])
        async with auditing(log) as auditor:
            for until in (3, 3, 7):
                await log.publish([mark(SOURCE, until, WHEN)])
                (report,) = await auditor.check()
                assert report.position == until
                assert f"services_delivered: 0 shown, {until} counted" in str(report)
                assert report.wrong == (("yinhu", "2023-05-06"),)


async def test_rows_and_marks_that_anybody_wrote_do_not_end_the_audit(tmp_path: Path) -> None:
    async with sqlite.connect(str(tmp_path / "log.db"), 1) as log:
        await log.publish([record(service(1))])
        strange = [mark(Partition(name, 0), 9, WHEN) for name in ("t", COUNTERS.name)]
        beyond = mark(Partition(RESULTS.name, 7), 9, WHEN)
        await log.publish([*strange, beyond, mark(SOURCE, 1_000, WHEN)])
        async with auditing(log) as auditor:
            (report,) = await auditor.check()
        assert report.source == SOURCE
        assert report.wrong


async def test_a_place_that_is_shown_and_never_was_is_named(tmp_path: Path) -> None:
    async with sqlite.connect(str(tmp_path / "log.db"), 1) as log:
        await log.publish([record(service(1))])
        ghost = Cell({f"visits;n={n}": 1 for n in range(MOST + 5)}, {})
        wrong = list(rows(SOURCE, 1, ("ghost", "2023-05-06"), ghost, WHEN))
        await log.publish([*wrong, mark(SOURCE, 1, WHEN)])
        async with auditing(log) as auditor:
            (report,) = await auditor.check()
        assert len(report.differences) == MOST
        assert report.wrong == (("yinhu", "2023-05-06"), ("ghost", "2023-05-06"))


async def test_the_loop_has_its_turns_while_a_recount_goes_on(log: Bus, tmp_path: Path) -> None:
    histories = [History(f"h{n}", Random(n)) for n in range(100)]
    await log.publish([record(e) for history in histories for e in history.events])
    await run(log, tmp_path)
    threads: set[int] = set()
    step = unhurried()

    def pace() -> None:
        threads.add(threading.get_ident())
        step()

    async with auditing(log, pace=pace) as auditor:
        checking = asyncio.create_task(auditor.check())
        turns = 0
        while not checking.done():
            await asyncio.sleep(0)
            turns += 1
    assert not [d for report in checking.result() for d in report.differences]
    assert threading.get_ident() not in threads
    assert threads
    assert turns > 100


async def test_a_row_that_somebody_else_wrote_is_found_told_once_and_stated_anew(
    log: Bus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await log.publish([record(service(n)) for n in range(20)])
    often = settings(tmp_path, audit_every=1.0)
    async with asyncio.TaskGroup() as tasks, running(log, often, tasks) as worker:
        await published(log, worker, [RESULTS])
        source = worker.sources[SOURCE]
        at = source.position
        for place in (("ghost", "2023-05-06"), ("yinhu", "2023-05-06")):
            wrong = list(rows(SOURCE, at, place, Cell({"visits": 41}), WHEN))
            await log.publish([*wrong, mark(SOURCE, at, WHEN)])
        async with auditing(log) as auditor:
            await worker.audit(auditor)
            (drift,) = await _drifts(log)
            assert "ghost 2023-05-06 visits: 41 shown, 0 counted" in drift
            await until(lambda: not source.due)
            await worker.audit(auditor)
            assert await _drifts(log) == []
            assert all(not report.differences for report in await auditor.check())
    said = capsys.readouterr().out
    assert (said.count("counters drift"), said.count("counters agree again")) == (1, 1)


async def _drifts(log: Bus) -> list[tuple[str, ...]]:
    """Return what the newest report about each source found, where it found anything."""
    newest = {
        event.subject: event.data.differences
        for event in await events(log, COUNTERS)
        if event.kind.name == "yizhan.counters.audited"
    }
    return [found for found in newest.values() if found]


async def test_drift_that_lasts_is_told_once_and_so_is_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with State.open(tmp_path / "state.db", TABLES, "fake") as state:
        worker = Told(state).worker
        await worker.take(batch(0, service(0), service(1), service(2)))
        await worker.flush()
        for found in (["visits"], ["visits"], [], []):
            await worker.audit(Recounts(*found))  # type: ignore[arg-type]  # finds what it is told
    said = capsys.readouterr().out
    assert (said.count("counters drift"), said.count("counters agree again")) == (1, 1)
