"""A log in memory, for what needs no other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bus import Bus, sqlite


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Bus]:
    async with sqlite.connect(f":memory:{tmp_path.name}", 4) as embedded:
        yield embedded
