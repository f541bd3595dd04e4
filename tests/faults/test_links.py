"""Bad links between services and brokers: all or nothing, nobody stuck, whole again by itself."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

import bus
from tests.faults.agree import agrees, audited, decided, kept
from tests.faults.conftest import LONG, Tell
from tests.faults.flushes import flushed
from tests.faults.keeper import Keeper, settled
from tests.faults.ledger import Flow
from tests.faults.nodes import Nodes
from tests.faults.proxy import (
    ADD_PARTITIONS,
    END_TRANSACTION,
    FETCH,
    HOLE,
    PRODUCE,
    WHOLE,
    Fault,
    Links,
)
from tests.faults.site import INTAKE, MATCHING, PARTS, SCREENS, STATS, Site, running
from tests.faults.witness import Witness
from tests.matching.crowd import Crowd, crowded
from tests.system.process import SOON, Process, until

KINDS = {
    "cut": Fault(cut=True),
    "late": Fault(late=2.0),
    "deaf": Fault(deaf=True),
    "mute": Fault(mute=True),
    "hole": HOLE,
    "trickle": Fault(pace=2000),
}
COMMIT = (END_TRANSACTION, ADD_PARTITIONS, PRODUCE, FETCH)
ALONE = {(STATS,): COMMIT, (MATCHING,): COMMIT}
LONGER = {(INTAKE,): (PRODUCE, FETCH), (SCREENS,): (FETCH,)}
"""Who comes through the links, and in which of their requests the links fail."""
EACH = 3 if LONG else 1
"""How often each kind comes when all are behind the links; alone: so often any kind."""
LONGEST = 40.0 if LONG else 12.0
"""Seconds that a fault lasts: longer than one request may take, and than a session."""
BOUND = 60.0
"""Seconds after which a process that has not recovered counts as stuck."""


class Strike(NamedTuple):
    """One fault: its kind, the request it comes in (None: at any moment), and its seconds."""

    kind: str
    request: int | None
    after: int
    seconds: float

    def fall(self, links: Links) -> None:
        """Let it fall, last, and be over."""
        if self.request is None:
            links.set(KINDS[self.kind])
        else:
            links.once(self.request, KINDS[self.kind], self.after)
            until(lambda: links.struck, lambda: f"never asked: {self}")
        until(passed(self.seconds))
        links.set(WHOLE)


def rounds(dice: Random) -> dict[tuple[str, ...], tuple[int, ...]]:
    """Return who comes through the links in which round: some service alone, in the end all."""
    alone = ALONE | LONGER if LONG else dict([dice.choice(list(ALONE.items()))])
    return alone | {PARTS: COMMIT}


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
    return end, time.monotonic() - began


def address(nodes: Nodes, far: bool) -> str:  # noqa: FBT001  # near or far, nothing else
    """Return where the brokers are, through the links or past them."""
    return nodes.outside if far else nodes.bus


def passed(seconds: float) -> Callable[[], bool]:
    """Return what tells whether so many seconds have passed; a fault has no other end."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def strikes(dice: Random, requests: tuple[int, ...], *kinds: str) -> Iterator[Strike]:
    """Yield one strike of each kind, in the requests one after another and at any moment."""
    asked = [*requests, None]
    for n, kind in enumerate(kinds):
        yield Strike(kind, asked[n % len(asked)], dice.randint(0, 9), dice.uniform(1, LONGEST))


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
        print(f"{strike}: ready after {ready:.1f} s, counted {counted:.1f}, decided {stall:.1f}")
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
    turns = rounds(dice)
    first = next(iter(turns))
    parts = {name: site.part(name, bus=address(nodes, name in first)) for name in PARTS}
    witness = Witness(site.key, f"witness{dice.getrandbits(30)}")
    with running(site, *parts.values()), ExitStack() as left:
        with (
            Keeper(*parts.values()) as keeper,
            Flow(lambda: parts[INTAKE].url, site.key, nodes.bus, dice, clients=1, most=8) as flow,
        ):
            ground = Ground(nodes, site, parts, witness, keeper, left, first)
            struck = _under_a_crowd(dice, ground, turns)
            ledger = flow.end()
            ledger.standing |= witness.ledger.standing
            ledger.statements |= witness.ledger.statements
            cells = agrees(parts[SCREENS].url, ledger)
            audited(nodes.bus)
        end, start = in_a_hole(nodes.links, list(parts.values()))
        nodes.links.set(WHOLE)
    statements = asyncio.run(kept(nodes.bus, ledger))
    marks = flushed(nodes.bus)
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
        ended=keeper.ended,
        silent=f"{keeper.silence:.1f} s",
        told_to_end=f"gone after {max(ground.endings):.1f} s, in a hole {end:.1f} s",
        started_in_a_hole=f"given up after {start:.1f} s",
        **{f"whole after {kind}": f"{stall:.1f} s" for kind, stall in ground.stalls.items()},
    )
    assert keeper.silence < BOUND
    assert 0 not in keeper.ended


def _under_a_crowd(
    dice: Random, ground: Ground, turns: dict[tuple[str, ...], tuple[int, ...]]
) -> int:
    """Let strikes fall while a crowd asks past all links; return how many, once all is decided."""
    struck = 0

    def strike(crowd: Crowd) -> None:
        nonlocal struck
        for far, requests in turns.items():
            ground.place(far)
            kinds = list(KINDS) * EACH if far == PARTS else dice.sample([*KINDS], EACH)
            dice.shuffle(kinds)
            for one in strikes(dice, requests, *kinds):
                ground.endure(crowd, one)
                struck += 1

    async def ask() -> None:
        async with bus.connect(ground.nodes.bus) as opened:
            await crowded(opened, dice.getrandbits(30), strike, quiet=5.0)

    asyncio.run(ask())
    return struck
