"""Two of three Kafka nodes down: nothing is promised, nothing is lost, nobody needs a restart."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.faults.agree import whole
from tests.faults.asks import Asks
from tests.faults.conftest import LONG, Tell
from tests.faults.ledger import Flow
from tests.faults.nodes import COPIES, Nodes
from tests.faults.probe import Probe, shown, standing
from tests.faults.site import Site, running
from tests.system import web
from tests.system.process import Process, until, yizhan

DARK = 120.0 if LONG else 25.0
"""Seconds in which only one node is there, at least: until all have asked in the dark."""
LATE = 20.0
"""Seconds within which every post has an answer: intake gives up after 10, if it has time to."""
READY = 120.0
"""Seconds within which all that was held back is read, beside everything that comes meanwhile."""
UNDER_WAY = 1.0
"""Seconds in which what the second node took before it died may still be answered."""


@pytest.mark.timeout(900)
def test_without_a_majority_no_post_gets_202_and_after_it_all_that_was_held_back_is_counted(
    nodes: Nodes, tmp_path: Path, dice: Random, tell: Tell
) -> None:
    site = Site(tmp_path, nodes.bus)
    parts = intake, *_, screens = site.parts()
    first, second, _ = dice.sample(range(1, COPIES + 1), COPIES)
    with (
        running(site, *parts),
        Flow(lambda: intake.url, site.key, nodes.bus, dice, rest=0.2) as flow,
        Asks(nodes.bus, intake.url, site.key, dice) as asks,
        ExitStack() as probing,
    ):
        probes = [
            probing.enter_context(Probe(intake.url, site.key, number))
            for number in dice.sample(range(12), 4)
        ]
        one_down(nodes, first, probes, screens, tell)
        seen = asks.decided
        until(lambda: asks.decided > seen)

        nodes.kill(second)
        began = time.monotonic()
        most = flow.under_way + flow.ledger.acknowledged
        dark(began, probes, parts, flow, asks, tell)
        assert flow.ledger.acknowledged <= most, "more than what was under way was acknowledged"

        healing = time.monotonic()
        nodes.start()
        healed(healing, probes, parts, tell)
        probing.close()
        figures = whole(site, screens.url, flow.end(), asks.end(), dice)
    probed = asyncio.run(standing(nodes.bus, [a for probe in probes for a in probe.taken]))
    tell("in the end", probed=probed, **figures)
    tell("asks through intake", **asks.posted)


def one_down(
    nodes: Nodes, number: int, probes: Sequence[Probe], screens: Process, tell: Tell
) -> None:
    """Kill one node: all goes on, and who starts just then finds the log."""
    killed = time.monotonic()
    nodes.kill(number)
    with ThreadPoolExecutor(1) as beside:
        described = beside.submit(yizhan, "topics", "describe", "--bus", nodes.bus)
        taken = [probe.first(killed) for probe in probes]
        for answer in taken:
            until(shown(screens.url, answer))
        counted = time.monotonic() - killed
    seconds = max(answer.came for answer in taken) - killed
    assert described.result().returncode == 0, described.result().stderr
    tell("one node down", all_taken=f"{seconds:.1f} s", counted=f"{counted:.1f} s")


def dark(  # noqa: PLR0917  # all that is looked at
    began: float,
    probes: Sequence[Probe],
    parts: Sequence[Process],
    flow: Flow,
    asks: Asks,
    tell: Tell,
) -> None:
    """Hold out while there is no majority: nothing is taken, and everybody says so."""
    until(lambda: missing(parts[0]) != {})
    unready = time.monotonic() - began
    until(lambda: time.monotonic() > began + UNDER_WAY)
    acknowledged = flow.ledger.acknowledged, asks.asked
    until(
        lambda: time.monotonic() > began + DARK and all(probe.since(began) for probe in probes),
        lambda: "somebody still waits",
        # For what was under way when it grew dark, and for what was sent next.
        within=DARK + 2 * LATE,
    )
    answers = [answer for probe in probes for answer in probe.since(began)]
    assert {answer.status for answer in answers} == {503}, "something was promised"
    assert all(answer.retry_after for answer in answers)
    assert max(answer.seconds for answer in answers) < LATE
    assert (flow.ledger.acknowledged, asks.asked) == acknowledged, "something was acknowledged"
    for part in parts:
        assert part.process.poll() is None, part.said()
        assert web.get(f"{part.url}/livez").is_success
        assert missing(part), f"{part.name} says that it is ready"
        print(f"{part.name}: {missing(part)}")
    times = sorted(answer.seconds for answer in answers)
    tell(
        "two nodes down",
        seconds=f"{time.monotonic() - began:.0f}",
        refused=len(answers),
        median_answer=f"{times[len(times) // 2]:.3f} s",
        longest_answer=f"{times[-1]:.1f} s",
        intake_unready_after=f"{unready:.1f} s",
    )


def healed(healing: float, probes: Sequence[Probe], parts: Sequence[Process], tell: Tell) -> None:
    """All is taken and everybody is ready again, and nobody was started anew."""
    up = time.monotonic()
    for probe in probes:
        probe.first(up)
    taken = time.monotonic() - up
    for part in parts:
        part.until_ready(READY)
    ready = time.monotonic() - up
    tell("healed", nodes_up=f"{up - healing:.1f} s", taken=f"{taken:.1f} s", ready=f"{ready:.1f} s")


def missing(part: Process) -> dict[str, str]:
    """Return what a service says is not ready."""
    return dict(web.get(f"{part.url}/readyz", timeout=10.0).json()["missing"])
