"""What stats tells Prometheus while it folds, publishes and recounts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bus.port import Batch, Lease
from bus.state import State
from services.stats.audit import Report
from services.stats.metrics import Metrics
from services.stats.store import TABLES, Store
from services.stats.worker import Worker
from tests.histories import record
from tests.stats.test_source import SOURCE, Log, Stored, batch
from tests.stats.test_worker import service

PLACE = {"topic": SOURCE.topic, "partition": "0"}


class Recounts:
    """An auditor that finds what it was told to."""

    def __init__(self, *differences: str) -> None:
        self._report = Report(SOURCE, 1, 1, differences)

    async def check(self) -> list[Report]:
        return [self._report]


class Told:
    """A worker on a log that ends after three records, and what it has told."""

    def __init__(self, state: State) -> None:
        self.now, self._registry = 1000.0, CollectorRegistry()
        metrics = Metrics(self._registry, lambda: self.now)
        log = Log(end=3)
        self.worker = Worker(log, Store(state), lambda: "2024-01-01T00:00:00+08:00", metrics)  # type: ignore[arg-type]  # only what a worker asks for
        self.worker.start(SOURCE)

    def of(self, name: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(name, labels)


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[Told]:
    with State.open(tmp_path / "state.db", TABLES, "fake") as state:
        yield Told(state)


async def test_what_is_behind_is_told_until_it_is_folded(told: Told) -> None:
    await told.worker.look()
    assert told.of("yizhan_stats_lag", **PLACE) == 3
    await told.worker.take(batch(0, service(0), service(1), service(2)))
    await told.worker.look()
    assert told.of("yizhan_stats_lag", **PLACE) == 0
    assert told.of("yizhan_stats_records_total", topic=SOURCE.topic) == 3


async def test_a_dead_letter_is_counted_by_its_rule(told: Told) -> None:
    again = {**service(0), "data": {**service(0)["data"], "mode": "training"}}
    values = [record(service(0)).value, b"{", record(again).value]
    stored = [Stored(n, 0, b"", value) for n, value in enumerate(values)]
    await told.worker.take(Batch(*SOURCE, 0, 3, stored, Lease(0)))
    counted = {
        rule: told.of("yizhan_dead_letters_total", topic=SOURCE.topic, rule=rule)
        for rule in ("json", "conflict")
    }
    assert counted == {"json": 1, "conflict": 1}


async def test_a_flush_and_the_time_to_catch_up_are_measured_once_each(told: Told) -> None:
    await told.worker.take(batch(0, service(0), service(1)))
    await told.worker.flush()
    assert told.of("yizhan_stats_flush_seconds_count") == 0
    await told.worker.take(batch(2, service(2)))
    await told.worker.flush()
    await told.worker.flush()
    assert told.of("yizhan_stats_flush_seconds_count") == 1
    assert told.of("yizhan_stats_catch_up_seconds_count") == 1


async def test_drift_is_told_until_a_recount_agrees_and_the_time_of_the_recount(
    told: Told,
) -> None:
    await told.worker.take(batch(0, service(0), service(1), service(2)))
    await told.worker.flush()
    assert told.of("yizhan_audited_seconds") == 1000
    told.now = 1060
    await told.worker.audit(Recounts("yinhu 2024-01-01: 2 shown, 3 counted"))  # type: ignore[arg-type]
    assert (told.of("yizhan_drift", **PLACE), told.of("yizhan_audited_seconds")) == (1, 1060)
    await told.worker.audit(Recounts())  # type: ignore[arg-type]
    assert told.of("yizhan_drift", **PLACE) == 0


async def test_nothing_is_told_of_a_partition_that_has_gone(told: Told) -> None:
    await told.worker.look()
    told.worker.drop(SOURCE)
    assert told.of("yizhan_stats_lag", **PLACE) is None
    assert told.of("yizhan_drift", **PLACE) is None
