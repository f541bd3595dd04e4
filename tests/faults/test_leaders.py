"""Brokers lost under load: the leader of a busy partition, and the coordinators.

One that is killed is heard to: others have taken over within 10 s or so, about as long as intake
waits. A frozen one lets everybody wait for its answer, so that some are certain to be told 503.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random

import httpx
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
"""Finds the node to take away."""


def _leader(nodes: Nodes, place: Partition) -> int:
    return nodes.leader(place)


VICTIMS: dict[str, Find] = {
    "leader": _leader,
    "coordinator of the partition's transactions": lambda nodes, place: nodes.coordinator(
        f"stats-{place.topic}-{place.number}", transactions=True
    ),
    "coordinator of the group stats": lambda nodes, _: nodes.coordinator("stats"),
    "leader, frozen": _leader,
}
LEADER, TRANSACTIONS, GROUP, FROZEN = VICTIMS
LOST = (
    (LEADER, TRANSACTIONS, LEADER, GROUP, LEADER, LEADER, LEADER, FROZEN)
    if LONG
    else (LEADER, TRANSACTIONS, LEADER, FROZEN)
)
PROBES = 3
"""So many partitions that the victim leads are probed, if it leads as many."""
LATE = 20.0
"""Seconds within which every post has an answer: intake gives up after 10, if it has time to."""


@pytest.mark.timeout(1200)
def test_a_lost_leader_costs_no_acknowledged_fact_and_what_is_not_kept_gets_503(
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
        for name in LOST:
            place = Partition(RESULTS.name, dice.randrange(PARTITIONS))
            victim = VICTIMS[name](nodes, place)
            led = nodes.led(RESULTS.name, victim) or [place.number]
            with ExitStack() as probing:
                probes = [
                    probing.enter_context(Probe(intake.url, site.key, number))
                    for number in dice.sample(led, min(PROBES, len(led)))
                ]
                tell(name, **lost(nodes, victim, probes, screens, frozen=name == FROZEN))
            answers += [answer for probe in probes for answer in probe.answers]
        assert all(part.process.poll() is None for part in parts), "somebody has ended"
        figures = whole(site, screens.url, flow.end(), asks.end(), dice)
    taken = [answer for answer in answers if answer.status == 202]
    probed = asyncio.run(standing(nodes.bus, taken))
    tell("lost", times=len(LOST), probed=probed, refused=len(refused(answers)), **figures)
    tell("asks through intake", **asks.posted)


def lost(
    nodes: Nodes, victim: int, probes: Sequence[Probe], screens: Process, *, frozen: bool
) -> dict[str, str]:
    """Take a node away and bring it back; tell in seconds when posts and counters went on."""
    _all_taken(probes, time.monotonic())
    gone = time.monotonic()
    (nodes.freeze if frozen else nodes.kill)(victim)
    first = _all_taken(probes, gone)
    for answer in first:
        until(shown(screens.url, answer))
    counted = time.monotonic()
    if frozen:
        nodes.thaw(victim)
    else:
        nodes.start()
    nodes.whole()
    answers = [answer for probe in probes for answer in probe.answers if answer.came > gone]
    assert all(answer.retry_after for answer in refused(answers))
    assert refused(answers) or not frozen, "nobody has missed a leader that did not answer"
    longest = max(answer.seconds for answer in answers)
    assert longest < LATE, f"somebody waited for {longest:.1f} s"
    found = {
        "first_202": min(answer.came for answer in first) - gone,
        "all_202": max(answer.came for answer in first) - gone,
        "counted": counted - gone,
        "longest_answer": longest,
        "all_copies_whole": time.monotonic() - gone,
    }
    return {
        "node": f"{victim}",
        **{what: f"{seconds:.1f} s" for what, seconds in found.items()},
        "refused": f"{len(refused(answers))}",
    }


def _all_taken(probes: Sequence[Probe], moment: float) -> list[Answer]:
    """Return each probe's first 202 to what was sent after a moment; wait for them."""
    return [probe.first(moment) for probe in probes]


def refused(answers: Iterable[Answer]) -> list[Answer]:
    """Return those that were 503."""
    return [answer for answer in answers if answer.status == httpx.codes.SERVICE_UNAVAILABLE]
