"""Disks that are full and folders that are gone: not ready, no false 202, and right afterwards."""

import asyncio
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from deploy import kafka
from tests.faults.conftest import Tell
from tests.faults.site import Site
from tests.system.load import STATIONS, Ledger
from tests.system.people import register
from tests.system.process import Process, processes, until, yizhan
from tests.system.test_kills import agrees, load

T = TypeVar("T")
pytestmark = pytest.mark.timeout(400)


def missing(hub: Process) -> dict[str, str]:
    """What /readyz names while it says no."""
    told = httpx.get(f"{hub.url}/readyz", timeout=10.0)
    found: dict[str, str] = told.json()["missing"]
    return found if told.status_code == 503 else {}


def lacks(hub: Process, word: str) -> Callable[[], bool]:
    return lambda: any(word in why for why in missing(hub).values())


def started(hub: Process) -> tuple[str, str]:
    """Return the address of a hub's log and its administrator's key, once stations are there."""
    key = (hub.data / "admin.key").read_text().strip()
    register(hub.url, key, *STATIONS)
    return f"sqlite:///{hub.data / 'log.db'}", key


class Flow:
    """Load over HTTP, while it flows; what is refused is sent again until it is taken."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def more(self, facts: int) -> None:
        """Wait until so many more are acknowledged."""
        goal = self.ledger.acknowledged + facts
        until(lambda: self.ledger.acknowledged >= goal)

    def refused(self) -> int:
        """Wait until nothing is acknowledged and much sent again; return how often it was not."""
        before = self.ledger.repeated
        until(lambda: self.ledger.repeated > before + 100)
        acknowledged = self.ledger.acknowledged
        until(lambda: self.ledger.repeated > before + 400)
        assert self.ledger.acknowledged == acknowledged
        return self.ledger.repeated - before


def under_load(hub: Process, key: str, disturb: Callable[[Flow], T]) -> tuple[Ledger, T]:
    """Return the ledger of what was acknowledged by the end, and what `disturb` returned."""
    found: list[T] = []
    ledger = asyncio.run(load(hub.url, key, lambda ledger: found.append(disturb(Flow(ledger)))))
    return ledger, found[0]


def audited(log: str) -> None:
    report = yizhan("audit", "--bus", log, "--json")
    assert report.returncode == 0, report.stdout + report.stderr


@contextmanager
def full(hub: Process) -> Iterator[None]:
    """Let none of a process's files grow beyond what the log has now."""
    usual = resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE)
    size = (hub.data / "log.db-wal").stat().st_size
    resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE, (size, usual[1]))
    yield
    if hub.process.poll() is None:
        resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE, usual)


@contextmanager
def disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Mount a small disk, where the system lets this process have one."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(command, check=False).returncode:
        pytest.skip("Nobody may mount a small disk here.")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 MB: a quick machine writes a quarter of that in such a test."""
    with disk(tmp_path / "small", 96) as place:
        yield place


def fill(disk: Path) -> Path:
    """Take all the space that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return ballast
    raise AssertionError("the disk is never full")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can limit another process")
def test_a_log_that_cannot_grow_refuses_until_it_can_and_holds_all_that_it_acknowledged(
    tmp_path: Path, tell: Tell
) -> None:
    hub = Process(tmp_path / "data", "up")
    with processes(hub):
        log, key = started(hub)

        def disturb(flow: Flow) -> int:
            flow.more(300)
            with full(hub):
                refused = flow.refused()
                until(lambda: bool(missing(hub)), hub.said)
            hub.until_ready()
            flow.more(300)
            with full(hub):
                refused += flow.refused()
                hub.kill()
            hub.start()
            hub.until_ready()
            flow.more(100)
            return refused

        ledger, refused = under_load(hub, key, disturb)
        agrees(hub.url, ledger)
        assert hub.end() == 0
    audited(log)
    tell("log full", refused=refused, acknowledged=ledger.acknowledged)


def test_a_full_disk_makes_a_hub_unready_and_space_makes_it_ready_again(
    small: Path, tell: Tell
) -> None:
    hub = Process(small / "data", "up")
    with processes(hub):
        log, key = started(hub)

        def disturb(flow: Flow) -> int:
            flow.more(300)
            ballast = fill(small)
            refused = flow.refused()
            until(lacks(hub, "No space left"), hub.said)
            ballast.unlink()
            hub.until_ready()
            flow.more(300)
            return refused

        ledger, refused = under_load(hub, key, disturb)
        agrees(hub.url, ledger)
        assert hub.end() == 0
    audited(log)
    tell("disk full", refused=refused, acknowledged=ledger.acknowledged)


