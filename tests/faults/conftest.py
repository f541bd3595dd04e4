"""What fault tests stand on: when they run, how much of them, their dice, and three nodes."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.conftest import Tell
from tests.faults.nodes import Nodes, three

__all__ = ["LONG", "Tell"]
LONG = "long" in os.environ.get("YIZHAN_FAULTS", "")
"""Whether everything is wanted, not the slice that fits into 40 minutes."""
WANTED = "faults" in os.environ.get("YIZHAN_REQUIRE", "").split()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="a fault test: `make faults` runs it")
    for item in items:
        if Path(__file__).parent in item.path.parents and not WANTED:
            item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which faults could not happen on this machine: nothing is shown about them."""
    left = [
        (report.nodeid, report.longrepr[2].removeprefix("Skipped: "))
        for report in terminalreporter.stats.get("skipped", ())
        if WANTED and report.nodeid.startswith("tests/faults/")
    ]
    if left:
        terminalreporter.section("not shown on this machine", yellow=True)
        for name, why in left:
            terminalreporter.write_line(f"{name}: {why}")


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> Random:
    """Dice of a seed that YIZHAN_SEED sets; what a failing test prints repeats it."""
    seed = os.environ.get("YIZHAN_SEED", "1")
    verb = "faults-long" if LONG else "faults"
    print(f"seed {seed}; repeat: YIZHAN_SEED={seed} make {verb} ONLY={request.node.nodeid}")
    return Random(seed)


@pytest.fixture
def nodes(kafka_jars: Path, tmp_path: Path) -> Iterator[Nodes]:
    """A Kafka of three nodes for this test alone."""
    assert kafka_jars.is_dir()
    with three(tmp_path / "kafka") as running:
        yield running
