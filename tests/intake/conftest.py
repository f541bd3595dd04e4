"""A real intake on a real log: one SQLite file and one store of keys for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bus import sqlite
from bus.keys import Keys
from bus.port import Bus
from tests.intake.station import Clock, Station, open_station


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    with Keys.open(tmp_path / "keys.db") as keys:
        yield keys


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Bus]:
    async with sqlite.connect(str(tmp_path / "log.db")) as log:
        yield log


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def station(log: Bus, keys: Keys, clock: Clock) -> AsyncIterator[Station]:
    """An intake with a tree: hub over county, county over yinhu and chengbei."""
    async with open_station(log, keys, clock) as station:
        await station.plant()
        yield station
