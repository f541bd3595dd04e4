"""Services killed with -9 again and again, on three nodes, under load from two sides."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from tests.faults.agree import agrees, audited, kept
from tests.faults.conftest import LONG, Tell
from tests.faults.ledger import Flow
from tests.faults.nodes import Nodes
from tests.faults.site import Site, running
from tests.system.process import until

KILLS = 50 if LONG else 20


@pytest.mark.timeout(900)
def test_services_killed_fifty_times_count_every_acknowledged_fact_once(
    nodes: Nodes, tmp_path: Path, dice: Random, tell: Tell
) -> None:
    site = Site(tmp_path, nodes.bus)
    parts = intake, *_, screens = site.parts()
    with running(site, *parts), Flow(lambda: intake.url, site.key, nodes.bus, dice) as flow:
        for _ in range(KILLS):
            until(flow.more(dice.randint(50, 500)))
            victim = dice.choice(parts)
            victim.kill()
            victim.start()
            victim.until_ready()
        ledger = flow.end()
        cells = agrees(screens.url, ledger)
        audited(nodes.bus)
    statements = asyncio.run(kept(nodes.bus, ledger))
    tell("killed", kills=KILLS, acknowledged=ledger.acknowledged, cells=cells, kept=statements)
