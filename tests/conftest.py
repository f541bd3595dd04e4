"""What many tests stand on: a real Kafka, a browser, what happens without them, and figures."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from bus import Bus, sqlite
from bus import kafka as kafka_log
from deploy import kafka as cluster
from deploy.kafka import java
from schemas.errors import Unusable
from schemas.topics import TOPICS

MARKS = {"kafka": "kafka", "own_kafka": "kafka", "kafka_jars": "kafka", "chromium": "browser"}
"""Who asks for the fixture gets the marker, so that `-m "not kafka"` leaves out exactly those."""
_FIGURES = pytest.StashKey[list[str]]()
Tell = Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARKS:
                item.add_marker(MARKS[fixture])


def lacking(word: str, sentence: str) -> NoReturn:
    """Skip, or fail when YIZHAN_REQUIRE names `word`: there a skip would hide a broken setup."""
    if word in os.environ.get("YIZHAN_REQUIRE", "").split():
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


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


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """The folder with Kafka's jars, on a machine that has Java as well."""
    try:
        java.ready()
        return java.jars()
    except Unusable as error:
        lacking("kafka", str(error))


@pytest.fixture(scope="session")
def kafka(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address "127.0.0.1:PORT" of one real Kafka node; topics of one test are its own."""
    assert kafka_jars.is_dir()
    data = tmp_path_factory.mktemp("kafka")
    started = asyncio.run(cluster.up(data))
    yield started.bootstrap
    asyncio.run(cluster.down(data))


@pytest.fixture
def own_kafka(kafka_jars: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a Kafka node for this test alone, which may use Yizhan's own topics."""
    assert kafka_jars.is_dir()
    started = asyncio.run(cluster.up(tmp_path / "kafka"))
    yield started.bootstrap
    asyncio.run(cluster.down(tmp_path / "kafka"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    lacking("browser", "There is no chromium on the PATH.")


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def servers(request: pytest.FixtureRequest) -> str | None:
    """The Kafka to use; None: the embedded log."""
    return request.getfixturevalue("own_kafka") if request.param == "kafka" else None


@pytest.fixture
async def either(servers: str | None, tmp_path: Path) -> AsyncIterator[Bus]:
    """A whole log with all of Yizhan's topics, embedded and on Kafka."""
    if servers is None:
        async with sqlite.connect(str(tmp_path / "log.db"), 4) as embedded:
            yield embedded
    else:
        async with kafka_log.connect(servers, 4) as real:
            await real.create(TOPICS)
            yield real
