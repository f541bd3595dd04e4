"""Brokers killed with -9 under load: the leader of a busy partition, and the coordinators."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bus.port import Partition
from schemas.topics import RESULTS
from tests.faults.agree import whole
from tests.faults.asks import Asks
from tests.faults.conftest import LONG, Tell
from tests.faults.ledger import Flow
from tests.faults.nodes import Nodes
from tests.faults.probe import PARTITIONS, Answer, Probe, shown, standing
from tests.faults.site import Site, running
from tests.system.process import Process, until

Find = Callable[[Nodes, Partition], int]
"""Finds the node to kill."""
VICTIMS: dict[str, Find] = {
    "leader": lambda nodes, place: nodes.leader(place),
    "coordinator of the partition's transactions": lambda nodes, place: nodes.coordinator(
        f"stats-{place.topic}-{place.number}", transactions=True
    ),
    "coordinator of the group stats": lambda nodes, _: nodes.coordinator("stats"),
}
LEADER, TRANSACTIONS, GROUP = VICTIMS
KILLED = (
    (LEADER, TRANSACTIONS, LEADER, GROUP, LEADER, LEADER, LEADER)
    if LONG
    else (LEADER, TRANSACTIONS, LEADER, LEADER)
)


@pytest.mark.timeout(1200)
def test_a_killed_leader_costs_no_acknowledged_fact_and_what_is_not_kept_gets_503(
    nodes: Nodes, tmp_path: Path, dice: Random, tell: Tell
) -> None:
    site = Site(tmp_path, nodes.bus)
    parts = intake, *_, screens = site.parts()
    answers: list[Answer] = []
    with (
        running(site, *parts),
        Flow(lambda: intake.url, site.key, nodes.bus, dice, rest=0.2) as flow,
        Asks(nodes.bus, intake.url, site.key, dice) as asks,
    ):
        for name in KILLED:
            place = Partition(RESULTS.name, dice.randrange(PARTITIONS))
            with Probe(intake.url, site.key, place.number) as probe:
                tell(name, **lost(nodes, VICTIMS[name](nodes, place), probe, screens))
            answers += probe.answers
        assert all(part.process.poll() is None for part in parts), "somebody has ended"
        figures = whole(site, screens.url, flow.end(), asks.end(), dice)
    taken = [answer for answer in answers if answer.status == 202]
    refused = [answer for answer in answers if answer.status == 503]
    probed = asyncio.run(standing(nodes.bus, taken))
    tell("killed", kills=len(KILLED), probed=probed, refused=len(refused), **figures)
    tell("asks through intake", **asks.posted)
    assert refused, "no leader was missed by anybody"


def lost(nodes: Nodes, victim: int, probe: Probe, screens: Process) -> dict[str, str]:
    """Kill a node and start it again; tell in seconds when posts and counters went on."""
    probe.first(time.monotonic())
    killed = time.monotonic()
    nodes.kill(victim)
    first = probe.first(killed)
    until(shown(screens.url, first))
    counted = time.monotonic()
    nodes.start()
    nodes.whole()
    refused = [answer for answer in probe.since(killed) if answer.status == 503]
    assert all(answer.retry_after for answer in refused)
    found = {
        "first_202": first.came - killed,
        "counted": counted - killed,
        "longest_answer": max(answer.seconds for answer in probe.since(killed)),
        "all_copies_whole": time.monotonic() - killed,
    }
    return {
        "node": f"{victim}",
        **{what: f"{seconds:.1f} s" for what, seconds in found.items()},
        "refused": f"{len(refused)}",
    }
