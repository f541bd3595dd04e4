"""What goes from the embedded log with time, and how readers cross what has gone."""

import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bus import sqlite
from bus.port import Batch, Partition, Record
from bus.sqlite import SqliteBus
from bus.sqlite.sweep import sweep
from schemas.errors import OutOfRange
from schemas.topics import Kept, Topic
from tests.bus.reading import assigned, drain, poll_on, read, values

COUNTERS = Topic("counters", Kept.COMPACTED, spread=False)
BEATS = Topic("beats", Kept.COMPACTED_WEEK, spread=False)
LETTERS = Topic("letters", Kept.YEAR, spread=False)
FACTS = Topic("facts", Kept.FOREVER, spread=False)
MINUTE, DAY = 60, 86_400


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 1_800_000_000

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "log.db")


@pytest.fixture
async def bus(path: str, clock: Clock) -> AsyncIterator[SqliteBus]:
    async with sqlite.connect(path, clock=clock) as bus:
        yield bus


def keyed(topic: Topic, count: int, keys: int) -> list[Record]:
    """Return records 0, 1, 2, … whose keys come round again."""
    return [Record(topic, "", b"k%d" % (i % keys), b"%d" % i) for i in range(count)]


def sweep_at(path: str, now: float) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for _ in sweep(db, int(now * 1000)):
            assert not db.in_transaction


def unbroken(batches: Iterable[Batch]) -> bool:
    base = 0
    for batch in batches:
        if batch.base != base:
            return False
        base = batch.next
    return True


async def test_only_the_last_record_of_each_key_stays(
    bus: SqliteBus, path: str, clock: Clock
) -> None:
    await bus.publish(keyed(COUNTERS, 3000, keys=10))
    sweep_at(path, clock.now + 2 * MINUTE)
    stored = await read(bus, COUNTERS)
    assert values(stored) == [str(i) for i in range(2990, 3000)]
    assert [record.offset for record in stored] == list(range(2990, 3000))


async def test_a_key_written_once_long_ago_stays(bus: SqliteBus, path: str, clock: Clock) -> None:
    await bus.publish([Record(COUNTERS, "", b"rare", b"kept")])
    for _ in range(3):
        await bus.publish(keyed(COUNTERS, 1500, keys=3))
        clock.now += 2 * MINUTE
        sweep_at(path, clock.now)
    assert values(await read(bus, COUNTERS)) == ["kept", "1497", "1498", "1499"]


async def test_records_younger_than_a_minute_stay(bus: SqliteBus, path: str, clock: Clock) -> None:
    await bus.publish(keyed(COUNTERS, 2000, keys=5))
    clock.now += 2 * MINUTE
    await bus.publish(keyed(COUNTERS, 100, keys=5))
    sweep_at(path, clock.now)
    assert len(await read(bus, COUNTERS)) == 5 + 100


async def test_a_few_new_records_are_not_worth_a_sweep(
    bus: SqliteBus, path: str, clock: Clock
) -> None:
    await bus.publish(keyed(COUNTERS, 100, keys=5))
    sweep_at(path, clock.now + 2 * MINUTE)
    assert len(await read(bus, COUNTERS)) == 100


async def test_topics_kept_for_ever_are_never_swept(
    bus: SqliteBus, path: str, clock: Clock
) -> None:
    await bus.publish(keyed(FACTS, 2000, keys=5))
    sweep_at(path, clock.now + 9999 * DAY)
    assert len(await read(bus, FACTS)) == 2000


async def test_a_reader_crosses_the_gaps_without_breaking_its_chain(
    bus: SqliteBus, path: str, clock: Clock
) -> None:
    await bus.publish(keyed(COUNTERS, 3000, keys=7))
    async with assigned(bus, COUNTERS) as subscription:
        before = await subscription.poll(1, limit=100)
        sweep_at(path, clock.now + 2 * MINUTE)
        after = await drain(bus, subscription, limit=3)
    assert unbroken([*before, *after])
    assert after[-1].next == 3000
    assert values(record for batch in after for record in batch.records)[-1] == "2999"


async def test_the_writer_sweeps_by_itself(path: str, clock: Clock) -> None:
    async with sqlite.connect(path, clock=clock, sweep_every=0) as bus:
        await bus.publish(keyed(COUNTERS, 2000, keys=5))
        clock.now += 2 * MINUTE
        while len(await read(bus, COUNTERS)) > 5:
            await bus.publish(keyed(FACTS, 1, keys=1))


async def test_what_has_expired_goes(bus: SqliteBus, path: str, clock: Clock) -> None:
    await bus.publish(keyed(LETTERS, 2500, keys=2500))
    clock.now += 300 * DAY
    await bus.publish(keyed(LETTERS, 3, keys=3))
    sweep_at(path, clock.now + 100 * DAY)
    assert await bus.highwater(Partition(LETTERS.name, 0)) == 2503
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM log").fetchone() == (3,)


async def test_a_heartbeat_goes_after_a_week_even_when_it_is_the_last_of_its_key(
    bus: SqliteBus, path: str, clock: Clock
) -> None:
    await bus.publish(keyed(BEATS, 10, keys=10))
    sweep_at(path, clock.now + 8 * DAY)
    assert await read(bus, BEATS) == []


async def test_a_position_that_has_expired_moves_to_the_start_said_in_the_log(
    bus: SqliteBus, path: str, clock: Clock
) -> None:
    await bus.publish(keyed(LETTERS, 10, keys=10))
    clock.now += 300 * DAY
    await bus.publish(keyed(LETTERS, 3, keys=3))
    sweep_at(path, clock.now + 100 * DAY)
    with capture_logs() as lines:
        async with bus.subscribe(None, [LETTERS], lambda _: 4) as subscription:
            (batch,) = await drain(bus, subscription)
    assert (batch.base, batch.next) == (4, 13)
    assert [record.offset for record in batch.records] == [10, 11, 12]
    (said,) = [line for line in lines if line["event"] == "position expired"]
    assert said["log_level"] == "warning"
    assert (said["position"], said["start"]) == (4, 10)


async def test_a_reader_of_a_log_that_has_expired_whole_still_reaches_its_end(
    bus: SqliteBus, path: str, clock: Clock
) -> None:
    await bus.publish(keyed(LETTERS, 10, keys=10))
    async with assigned(bus, LETTERS) as subscription:
        sweep_at(path, clock.now + 400 * DAY)
        (batch,) = await drain(bus, subscription)
    assert (batch.base, batch.next, list(batch.records)) == (0, 10, [])


async def test_a_position_beyond_the_end_is_an_error_even_where_records_expire(
    bus: SqliteBus,
) -> None:
    await bus.publish(keyed(LETTERS, 3, keys=3))
    async with bus.subscribe(None, [LETTERS], lambda _: 4) as subscription:
        with pytest.raises(OutOfRange):
            await poll_on(subscription)
