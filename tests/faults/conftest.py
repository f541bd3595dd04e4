"""What fault tests stand on: when they run, their dice, and the figures they print."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.faults.nodes import Nodes, three

LONG = "long" in os.environ.get("YIZHAN_FAULTS", "")
"""Whether everything is wanted, not the slice that fits into half an hour."""
_FIGURES = pytest.StashKey[list[str]]()
Tell = Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanted = "faults" in os.environ.get("YIZHAN_REQUIRE", "").split()
    skip = pytest.mark.skip(reason="a fault test: `make faults` runs it")
    for item in items:
        if Path(__file__).parent in item.path.parents and not wanted:
            item.add_marker(skip)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Print figures now, and once more when all tests are through."""
    told = request.config.stash.setdefault(_FIGURES, [])

    def say(text: str, **figures: object) -> None:
        line = f"{request.node.name}: {text}" + "".join(f", {k} {v}" for k, v in figures.items())
        print(line)
        told.append(line)

    return say


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    told = config.stash.get(_FIGURES, [])
    if told:
        terminalreporter.section("figures")
        for line in told:
            terminalreporter.write_line(line)


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> Random:
    """Dice of a seed that YIZHAN_SEED sets; what a failing test prints repeats it."""
    seed = os.environ.get("YIZHAN_SEED", "1")
    print(f"seed {seed}; repeat: YIZHAN_SEED={seed} make faults ONLY={request.node.nodeid}")
    return Random(seed)


@pytest.fixture
def nodes(kafka_jars: Path, tmp_path: Path) -> Iterator[Nodes]:
    """A Kafka of three nodes for this test alone."""
    assert kafka_jars.is_dir()
    with three(tmp_path / "kafka") as running:
        yield running
