"""A log with all of Yizhan's topics: embedded, and for some tests on Kafka as well."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bus import Bus, kafka, sqlite
from schemas.topics import TOPICS


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Bus]:
    async with sqlite.connect(f":memory:{tmp_path.name}", 4) as embedded:
        yield embedded


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def servers(request: pytest.FixtureRequest) -> str | None:
    """The Kafka to use; None: the embedded log."""
    return request.getfixturevalue("own_kafka") if request.param == "kafka" else None


@pytest.fixture
async def either(servers: str | None, tmp_path: Path) -> AsyncIterator[Bus]:
    if servers is None:
        async with sqlite.connect(str(tmp_path / "log.db"), 4) as embedded:
            yield embedded
    else:
        async with kafka.connect(servers, 4) as real:
            await real.create(TOPICS)
            yield real