def test_states_whose_disk_is_full_wait_while_the_log_goes_on_and_then_catch_up(
    small: Path, tmp_path: Path, tell: Tell
) -> None:
    log = f"sqlite:///{tmp_path / 'log.db'}"
    hub = Process(small / "data", "up", bus=log)
    with processes(hub):
        _, key = started(hub)

        def disturb(flow: Flow) -> int:
            flow.more(300)
            ballast = fill(small)
            flow.more(3000)
            until(lacks(hub, "No space left"), hub.said)
            acknowledged = flow.ledger.acknowledged
            ballast.unlink()
            hub.until_ready()
            return acknowledged

        ledger, acknowledged = under_load(hub, key, disturb)
        agrees(hub.url, ledger)
        assert "a state waits for its disk" in hub.said()
        assert hub.end() == 0
    audited(log)
    tell("states' disk full", acknowledged=acknowledged)


def test_a_hub_whose_data_folder_is_moved_away_acknowledges_nothing_until_it_is_back(
    tmp_path: Path, tell: Tell
) -> None:
    hub, away = Process(tmp_path / "data", "up"), tmp_path / "away"
    with processes(hub):
        log, key = started(hub)

        def disturb(flow: Flow) -> int:
            flow.more(300)
            hub.data.rename(away)
            refused = flow.refused()
            until(lacks(hub, "No such file or directory"), hub.said)
            away.rename(hub.data)
            hub.until_ready()
            flow.more(100)
            (hub.data / "log.db-wal").rename(away)
            refused += flow.refused()
            until(lacks(hub, "log.db-wal: moved or deleted"), hub.said)
            away.rename(hub.data / "log.db-wal")
            hub.until_ready()
            flow.more(100)
            return refused

        ledger, refused = under_load(hub, key, disturb)
        agrees(hub.url, ledger)
        assert hub.end() == 0
    audited(log)
    tell("folder gone", refused=refused, acknowledged=ledger.acknowledged)


def test_a_hub_whose_data_folder_was_replaced_ends_and_goes_on_with_what_lies_there(
    tmp_path: Path, tell: Tell
) -> None:
    hub, away = Process(tmp_path / "data", "up"), tmp_path / "away"
    with processes(hub):
        log, key = started(hub)

        def disturb(flow: Flow) -> int:
            flow.more(300)
            hub.data.rename(away)
            refused = flow.refused()
            shutil.copytree(away, hub.data)
            until(lambda: hub.process.poll() is not None, hub.said)
            assert hub.process.returncode == 1
            assert "was replaced while it was open" in hub.said().splitlines()[-1]
            hub.start()
            hub.until_ready()
            return refused

        ledger, refused = under_load(hub, key, disturb)
        agrees(hub.url, ledger)
        assert hub.end() == 0
    audited(log)
    tell("folder replaced", refused=refused, acknowledged=ledger.acknowledged)


@pytest.mark.parametrize("name", ["stats", "screens"])
def test_one_service_alone_says_that_its_data_folder_is_gone(tmp_path: Path, name: str) -> None:
    log = f"sqlite:///{tmp_path / 'log.db'}"
    assert yizhan("topics", "create", "--bus", log).returncode == 0
    part, away = Process(tmp_path / "data", name, bus=log), tmp_path / "away"
    with processes(part):
        part.data.rename(away)
        until(lacks(part, "No such file or directory"), part.said)
        away.rename(part.data)
        part.until_ready()
        assert part.end() == 0


def test_a_kafka_whose_disk_is_full_takes_nothing_until_it_has_space_and_is_started_again(
    kafka_jars: Path, tmp_path: Path, tell: Tell
) -> None:
    assert kafka_jars.is_dir()
    with disk(tmp_path / "small", 160) as place:
        node = place / "kafka"
        cluster = asyncio.run(kafka.up(node))
        try:
            site = Site(tmp_path, f"kafka://{cluster.bootstrap}")
            intake, stats, screens = parts = site.parts("intake", "stats", "screens")
            with processes(*parts):
                register(intake.url, site.key, *STATIONS)

                def disturb(flow: Flow) -> int:
                    flow.more(300)
                    ballast = fill(place)
                    refused = flow.refused()
                    until(lambda: bool(missing(intake)), intake.said)
                    until(lambda: not kafka.running(node))
                    ballast.unlink()
                    asyncio.run(kafka.up(node))
                    intake.until_ready()
                    flow.more(300)
                    return refused

                ledger, refused = under_load(intake, site.key, disturb)
                agrees(screens.url, ledger)
                assert stats.process.poll() is None
            audited(site.bus)
        finally:
            asyncio.run(kafka.down(node))
    tell("Kafka's disk full", refused=refused, acknowledged=ledger.acknowledged)
