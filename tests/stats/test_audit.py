"""The recount shares nothing with the fold, keeps little, and leaves the event loop its turns."""

import ast
import asyncio
import subprocess
import sys
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
MODELS = {"schemas", "schemas.codec", "schemas.days", "schemas.fields"}


def test_the_recount_imports_the_event_models_and_nothing_that_counts() -> None:
    place = Path(sys.modules["services.stats.recount"].__file__ or "")
    code = (
        "import sys, importlib.util as u\n"
        f"s = u.spec_from_file_location('recount', {str(place)!r})\n"
        "m = u.module_from_spec(s); sys.modules['recount'] = m; s.loader.exec_module(m)\n"
        "print(*(n for n in sys.modules if n.split('.')[0] in ('schemas', 'services', 'bus')))"
    )
    done = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, check=True,
        cwd=place.parents[2],
    )  # fmt: skip
    found = set(done.stdout.split()) - {"schemas"}
    assert not found & {"schemas.contribution", "schemas.measures"}
    assert not [name for name in found if not name.startswith("schemas.")]
    imports = [n for n in ast.walk(ast.parse(place.read_text())) if isinstance(n, ast.ImportFrom)]
    ours = {n.module for n in imports if n.module and n.module.split(".")[0] in PACKAGES}
    assert ours == MODELS


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
