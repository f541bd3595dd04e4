"""Services killed with -9 again and again, on three nodes, under load from two sides."""

import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from random import Random

import pytest

from tests.faults.agree import snapshot, whole
from tests.faults.asks import Asks
from tests.faults.conftest import LONG, Tell
from tests.faults.ledger import Flow
from tests.faults.nodes import Nodes
from tests.faults.site import Site, running
from tests.faults.wall import Wall
from tests.system.process import Process, until

KILLS = 50 if LONG else 16
FACTS = 100_000 if LONG else 16_000
BETWEEN = (200, 1000)
"""Facts that flow between two kills at least."""
REST = 1.0
"""Seconds between two batches of a client: together up to 400 facts a second."""
WAITED = 0.5
"""How often a test waits until the killed are ready before it kills again."""
PATIENCE = 240.0
"""Seconds until what was killed has read all again that it must, beside all the others."""
RULES = {"OFFER_MINUTES": "0.025", "ESCALATE_MINUTES": "0.01"}
"""Offers expire after 1.5 s, pools ask the one above after 0.6 s."""


@pytest.fixture(autouse=True)
def _rules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in RULES.items():
        monkeypatch.setenv(f"YIZHAN_{name}", value)


@pytest.mark.timeout(1200)
def test_services_killed_again_and_again_count_every_acknowledged_fact_once_and_book_nobody_twice(
    nodes: Nodes, tmp_path: Path, dice: Random, tell: Tell
) -> None:
    site = Site(tmp_path, nodes.bus)
    parts = intake, *_, screens = site.parts()
    with (
        running(site, *parts),
        Wall(screens.url, "hub", dice) as wall,
        Flow(lambda: intake.url, site.key, nodes.bus, dice, most=200, rest=REST) as flow,
        Asks(nodes.bus, intake.url, site.key, dice) as asks,
    ):
        began = time.monotonic()
        killed = disturb(parts, flow, dice)
        while flow.ledger.acknowledged < FACTS:
            until(flow.more(1000))
        seconds = time.monotonic() - began
        ledger, acknowledged = flow.end(), asks.end()
        figures = whole(site, screens.url, ledger, acknowledged, dice)
        until(
            lambda: wall.shows(snapshot(screens.url)), lambda: wall.differs(snapshot(screens.url))
        )
    tell("killed", **killed, seconds=f"{seconds:.0f}", **figures)
    tell("asks through intake", **asks.posted)
    tell("a wall", **wall.figures)
    assert all(killed.values()), killed
    assert len(acknowledged) > 500
    for told in ("taken", "posted_again"):
        assert asks.posted[told] > 0, "intake was never killed under asks"
    for told in ("resumed", "begun_anew"):
        assert wall.figures[told] > 0, f"no wall has ever {told.replace('_', ' ')}"


def disturb(parts: Sequence[Process], flow: Flow, dice: Random) -> dict[str, int]:
    """Kill one to four services at a time, and wait for them or go on at once; tell how many.

    The kills are spread over all facts.
    """
    killed = dict.fromkeys((part.name for part in parts), 0)
    planned = rounds(parts, dice)
    for number, victims in enumerate(planned):
        goal = int(FACTS * (number + dice.random()) / len(planned))
        until(flow.more(max(dice.randint(*BETWEEN), goal - flow.ledger.acknowledged)))
        for victim in victims:
            assert victim.process.poll() is None, f"ended by itself: {victim.said()}"
            victim.kill()
            killed[victim.name] += 1
        for victim in victims:
            victim.start()
        for victim in victims if dice.random() < WAITED else ():
            victim.until_ready(PATIENCE)
    for part in parts:
        part.until_ready(PATIENCE)
    return killed


def rounds(parts: Sequence[Process], dice: Random) -> list[list[Process]]:
    """Draw who is killed together, so that each of them is killed at least once."""
    drawn: list[list[Process]] = []
    while (left := KILLS - sum(map(len, drawn))) > 0:
        drawn.append(dice.sample(parts, min(dice.randint(1, len(parts)), left)))
    return drawn if {*chain(*drawn)} == {*parts} else rounds(parts, dice)
