"""The logs that the suite runs on, each of which any number of buses may have open at once."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from bus import kafka, sqlite
from schemas.topics import Kept, Topic
from tests.bus.reading import PARTITIONS, Made
from tests.simulation import log as simulation
from tests.simulation.link import Link
from tests.simulation.options import drawn


@dataclass(frozen=True)
class Log:
    """A log under test."""

    kind: str
    place: str
    simulated: simulation.Log | None = None

    def open(self) -> AbstractAsyncContextManager[Made]:
        if self.simulated is not None:
            return nullcontext(Link(self.simulated))
        if self.kind == "kafka":
            return kafka.connect(self.place, PARTITIONS)
        return sqlite.connect(self.place, PARTITIONS)


@pytest.fixture(
    params=["memory", "sqlite", "simulated", pytest.param("kafka", marks=pytest.mark.kafka)]
)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Log:
    if request.param == "simulated":
        options = replace(drawn(0), partitions=PARTITIONS)
        made = simulation.Log(options, Random(0), Counter())
        return Log(request.param, made.identity, made)
    if request.param == "kafka":
        return Log("kafka", request.getfixturevalue("kafka"))
    memory = request.param == "memory"
    return Log(request.param, f":memory:{uuid.uuid4().hex}" if memory else str(tmp_path / "log.db"))


@pytest.fixture
async def bus(log: Log) -> AsyncIterator[Made]:
    async with log.open() as bus:
        yield bus


@pytest.fixture
async def topic(bus: Made) -> Topic:
    """A fresh topic of four partitions, kept for ever."""
    topic = Topic(f"t-{uuid.uuid4().hex}", Kept.FOREVER)
    await bus.create([topic])
    return topic
