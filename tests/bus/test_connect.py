"""How a log is chosen by its URL, and what the package shows."""

import sys
from pathlib import Path
from subprocess import run

import pytest

import bus
from bus.sqlite import SqliteBus
from schemas.errors import Unusable


@pytest.mark.parametrize("url", ["", "log.db", "sqlite://", "sqlite:///", "kafka://", "amqp://h"])
def test_a_url_that_names_no_log_is_told_the_two_forms(url: str) -> None:
    with pytest.raises(Unusable, match=r"sqlite:///PATH.*kafka://HOST:PORT"):
        bus.connect(url)


async def test_a_path_after_three_slashes_is_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with bus.connect("sqlite:///data/log.db") as log:
        assert isinstance(log, SqliteBus)
    assert (tmp_path / "data" / "log.db").is_file()


async def test_a_path_after_four_slashes_is_absolute(tmp_path: Path) -> None:
    async with bus.connect(f"sqlite:///{tmp_path}/log.db", partitions=7) as log:
        assert isinstance(log, SqliteBus)
    assert (tmp_path / "log.db").is_file()


async def test_a_log_in_memory_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with bus.connect("sqlite:///:memory:"):
        assert list(tmp_path.iterdir()) == []


def test_the_embedded_log_needs_no_kafka_client() -> None:
    program = "import bus, bus.sqlite, sys; sys.exit('aiokafka' in sys.modules)"
    assert run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_package_shows_the_port_and_how_to_open_it() -> None:
    assert set(bus.__all__) == {
        "Batch",
        "Bus",
        "Lease",
        "Listener",
        "Partition",
        "Position",
        "Record",
        "Start",
        "Stored",
        "Subscription",
        "connect",
    }
