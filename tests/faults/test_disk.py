"""Disks that are full and folders that are gone: not ready, no false 202, and right afterwards."""

import asyncio
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import kafka
from tests.faults.agree import agrees
from tests.faults.conftest import Tell
from tests.faults.disks import (
    Flow,
    disk,
    fill,
    full,
    intact,
    lacks,
    missing,
    started,
    under_load,
)
from tests.faults.site import Site
from tests.system.load import STATIONS
from tests.system.people import register
from tests.system.process import Process, processes, until, yizhan

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 MB: a quick machine writes a quarter of that in such a test."""
    with disk(tmp_path / "small", 96) as place:
        yield place


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
    tell("log full", refused=refused, **intact(log, ledger))


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
    tell("disk full", refused=refused, **intact(log, ledger))


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
    tell("states' disk full", acknowledged_meanwhile=acknowledged, **intact(log, ledger))


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
    tell("folder gone", refused=refused, **intact(log, ledger))


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
    tell("folder replaced", refused=refused, **intact(log, ledger))


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
            intake, matching, stats, screens = parts = site.parts()
            writers = (intake, matching, stats)
            with processes(*parts):
                register(intake.url, site.key, *STATIONS)

                def disturb(flow: Flow) -> int:
                    flow.more(300)
                    ballast = fill(place)
                    refused = flow.refused()
                    for part in writers:
                        until(lambda part=part: bool(missing(part)), part.said)  # type: ignore[misc]
                    until(lambda: not kafka.running(node))
                    ballast.unlink()
                    asyncio.run(kafka.up(node))
                    for part in writers:
                        part.until_ready()
                    flow.more(300)
                    return refused

                ledger, refused = under_load(intake, site.key, disturb)
                agrees(screens.url, ledger)
                assert [part.process.poll() for part in parts] == [None] * len(parts)
            tell("Kafka's disk full", refused=refused, **intact(site.bus, ledger))
        finally:
            asyncio.run(kafka.down(node))
