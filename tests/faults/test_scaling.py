"""Workers of stats and matching come and go under load: nothing is lost and nobody waits long."""

import asyncio
import os
import signal
from pathlib import Path
from random import Random

import pytest

import bus
from schemas.topics import ASSIGNMENTS, REQUESTS, RESULTS
from tests.faults import replay
from tests.faults.agree import agrees, audited, decided
from tests.faults.conftest import LONG, Tell
from tests.faults.crew import Crew
from tests.faults.ledger import Flow
from tests.faults.nodes import Nodes
from tests.faults.site import INTAKE, MATCHING, SCREENS, STATS, Site, running
from tests.faults.watch import CALM, Watch, followed, gentle, times
from tests.matching.crowd import Crowd, crowded
from tests.matching.test_kills import RULES, silent
from tests.system.process import Process, until

ROUNDS = 10 if LONG else 4
LONGEST = 10.0
"""Seconds that nothing of a partition may be followed while there is something."""
BUSY = 5.0
"""Load per core before the test above which its pauses are others' doing: told, not judged."""
WAYS = (signal.SIGTERM, signal.SIGKILL)


@pytest.mark.timeout(1800)
def test_workers_that_come_and_go_leave_what_a_replay_gives_and_never_pause_for_ten_seconds(
    nodes: Nodes, tmp_path: Path, dice: Random, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (RULES | CALM).items():
        monkeypatch.setenv(f"YIZHAN_{name}", value)
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    site = Site(tmp_path, nodes.bus)
    intake, screens = site.part(INTAKE), site.part(SCREENS)
    with Crew(site, STATS, 4) as stats, Crew(site, MATCHING, 2) as matching:
        stats.come(1)
        matching.come(1)
        with running(site, intake, screens), Watch(nodes.bus) as watch:
            with gentle(site, intake, dice) as flow:
                asyncio.run(_scaled(stats, matching, flow, watch, dice))
                ledger = flow.end()
            cells = agrees(screens.url, ledger)
            audited(nodes.bus)
            asks = asyncio.run(decided(nodes.bus)).figures["asks"]
            asyncio.run(silent(nodes.bus, matching.working))
            matching.rest()
            until(lambda: watch.past(watch.ends()))
            counting, deciding = (
                watch.stills(RESULTS.name, ASSIGNMENTS.name),
                watch.stills(REQUESTS.name),
            )
        rows = _replayed(stats, nodes.bus)
    tell(
        f"{ROUNDS} times 1 to 3 to 1 and 1 to 2 to 1; counting stood still {times(counting)}, "
        f"deciding {times(deciding)}",
        acknowledged=ledger.acknowledged,
        asks=asks,
        cells=cells,
        rows=rows,
        load_before=f"{load:.1f}",
    )
    assert not watch.back, watch.back[:5]
    if load < BUSY:
        assert counting[0].seconds < LONGEST, counting[:5]
        assert deciding[0].seconds < LONGEST, deciding[:5]


async def _scaled(stats: Crew, matching: Crew, flow: Flow, watch: Watch, dice: Random) -> None:
    """Scale up and down again and again under a crowd; return when all of it is decided."""

    def scale(crowd: Crowd) -> None:
        for turn in range(ROUNDS):
            with followed(flow, watch):
                stats.come(3)
                matching.come(2)
                stats.ready()
                matching.ready()
            with followed(flow, watch):
                stats.leave(dice, WAYS[turn % 2])
                matching.leave(dice, WAYS[1 - turn % 2])
            with followed(flow, watch):
                stats.leave(dice, WAYS[1 - turn % 2])
        watch.hush()
        assert crowd.asked

    async with bus.connect(watch.log) as log:
        await crowded(log, dice.randrange(99), scale, quiet=3.0)


def _replayed(stats: Crew, log: str) -> int:
    """Compare the last worker's state with one made anew from offset 0; return how many rows."""
    last, fresh = stats.working[0], next(p for p in stats.all if not _knows(p))
    last.end()
    shown, identity = asyncio.run(replay.published(log)), asyncio.run(replay.identity(log))
    fresh.start()
    stats.working.append(fresh)
    fresh.until_ready()
    fresh.end()
    assert asyncio.run(replay.published(log)) == shown
    assert replay.kept(fresh.data, identity) == replay.kept(last.data, identity)
    return len(shown)


def _knows(process: Process) -> bool:
    return any(process.data.glob("stats-*.db"))
