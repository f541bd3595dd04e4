"""Whatever /readyz may say stands in the runbook, and nothing stands there that it never says."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any, cast

import httpx

from bus import Partition, sqlite
from bus.contact import Contact
from bus.kafka.cluster import Cluster
from bus.keys import Keys
from bus.state import State
from bus.turns import LONGEST, Turns
from deploy.disk import LONG, Disk
from deploy.entrance import Entrance
from schemas.errors import Unavailable
from schemas.reports import CountersFlushed, CounterUpdated
from schemas.topics import RESULTS
from services.matching.source import Source
from services.screens.lag import Lag
from services.screens.marks import Marks
from services.screens.reading import _outdated
from services.screens.start import Start
from services.screens.views import Views
from services.stats.store import TABLES
from tests.bus.test_state import TABLES as TOTALS
from tests.bus.test_state import fill
from tests.conftest import Tell
from tests.deploy.test_alerts import RUNBOOK
from tests.histories import record
from tests.intake.station import Clock, open_station, service
from tests.stats.running import until
from tests.stats.test_source import Log, batch, started
from tests.stats.test_worker import service as fact

PLACE = Partition(RESULTS.name, 0)
VARY = {"…": ".+", "T/N": r"\S+/\d+", "T:N": r"\S+:\d+", "N": r"[\d.]+", "M": r"\w+", "X": ".+"}
"""What stands in the table for what is not always the same."""
_VARIES = re.compile(r"(…|\bT/N\b|\bT:N\b|\b[NMX]\b)")
Reasons = AsyncIterator[tuple[str, str]]
"""What is not ready, and why, as /readyz names it."""


def rows() -> list[str]:
    """Return what the table has in its first column."""
    _, _, table = RUNBOOK.read_text(encoding="utf-8").partition("| it says | it means |\n")
    cells = [line.split("|")[1].strip() for line in table.partition("\n\n")[0].splitlines()[1:]]
    assert all(re.fullmatch("`[^`]+`", cell) for cell in cells), cells
    return [cell.strip("`") for cell in cells]


def about(row: str, name: str, why: str) -> bool:
    """Whether a row is about what is said."""
    pattern = "".join(VARY.get(part) or re.escape(part) for part in _VARIES.split(row))
    return any(re.match(pattern, said) for said in (why, f"{name}: {why}"))


async def anything(tmp_path: Path) -> Reasons:
    """Yield what any service may say."""
    transport = httpx.ASGITransport(Entrance())
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as early:
        for reason in (await early.get("/readyz")).json()["missing"].items():
            yield reason
    contact, turns, disk = Contact("one"), Turns(["loop"], lambda: 0.0), Disk(tmp_path / "none")
    contact.lost("no leader")
    yield "any", str(contact.doubt())
    turns._clock = lambda: LONGEST + 1
    yield "any", str(turns.late())
    await disk.look()
    yield "data folder", disk.ready()["data folder"]
    disk._began = monotonic() - LONG - 1
    yield "data folder", disk.ready()["data folder"]
    yield "any", await full(tmp_path / "full.db")


async def full(place: Path) -> str:
    """Return what a state says whose disk takes no more."""

    async def write() -> None:
        fill(state)

    with State.open(place, TOTALS, "fake") as state:
        waiting = asyncio.create_task(state.patient(write))
        await asyncio.sleep(0)
        doubt = state.doubt()
        waiting.cancel()
    return str(doubt)


async def intake(tmp_path: Path) -> Reasons:
    """Yield what intake may say."""
    async with sqlite.connect(str(tmp_path / "log.db")) as log:
        with Keys.open(tmp_path / "keys.db") as keys:
            async with open_station(log, keys, Clock()) as station:
                for reason in station.intake.ready().items():
                    yield reason
                await station.plant()
                (tmp_path / "log.db").rename(tmp_path / "away.db")
                assert (await station.post("/v1/services", service(id="yinhu.a"))).is_error
                yield "log", station.intake.ready()["log"]
    try:
        async with Cluster("127.0.0.1:1", timeout=0.01).within(f"take records for {PLACE.topic}"):
            await asyncio.get_running_loop().create_future()
    except Unavailable as error:
        yield "log", str(error)


async def workers(tmp_path: Path) -> Reasons:
    """Yield what stats and matching may say."""
    log, means = Log(end=1), cast("Any", None)
    with State.open(tmp_path / "stats.db", TABLES, "fake") as state:
        worker = started(log, state)
        yield "stats", worker.ready()["stats"]
        await worker.take(batch(0, fact(0)))
        log.away = True
        await worker.flush()
        yield "stats", worker.ready()["stats"]
        worker.sources.clear()
        yield "stats", worker.ready()["stats"]
    yield "matching", str(Source(3, means).late())


async def screens(tmp_path: Path) -> Reasons:
    """Yield what screens may say."""
    views, start = Views.empty(60), Start(Marks())
    yield "facts", str(start.behind())
    async with sqlite.connect(str(tmp_path / "read.db"), 1) as log:
        await log.publish([record(fact(0))])
        await start.measure(log, [RESULTS])
        yield "facts", str(start.behind())
        lag = Lag(log, [RESULTS], Marks(), 0.01)
        running = asyncio.create_task(lag.run())
        await until(lambda: lag.behind() is not None)
        yield "facts", str(lag.behind())
        begun = CounterUpdated(
            topic=PLACE.topic, partition=0, catalogue=1, position=0,
            node="s-1", day="2026-01-01", sums={}, sets={},
        )  # fmt: skip
        views.counters.update(begun)
        half = Start(Marks(), views.counters.halves)
        await half.measure(log, [])
        half.look()
        yield "counters", str(half.behind())
        running.cancel()
    for catalogue in (2, 1):
        mark = CountersFlushed(topic=PLACE.topic, partition=0, catalogue=catalogue, position=1)
        views.counters.flush(mark)
    yield "counters", str(_outdated(views))


async def test_all_that_readyz_may_say_has_a_row_in_the_runbook_and_every_row_is_about_something(
    tmp_path: Path, tell: Tell
) -> None:
    said = [
        reason for part in (anything, intake, workers, screens) async for reason in part(tmp_path)
    ]
    table = rows()
    assert [one for one in said if not any(about(row, *one) for row in table)] == []
    assert [row for row in table if not any(about(row, *one) for one in said)] == []
    tell("the runbook's table", rows=len(table), reasons=len(said))
