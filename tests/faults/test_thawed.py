"""A stats worker that comes back from the past: nobody sees what it would have shown."""

import asyncio
from collections import defaultdict
from pathlib import Path
from random import Random

import pytest

import bus
from bus import Record
from deploy.log import records
from schemas.codec import Event, decode
from schemas.reports import CountersFlushed, CounterUpdated
from schemas.topics import COUNTERS
from tests.faults.agree import agrees, audited, kept
from tests.faults.conftest import LONG, Tell
from tests.faults.crew import Crew
from tests.faults.nodes import Nodes
from tests.faults.site import INTAKE, SCREENS, STATS, Site, running
from tests.faults.watch import Watch, followed, gentle
from tests.faults.zombie import MOMENTS, Zombie, freeze, thaw
from tests.system.load import Ledger
from tests.system.process import Process, processes, until

TURNS = 8 if LONG else 2


@pytest.mark.timeout(1200)
def test_a_fresh_screen_shows_what_the_successor_published_not_what_a_thawed_worker_adds(
    nodes: Nodes, tmp_path: Path, dice: Random, tell: Tell
) -> None:
    site = Site(tmp_path, nodes.bus)
    intake, screens = site.parts(INTAKE, SCREENS)
    zombie = Zombie(site.part(STATS, 1, nodes.outside), STATS)
    ledger, cells = Ledger(), 0
    with running(site, intake, screens, zombie.process):
        for turn in range(TURNS):
            moment = MOMENTS[-1 - turn % 4]
            with Crew(site, STATS, 3) as successor, Watch(nodes.bus, asks=False) as watch:
                with gentle(site, intake, dice) as flow:
                    until(flow.more(500))
                    freeze(nodes, [zombie], zombie, moment)
                    with followed(flow, watch):
                        successor.come(1)
                        successor.ready()
                    _add(ledger, flow.end())
                until(lambda: watch.past(watch.ends()))  # it is called here and now
                thaw(nodes, [zombie])
                zombie.back(nodes)
                cells += _seen(site, screens, ledger, turn)
        stale = asyncio.run(_said_again(nodes.bus))
        cells += _seen(site, screens, ledger, TURNS)
        audited(nodes.bus)
        statements = asyncio.run(kept(nodes.bus, ledger))
    assert stale > 100
    tell(
        f"thawed {TURNS} times after its successor had published",
        fates=dict(zombie.fates),
        acknowledged=ledger.acknowledged,
        statements=statements,
        cells_on_fresh_screens=cells,
        old_rows_and_marks_said_again=stale,
    )


def _add(ledger: Ledger, more: Ledger) -> None:
    ledger.standing |= more.standing
    ledger.statements |= more.statements
    ledger.acknowledged += more.acknowledged


def _seen(site: Site, screens: Process, ledger: Ledger, turn: int) -> int:
    """Check the screens that ran all the time, and one that knows nothing yet."""
    fresh = site.part(SCREENS, 10 + turn)
    with processes(fresh):
        return agrees(fresh.url, ledger) + agrees(screens.url, ledger)


async def _said_again(log: str) -> int:
    """Write what each source said first once more, as a worker would that nobody had fenced.

    That is the first half of its flushes, each of rows and a mark; return how many records.
    """
    flushes: dict[tuple[str, int], list[list[Record]]] = defaultdict(lambda: [[]])
    async with bus.connect(log) as opened:
        async for place, stored in records(opened, COUNTERS):
            event = decode(stored.value)
            assert isinstance(event, Event)
            if isinstance(event.data, CounterUpdated | CountersFlushed):
                said = flushes[event.data.topic, event.data.partition]
                said[-1].append(Record(COUNTERS, place.number, stored.key or b"", stored.value))
                if isinstance(event.data, CountersFlushed):
                    said.append([])
        old = [
            one for said in flushes.values() for flush in said[: len(said) // 2] for one in flush
        ]
        await opened.publish(old)
    return len(old)
