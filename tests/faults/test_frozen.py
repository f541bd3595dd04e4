"""Workers frozen past their session: thawed, they change nothing any more."""

import asyncio
from pathlib import Path
from random import Random
from time import monotonic

import pytest

import bus
from schemas.topics import ASSIGNMENTS, COUNTERS
from tests.faults import writers
from tests.faults.agree import agrees, audited, decided
from tests.faults.conftest import LONG, Tell
from tests.faults.ledger import Flow
from tests.faults.nodes import Nodes
from tests.faults.site import INTAKE, MATCHING, SCREENS, STATS, Site, running
from tests.faults.watch import CALM, Watch, followed, gentle
from tests.faults.zombie import MOMENTS, Zombie, freeze, thaw
from tests.matching.crowd import Crowd, crowded
from tests.matching.test_kills import RULES
from tests.system.process import until

TURNS = 24 if LONG else 7
LATE = (TURNS + 1) // 8
"""So often each is frozen with a commit on its way that comes when another has taken over."""


@pytest.mark.timeout(1800)
def test_a_matcher_and_a_stats_worker_frozen_past_their_session_write_nothing_when_they_thaw(
    nodes: Nodes, tmp_path: Path, dice: Random, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (RULES | CALM).items():
        monkeypatch.setenv(f"YIZHAN_{name}", value)
    site = Site(tmp_path, nodes.bus)
    intake, screens, *others = site.parts(INTAKE, SCREENS, MATCHING, STATS)
    zombies = [Zombie(site.part(name, 1, nodes.outside), name) for name in (MATCHING, STATS)]
    behind = [zombie.process for zombie in zombies]
    with running(site, intake, screens, *others, *behind), Watch(nodes.bus) as watch:
        with gentle(site, intake, dice) as flow:
            taken = asyncio.run(_disturbed(nodes, zombies, flow, watch, dice))
            ledger = flow.end()
        agrees(screens.url, ledger)
        audited(nodes.bus)
        asks = asyncio.run(decided(nodes.bus)).figures["asks"]
        until(lambda: watch.past(watch.ends()))
    nodes.whole()
    deciding, counting = (writers.told(nodes.data, topic) for topic in (ASSIGNMENTS, COUNTERS))
    fenced = {zombie.group: nodes.links.fenced(f"{zombie.group}-") for zombie in zombies}
    tell(
        f"{TURNS} freezes of both, taken over after {min(taken):.1f} to {max(taken):.1f} s",
        matcher=dict(zombies[0].fates),
        stats=dict(zombies[1].fates),
        decisions=deciding,
        counters=counting,
        commits_that_came_too_late=fenced,
        marks_that_went_back=len(watch.back),
        acknowledged=ledger.acknowledged,
        asks=asks,
    )
    assert not watch.back, watch.back[:5]
    assert deciding.zombies == counting.zombies == 0
    assert min(fenced.values()) >= LATE, "zombies that tried nothing prove nothing"
    assert min(deciding.aborted, counting.aborted) > 0, "nobody was frozen in the middle of a step"


async def _disturbed(
    nodes: Nodes, zombies: list[Zombie], flow: Flow, watch: Watch, dice: Random
) -> list[float]:
    """Freeze both again and again, each time until others have taken over; return how long."""
    taken: list[float] = []

    def disturb(crowd: Crowd) -> None:
        for turn in range(TURNS):
            with followed(flow, watch):
                freeze(nodes, zombies, zombies[turn % 2], MOMENTS[(turn + 1) // 2 % 4])
                began = monotonic()
            taken.append(monotonic() - began)
            thaw(nodes, zombies)
            for zombie in zombies:
                zombie.back(nodes)
        watch.hush()
        assert crowd.asked

    async with bus.connect(watch.log) as log:
        await crowded(log, dice.randrange(99), disturb, quiet=3.0)
    return taken
