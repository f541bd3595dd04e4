"""Asks that cross what the clock does: one verdict each, and nothing stays reserved for ever."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

import bus
from bus import Record
from tests.faults import books
from tests.faults.callers import COUNTIES, Callers, repeated
from tests.faults.conftest import LONG, Tell
from tests.faults.nodes import Nodes
from tests.faults.site import INTAKE, MATCHING, SCREENS, Site, running
from tests.matching.crowd import ABOVE, POOLS, Crowd
from tests.matching.reader import Found, check
from tests.matching.running import record
from tests.system.process import Process

RULES = {"OFFER_MINUTES": "0.1", "ESCALATE_MINUTES": "0.05"}
"""Long enough that who is offered something hears of it in time, also on a slow machine."""
CROSSINGS = 400 if LONG else 40
"""Of each kind, without kills and as many with kills."""
EXPIRY = ("accept crossing expiry: moved", "accept crossing expiry: refused")
ESCALATION = ("cancel crossing escalation: before it", "cancel crossing escalation: after it")
"""Both sides of a moment, as callers call them."""
LINES = 8
"""So many people call at once about each kind."""
PAUSES = (1.0, 4.0)
"""Seconds between two kills."""


@pytest.mark.timeout(1500)
def test_an_ask_that_crosses_the_clock_has_one_verdict_and_nothing_stays_reserved(
    nodes: Nodes, tmp_path: Path, dice: Random, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in RULES.items():
        monkeypatch.setenv(f"YIZHAN_{name}", value)
    site = Site(tmp_path, nodes.bus)
    intake, screens = site.parts(INTAKE, SCREENS)
    matchers = [site.part(MATCHING), site.part(MATCHING, 1)]
    with running(site, intake, screens, *matchers):
        found, calm, rough, kills = asyncio.run(
            _crossed(site, intake.url, screens.url, matchers, dice)
        )
    tell("without kills", **calm)
    tell(f"with {kills} kills of matchers", **rough)
    tell("on the log", **found.figures)
    # All has ended: whoever reads what was decided has nobody booked.
    booked = books.merged(asyncio.run(books.replayed(site.bus)), "booked")
    assert not booked, f"reserved for ever: {booked}"
    assert kills > 0
    for told in (*EXPIRY, *ESCALATION):
        assert calm[told] >= CROSSINGS // 10, f"hardly any came on one side of the moment: {calm}"


async def _crossed(
    site: Site, intake: str, screens: str, matchers: Sequence[Process], dice: Random
) -> tuple[Found, Counter[str], Counter[str], int]:
    async with bus.connect(site.bus) as log:
        await log.publish(_registry())
        seen = Crowd(log, dice)
        following = asyncio.create_task(seen.follow())
        told, number = [], 0
        for kills in (False, True):
            callers = Callers(intake, screens, site.key, seen, dice)
            killing = asyncio.create_task(_killed(matchers if kills else (), dice))
            await _calls(callers)
            told.append(callers.figures)
            killing.cancel()
            number = await killing
            for matcher in matchers:
                await asyncio.to_thread(matcher.until_ready)
            await callers.close()
        await seen.quiet(3.0)
        following.cancel()
        return await check(log, datetime.now(UTC)), told[0], told[1], number


async def _calls(callers: Callers) -> None:
    """Let people call on all lines until there were enough of them."""
    async with asyncio.TaskGroup() as city:
        keen = city.create_task(callers.keen())
        async with asyncio.TaskGroup() as tasks:
            for work in (callers.expiry, callers.escalation):
                left = [0] * CROSSINGS
                for _ in range(LINES):
                    tasks.create_task(repeated(work, left))
        keen.cancel()


async def _killed(matchers: Sequence[Process], dice: Random) -> int:
    """Kill one after another until cancelled; return how often."""
    kills = 0
    try:
        while matchers:
            await asyncio.sleep(dice.uniform(*PAUSES))
            victim = dice.choice(matchers)
            assert victim.process.poll() is None, f"ended by itself: {victim.said()}"
            victim.kill()
            kills += 1
            victim.start()
            await asyncio.to_thread(victim.until_ready)
    except asyncio.CancelledError:
        pass
    return kills


def _registry() -> list[Record]:
    """Return the pools; experts for STD everywhere, for CER in the city only."""
    found = [record("node.opened", "hub", name="hub", kind="hub")]
    for pool in POOLS:
        tier = {"xiaogan": "city", "hubei": "province"}.get(pool, "county")
        node = {"kind": "area", "tier": tier, "parent": ABOVE[pool], "name": pool}
        found.append(record("node.opened", pool, **node))
    for pool in (*COUNTIES, "xiaogan"):
        elements = ["CER"] if pool == "xiaogan" else ["STD"]
        found += [
            record("expert.registered", f"{pool}.e{n}", elements=elements, capacity=2)
            for n in range(6)
        ]
    return found
