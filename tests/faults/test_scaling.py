"""Workers of stats and matching come and go under load: nothing is lost and nobody waits long."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

import bus
from schemas.topics import ASSIGNMENTS, REQUESTS, RESULTS
from tests.faults import books, replay
from tests.faults.agree import agrees, audited, decided
from tests.faults.conftest import LONG, Tell
from tests.faults.crew import Crew
from tests.faults.ledger import Flow
from tests.faults.nodes import Nodes
from tests.faults.site import INTAKE, MATCHING, SCREENS, STATS, Site, running
from tests.faults.watch import CALM, Watch, followed, gentle, times
from tests.matching.crowd import Crowd, crowded
from tests.matching.known import reserved
from tests.matching.test_kills import RULES, silent
from tests.system.process import Process, until

ROUNDS = 10 if LONG else 2
REST, FACTS = 0.6, 100
"""Seconds between two batches of a client, and how many facts follow each coming and going.

Two cores carry three brokers and up to eight services here, and each start takes one for seconds.
"""
LONGEST = 10.0
"""Seconds that nothing of a partition may be followed while there is something: so it is promised.

That is for workers that come and leave in good order, as whoever scales lets them.
"""
SESSION = 6.0
"""Seconds after which a group misses a member that was killed, and so said nothing.

The promise is not for those: what they held waits for so long beside what is promised.
"""
BUSY = 5.0
"""Load per core from which on pauses are others' doing: the test waits until there is less.

The slice says so when nothing was judged; the long form must have judged.
"""


@pytest.mark.timeout(1800)
def test_workers_that_come_and_go_leave_what_a_replay_gives_and_never_pause_for_ten_seconds(
    nodes: Nodes, tmp_path: Path, dice: Random, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (RULES | CALM).items():
        monkeypatch.setenv(f"YIZHAN_{name}", value)
    load = _calmed()
    site = Site(tmp_path, nodes.bus)
    intake, screens = site.part(INTAKE), site.part(SCREENS)
    with (
        Crew(site, STATS, 4) as stats,
        books.Lasting(nodes.bus) as lasting,
        Crew(site, MATCHING, 1) as matching,
    ):
        stats.come(1)
        with running(site, intake, screens), Watch(nodes.bus) as watch:
            stats.ready()
            lasting.ready()
            with gentle(site, intake, dice, REST) as flow:
                moments = asyncio.run(_scaled(stats, matching, flow, watch, dice))
                ledger = flow.end()
            kept = lasting.end()
            cells = agrees(screens.url, ledger)
            audited(nodes.bus)
            found = asyncio.run(decided(nodes.bus))
            replayed = asyncio.run(books.replayed(nodes.bus))
            matching.come(1)
            asyncio.run(silent(nodes.bus, matching.working))
            matching.rest()
            until(lambda: watch.past(watch.ends()))
            orderly, killed = (
                (watch.stills(span, RESULTS.name, ASSIGNMENTS.name),
                 watch.stills(span, REQUESTS.name))
                for span in pairwise(moments)
            )  # fmt: skip
            withheld = sum(end - start for start, end in watch.withheld) / 1000
        rows = _replayed(stats, nodes.bus)
    tell(
        f"{ROUNDS} times 1 to 3 to 1 and 1 to 2 to 1; counting stood still {times(orderly[0])}, "
        f"deciding {times(orderly[1])}; once more with those who go killed: counting "
        f"{times(killed[0])}, deciding {times(killed[1])}",
        acknowledged=ledger.acknowledged,
        asks=found.figures["asks"],
        cells=cells,
        rows=rows,
        cases=len(found.requests),
        living=len(found.living),
        pauses=f"{'judged' if load < BUSY else 'NOT JUDGED'} at a load of {load:.1f} a core",
        withheld=f"{withheld:.1f} s",
    )
    assert kept == replayed
    for known in kept.values():
        reserved(known)
    assert books.merged(kept, "cases") == found.requests
    assert books.merged(kept, "offers") == found.living
    assert not watch.back, watch.back[:5]
    if load < BUSY:
        for still in orderly:
            assert still[0].seconds < LONGEST, still[:5]
        for still in killed:
            assert still[0].seconds < SESSION + LONGEST, still[:5]
    assert load < BUSY or not LONG, "the machine was too busy for any pause to be judged"


def _calmed() -> float:
    """Wait until earlier tests are forgotten, but not for ever; return the load per core."""

    def load() -> float:
        return os.getloadavg()[0] / (os.cpu_count() or 1)

    with suppress(AssertionError):
        until(lambda: load() < BUSY)
    return load()


async def _scaled(
    stats: Crew, matching: Crew, flow: Flow, watch: Watch, dice: Random
) -> tuple[float, float, float]:
    """Scale up and down again and again under a crowd; return when all of it is decided.

    One after the other: a machine of two cores that starts them all at once does little else.
    One matcher stays, and must know in the end what it has kept all the time. Returns when it
    began, when those who leave began to be killed, and the end.
    """
    moments = [time.time()]

    def scale(crowd: Crowd) -> None:
        for turn in range(ROUNDS + 1):
            way = signal.SIGTERM if turn < ROUNDS else signal.SIGKILL
            if turn == ROUNDS:
                moments.append(time.time())
            for crew, number in ((stats, 2), (stats, 3), (matching, 1)):
                with followed(flow, watch, FACTS):
                    crew.come(number)
                    crew.ready()
            with followed(flow, watch, FACTS):
                stats.leave(dice, way)
                matching.leave(dice, way)
            with followed(flow, watch, FACTS):
                stats.leave(dice, way)
        moments.append(time.time())
        watch.hush()
        assert crowd.asked

    async with bus.connect(watch.log) as log:
        await crowded(log, dice.randrange(99), scale, quiet=3.0, rest=0.5)
    began, killing, end = moments
    return began, killing, end


def _replayed(stats: Crew, log: str) -> int:
    """Compare the last worker's state with one made anew from offset 0; return how many rows."""
    last, fresh = stats.working[0], next(p for p in stats.all if not _knows(p))
    assert last.end() == 0, last.said()
    shown, identity = asyncio.run(replay.published(log)), asyncio.run(replay.identity(log))
    fresh.start()
    stats.working.append(fresh)
    fresh.until_ready()
    assert fresh.end() == 0, fresh.said()
    assert asyncio.run(replay.published(log)) == shown
    assert replay.kept(fresh.data, identity) == replay.kept(last.data, identity)
    return len(shown)


def _knows(process: Process) -> bool:
    return any(process.data.glob("stats-*.db"))
