"""Matchers killed and frozen again and again under a crowd: the log says they decided once."""

import signal
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Event

import pytest

import bus
from schemas.topics import ASSIGNMENTS, REFERRALS, REQUESTS
from tests.matching.crowd import POOLS, Crowd, crowded
from tests.matching.reader import Found, check
from tests.matching.running import events
from tests.system.process import Process, processes, until, yizhan

DISTURBANCES = 20
FROZEN = 7.5
"""Seconds, longer than a silent member stays in its group."""
RULES = {"OFFER_MINUTES": "0.025", "ESCALATE_MINUTES": "0.01"}


@pytest.fixture(autouse=True)
def _rules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in RULES.items():
        monkeypatch.setenv(f"YIZHAN_{name}", value)


def disturbed(victims: Sequence[Process], seed: int, frozen: float) -> Callable[[Crowd], None]:
    """Return what kills or freezes these at random moments, and starts them again."""

    def disturb(crowd: Crowd) -> None:
        dice = Random(seed)
        for _ in range(DISTURBANCES):
            goal = len(crowd.asked) + dice.randint(5, 80)
            until(lambda goal=goal: len(crowd.asked) >= goal)  # type: ignore[misc]
            victim = dice.choice(victims)
            if dice.random() < frozen:
                _freeze(victim)
            else:
                victim.kill()
            if victim.process.poll() is not None:
                victim.start()
            if dice.random() < 0.4:
                victim.until_ready()
        for victim in victims:
            _alive(victim)

    return disturb


def _freeze(victim: Process) -> None:
    """Stop it for so long that others take over; thawed it may go on, or end as one fenced."""
    victim.process.send_signal(signal.SIGSTOP)
    Event().wait(FROZEN)
    victim.process.send_signal(signal.SIGCONT)
    until(lambda: victim.process.poll() is not None or victim._ready())


def _alive(victim: Process) -> None:
    if victim.process.poll() is not None:
        victim.start()
    victim.until_ready()


async def decided(url: str, victims: Sequence[Process], seed: int, frozen: float) -> Found:
    """Let a crowd ask while all that goes on; return what an independent reader found."""
    async with bus.connect(url) as log:
        await crowded(log, seed, disturbed(victims, seed, frozen), quiet=5.0)
        found = await check(log, datetime.now(UTC))
    print(f"{DISTURBANCES} disturbances, {dict(sorted(found.figures.items()))}")
    assert found.figures["asks"] > 500
    assert found.figures["request.escalated"] > 20
    return found


async def silent(url: str, victims: Sequence[Process]) -> None:
    """A matcher that takes over afterwards writes nothing."""
    async with bus.connect(url) as log:
        before = await written(log)
        for victim in victims:
            victim.kill()
        victims[0].start()
        victims[0].until_ready()
        assert await written(log) - before == Counter()


async def written(log: bus.Bus) -> Counter[str]:
    """Return everything that matching has said."""
    said = [*await events(log, ASSIGNMENTS), *await events(log, REFERRALS)]
    return Counter(f"{e.kind.name} {e.subject} {e.data.model_dump_json()}" for e in said)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_hub_killed_twenty_times_decides_every_ask_once_and_books_nobody_twice(
    tmp_path: Path,
) -> None:
    hub = Process(tmp_path / "data", "up")
    url = f"sqlite:///{hub.data / 'log.db'}"
    with processes(hub):
        await decided(url, [hub], seed=1, frozen=0)
        await silent(url, [hub])


@pytest.mark.slow
@pytest.mark.timeout(500)
async def test_matchers_killed_and_frozen_on_kafka_decide_every_ask_once_and_book_nobody_twice(
    own_kafka: str, tmp_path: Path
) -> None:
    url = f"kafka://{own_kafka}"
    assert yizhan("topics", "create", "--bus", url).returncode == 0
    assert len({REQUESTS.partition(pool, 12) for pool in POOLS}) == len(POOLS)
    two = [Process(tmp_path / name / "data", "matching", bus=url) for name in ("one", "two")]
    for victim in two:
        victim.data.mkdir(parents=True)
    with processes(*two):
        await decided(url, two, seed=2, frozen=0.2)
        await silent(url, two)
