"""Killed with -9 again and again under load: what was acknowledged is counted once."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from tests.system.load import STATIONS, Client, Ledger
from tests.system.meanwhile import meanwhile
from tests.system.people import measures, register
from tests.system.process import Process, processes, until, yizhan

KILLS = 20
CLIENTS = 6
PARTS = ("intake", "stats", "screens")
NAMES = ("services_delivered", "enterprises_served")


async def load(url: str, key: str, disturb: Callable[[Ledger], None]) -> Ledger:
    """Send load while `disturb` runs; return the ledger once everything is acknowledged."""
    ledger, stop = Ledger(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for n in range(CLIENTS):
            client = Client(lambda: url, key, f"c{n}", ledger)
            tasks.create_task(client.run(stop))
        await meanwhile(disturb, ledger)
        stop.set()
    return ledger


def kill_in_turn(victims: Sequence[Process], seed: int) -> Callable[[Ledger], None]:
    """Return what kills each process in turn at random moments, and starts it again."""

    def disturb(ledger: Ledger) -> None:
        rng = Random(seed)
        for n in range(KILLS):
            until(_more(ledger, rng.randint(5, 150)))
            victims[n % len(victims)].kill()
            victims[n % len(victims)].start()
            victims[n % len(victims)].until_ready()

    return disturb


def _more(ledger: Ledger, facts: int) -> Callable[[], bool]:
    goal = ledger.acknowledged + facts
    return lambda: ledger.acknowledged >= goal


def agrees(url: str, ledger: Ledger) -> None:
    """Check every station and hub against the ledger; counters follow within moments."""
    for node in ("hub", *STATIONS):
        shows(url, node, "all", ledger.measures(node))


def shows(url: str, node: str, period: str, expected: dict[str, int]) -> None:
    """Wait until a node's counters of a period are what is expected."""

    def shown() -> dict[str, int]:
        return measures(url, node, *NAMES, period=period)

    until(
        lambda: shown() == expected, lambda: f"{node}, {period}: {shown()}, expected is {expected}"
    )


@pytest.mark.timeout(400)
def test_a_hub_killed_twenty_times_counts_every_acknowledged_fact_once(tmp_path: Path) -> None:
    hub = Process(tmp_path / "data", "up")
    with processes(hub):
        key = (hub.data / "admin.key").read_text().strip()
        register(hub.url, key, *STATIONS)
        ledger = asyncio.run(load(hub.url, key, kill_in_turn([hub], seed=1)))
        agrees(hub.url, ledger)
        print(f"{KILLS} kills, {ledger.acknowledged} acknowledged, {ledger.repeated} sent again")
        assert hub.end() == 0
    report = yizhan("audit", "--data", str(hub.data), "--json")
    assert report.returncode == 0, report.stdout
    assert json.loads(report.stdout)["drift"] is False


@pytest.mark.timeout(600)
def test_separate_processes_on_kafka_killed_in_turn_count_every_acknowledged_fact_once(
    own_kafka: str, tmp_path: Path
) -> None:
    bus = f"kafka://{own_kafka}"
    assert yizhan("topics", "create", "--bus", bus).returncode == 0
    data = tmp_path / "data"
    intake, stats, screens = (Process(data, part, bus=bus) for part in PARTS)
    key = yizhan("keys", "issue", "--role", "admin", "--data", str(data)).stdout.strip()
    with processes(intake, stats, screens):
        register(intake.url, key, *STATIONS)
        ledger = asyncio.run(load(intake.url, key, kill_in_turn([stats, screens, intake], seed=2)))
        agrees(screens.url, ledger)
        print(f"{KILLS} kills, {ledger.acknowledged} acknowledged, {ledger.repeated} sent again")
        assert yizhan("audit", "--bus", bus).returncode == 0
