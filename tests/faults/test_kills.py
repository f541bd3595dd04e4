"""Services killed with -9 again and again, on three nodes, under load from two sides."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.faults.agree import agrees, audited, decided, kept
from tests.faults.asks import Asks
from tests.faults.conftest import LONG, Tell
from tests.faults.ledger import Flow
from tests.faults.nodes import Nodes
from tests.faults.site import Site, running
from tests.system.process import Process, until

KILLS = 50 if LONG else 20
FACTS = 100_000 if LONG else 20_000
REST = 0.5
"""Seconds between two batches of a client: together up to 800 facts a second."""
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
        Flow(lambda: intake.url, site.key, nodes.bus, dice, most=200, rest=REST) as flow,
        Asks(nodes.bus, dice) as asks,
    ):
        began = time.monotonic()
        killed = disturb(parts, flow, dice)
        while flow.ledger.acknowledged < FACTS:
            until(flow.more(1000))
        seconds = time.monotonic() - began
        ledger, asked = flow.end(), asks.end()
        figures = asyncio.run(decided(nodes.bus)).figures
        cells = agrees(screens.url, ledger)
        audited(nodes.bus)
    statements = asyncio.run(kept(nodes.bus, ledger))
    assert figures["asks"] > 500
    tell(
        "killed",
        **killed,
        seconds=f"{seconds:.0f}",
        acknowledged=ledger.acknowledged,
        sent_again=ledger.repeated,
        statements=statements,
        cells=cells,
        asked=asked,
        decided=figures["asks"],
        offers=figures["match.offered"],
    )


def disturb(parts: Sequence[Process], flow: Flow, dice: Random) -> dict[str, int]:
    """Kill one to four services at a time, and wait for them or go on at once; tell how many."""
    killed = dict.fromkeys((part.name for part in parts), 0)
    while (left := KILLS - sum(killed.values())) > 0:
        until(flow.more(dice.randint(200, FACTS // KILLS)))
        victims = dice.sample(parts, min(dice.randint(1, len(parts)), left))
        for victim in victims:
            victim.kill()
            killed[victim.name] += 1
        for victim in victims:
            victim.start()
        for victim in victims if dice.random() < WAITED else ():
            victim.until_ready(PATIENCE)
    for part in parts:
        part.until_ready(PATIENCE)
    return killed
