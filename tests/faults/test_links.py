"""Bad links between services and brokers: all or nothing, nobody stuck, whole again by itself."""

import asyncio
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

import bus
from schemas.topics import ASSIGNMENTS, COUNTERS
from tests.faults import writers
from tests.faults.agree import agrees, audited, decided, kept
from tests.faults.conftest import LONG, Tell
from tests.faults.flushes import flushed
from tests.faults.keeper import Keeper, settled
from tests.faults.ledger import Flow
from tests.faults.nodes import Nodes
from tests.faults.proxy import HOLE, WHOLE, Links
from tests.faults.site import INTAKE, PARTS, SCREENS, Site, running
from tests.faults.strikes import Strike, Turns, turns
from tests.faults.witness import Witness
from tests.matching.crowd import Crowd, crowded
from tests.system.process import SOON, Process, until

BOUND = 60.0
"""Seconds after which a process that has not recovered counts as stuck."""


def told_to_end(*parts: Process) -> float:
    """End processes with SIGTERM, whatever has become of their links; return after how long."""
    began = time.monotonic()
    for part in parts:
        part.process.send_signal(signal.SIGTERM)
    for part in parts:
        assert part.process.wait(BOUND) == 0, part.said()
    return time.monotonic() - began


def gone(part: Process) -> None:
    """Leave nothing of a process."""
    if part.process.poll() is None:
        part.kill()


def in_a_hole(links: Links, parts: list[Process]) -> tuple[float, float]:
    """Check that in a black hole who is told to end does, and who starts gives up and says so.

    Returns after how many seconds the last of them did.
    """
    links.set(HOLE)
    end = told_to_end(*parts)
    began = time.monotonic()
    for part in parts:
        part.start()
    for part in parts:
        assert part.process.wait(BOUND) != 0, part.said()
        part.sound()
    return end, time.monotonic() - began


def address(nodes: Nodes, far: bool) -> str:  # noqa: FBT001  # near or far, nothing else
    """Return where the brokers are, through the links or past them."""
    return nodes.outside if far else nodes.bus


@dataclass
class Ground:
    """A site whose services come through the links or past them, each as it is told."""

    nodes: Nodes
    site: Site
    parts: dict[str, Process]
    witness: Witness
    keeper: Keeper
    left: ExitStack
    far: tuple[str, ...]
    tell: Tell
    stalls: dict[str, float] = field(default_factory=dict)
    endings: list[float] = field(default_factory=list)

    def place(self, far: tuple[str, ...]) -> None:
        """Let only these come through the links."""
        for name, part in self.parts.items():
            if (name in far) != (name in self.far):
                self.parts[name] = self.site.part(name, bus=address(self.nodes, name in far))
                with self.keeper.away(part, instead=self.parts[name]):
                    self.endings.append(told_to_end(part))
                    self.parts[name].start()
                    self.left.callback(gone, self.parts[name])
        self.far = far
        settled(self.parts.values(), within=SOON)
        self.witness.counted(self.parts[INTAKE], self.parts[SCREENS])

    def endure(self, crowd: Crowd, strike: Strike) -> None:
        """Let a strike fall; everything must serve again in time, by itself."""
        strike.fall(self.nodes.links)
        began, asked = time.monotonic(), dict(crowd.written)
        settled(self.parts.values())
        ready = time.monotonic() - began
        self.witness.counted(self.parts[INTAKE], self.parts[SCREENS])
        counted = time.monotonic() - began
        until(lambda: all(crowd.decided.get(place, 0) >= end for place, end in asked.items()))
        stall = time.monotonic() - began
        after = f"ready after {ready:.1f} s, counted {counted:.1f}, decided {stall:.1f}"
        self.tell(f"{strike}, through the links {' '.join(self.far)}: {after}")
        self.stalls[strike.kind] = max(stall, self.stalls.get(strike.kind, 0.0))
        assert stall < BOUND, f"{strike}: {stall:.0f} seconds"


@pytest.fixture(autouse=True)
def _rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIZHAN_OFFER_MINUTES", "0.05")
    monkeypatch.setenv("YIZHAN_ESCALATE_MINUTES", "0.02")


@pytest.mark.timeout(3600 if LONG else 900)
def test_bad_links_leave_every_step_whole_and_nobody_stuck(
    nodes: Nodes, tmp_path: Path, dice: Random, tell: Tell
) -> None:
    site = Site(tmp_path, nodes.bus)
    planned = turns(dice)
    first = next(iter(planned))
    parts = {name: site.part(name, bus=address(nodes, name in first)) for name in PARTS}
    witness = Witness(site.key, f"witness{dice.getrandbits(30)}")
    with running(site, *parts.values()), ExitStack() as left:
        with (
            Keeper(*parts.values()) as keeper,
            Flow(lambda: parts[INTAKE].url, site.key, nodes.bus, dice, clients=1, most=8) as flow,
        ):
            ground = Ground(nodes, site, parts, witness, keeper, left, first, tell)
            struck = _under_a_crowd(dice, ground, planned)
            ledger = flow.end()
            ledger.standing |= witness.ledger.standing
            ledger.statements |= witness.ledger.statements
            cells = agrees(parts[SCREENS].url, ledger)
            audited(nodes.bus)
        end, start = in_a_hole(nodes.links, list(parts.values()))
        nodes.links.set(WHOLE)
    statements = asyncio.run(kept(nodes.bus, ledger))
    marks = flushed(nodes.bus)
    nodes.whole()
    deciding, counting = (writers.told(nodes.data, topic) for topic in (ASSIGNMENTS, COUNTERS))
    figures = asyncio.run(decided(nodes.bus)).figures
    tell(
        "links",
        strikes=struck,
        acknowledged=ledger.acknowledged,
        cells=cells,
        kept=statements,
        flushes=marks,
        steps=figures["steps"],
        asks=figures["asks"],
        undone=f"{deciding.aborted} decisions, {counting.aborted} rows and marks",
        ended=keeper.ended,
        silent=f"{keeper.silence:.1f} s",
        told_to_end=f"gone after {max(ground.endings, default=0.0):.1f} s, in a hole {end:.1f} s",
        started_in_a_hole=f"given up after {start:.1f} s",
        **{f"whole after {kind}": f"{stall:.1f} s" for kind, stall in ground.stalls.items()},
    )
    assert min(deciding.aborted, counting.aborted) > 0, "no commit was ever lost on its way"
    assert keeper.silence < BOUND
    assert 0 not in keeper.ended


def _under_a_crowd(dice: Random, ground: Ground, planned: Turns) -> int:
    """Let strikes fall while a crowd asks past all links; return how many, once all is decided."""

    def strike(crowd: Crowd) -> None:
        for far, strikes in planned.items():
            ground.place(far)
            for one in strikes:
                ground.endure(crowd, one)

    async def ask() -> None:
        async with bus.connect(ground.nodes.bus) as opened:
            await crowded(opened, dice.getrandbits(30), strike, quiet=5.0)

    asyncio.run(ask())
    return sum(len(strikes) for strikes in planned.values())
