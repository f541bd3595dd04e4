"""What is special about the log in one SQLite file."""

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

import pytest

from bus import sqlite
from bus.port import Partition, Record
from bus.sqlite import SqliteBus
from bus.sqlite.bell import Bell
from bus.sqlite.file import File
from bus.sqlite.writer import Writer
from schemas.errors import Fenced, Mismatch, Unavailable, Unusable
from schemas.topics import Kept, Topic
from tests.bus.reading import (
    PARTITIONS,
    assigned,
    beginning,
    drain,
    everywhere,
    read,
    records,
    values,
)

TOPIC = Topic("orders", Kept.FOREVER)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "log.db")


@pytest.fixture
async def bus(path: str) -> AsyncIterator[SqliteBus]:
    async with sqlite.connect(path) as bus:
        yield bus


async def refusal(path: str, partitions: int | None = None) -> str:
    """Return the sentence with which the log is refused."""
    with pytest.raises((Unusable, Mismatch)) as caught:
        async with sqlite.connect(path, partitions):
            pass
    return str(caught.value)


class Unread(File):
    """A log that fails when it is first read, after it could be opened."""

    def dial(self) -> sqlite3.Connection:
        """Return a connection that answers nothing."""
        db = super().dial()
        db.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
        return db


async def test_a_log_that_fails_when_it_is_first_read_is_refused_before_anything_waits_for_it(
    path: str,
) -> None:
    file = Unread(path, "FULL", patience=5, max_pages=None)
    with pytest.raises(Unusable, match="not authorized"):
        Writer(file, Bell(lambda: False), time.time, every=30)


async def test_a_folder_that_does_not_exist_yet_is_made(tmp_path: Path) -> None:
    async with sqlite.connect(str(tmp_path / "new" / "folder" / "log.db")) as bus:
        await bus.publish(records(TOPIC, ["first"]))
    assert (tmp_path / "new" / "folder" / "log.db").is_file()


async def test_a_folder_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    path = str(tmp_path / "data" / "log.db")
    assert path in await refusal(path)


async def test_a_log_that_is_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    assert str(tmp_path) in await refusal(str(tmp_path))


async def test_a_file_that_is_no_database_is_refused_by_name(path: str) -> None:
    Path(path).write_bytes(b"something else entirely" * 1000)
    assert path in await refusal(path)
    assert Path(path).read_bytes().startswith(b"something else")


async def test_a_database_that_is_no_log_is_refused_and_left_alone(path: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE customers (name)")
    assert "not a log" in await refusal(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("customers",)]


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write everything: act as somebody who may not."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


async def test_a_log_that_cannot_be_written_is_refused_at_start() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        async with sqlite.connect(str(path)) as bus:
            await bus.publish(records(TOPIC, ["kept"]))
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        with ordinary_user():
            assert str(path) in await refusal(str(path))
        Path(folder).chmod(0o755)


async def test_a_log_that_cannot_be_read_is_refused_at_start() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        async with sqlite.connect(str(path)):
            pass
        path.chmod(0)
        Path(folder).chmod(0o777)
        with ordinary_user():
            assert str(path) in await refusal(str(path))


async def test_the_number_of_partitions_is_chosen_once_and_kept(path: str) -> None:
    async with sqlite.connect(path, 3) as bus:
        assert bus.partitions(TOPIC) == 3
    async with sqlite.connect(path) as bus:
        assert bus.partitions(TOPIC) == 3


async def test_another_number_of_partitions_is_refused_in_one_sentence(path: str) -> None:
    async with sqlite.connect(path):
        pass
    sentence = await refusal(path, 6)
    assert "was made with 4 partitions, not 6" in sentence


async def test_two_logs_have_two_identities(tmp_path: Path) -> None:
    a, b = (sqlite.connect(str(tmp_path / name)) for name in ("a.db", "b.db"))
    async with a as one, b as two:
        assert one.identity != two.identity


async def test_a_log_that_many_open_at_once_is_made_once(path: str) -> None:
    async def identity() -> str:
        async with sqlite.connect(path) as bus:
            return bus.identity

    assert len(set(await asyncio.gather(*(identity() for _ in range(8))))) == 1


async def test_a_bare_memory_log_is_nobody_elses() -> None:
    async with sqlite.connect(":memory:") as a, sqlite.connect(":memory:") as b:
        await a.publish(records(TOPIC, ["mine"]))
        assert await read(b, TOPIC) == []


async def test_a_new_member_of_a_group_ends_the_older_one_for_good(bus: SqliteBus) -> None:
    await bus.publish(everywhere(TOPIC, range(3)))
    async with assigned(bus, TOPIC, "g") as old, assigned(bus, TOPIC, "g") as new:
        for _ in range(2):
            with pytest.raises(Fenced):
                await old.poll(1)
        assert old.assignment == frozenset()
        assert len(await drain(bus, new)) == PARTITIONS


async def test_a_member_that_was_replaced_does_not_say_any_more_how_far_its_group_is(
    bus: SqliteBus,
) -> None:
    await bus.publish(records(TOPIC, range(3)))
    place = Partition(TOPIC.name, 0)
    async with assigned(bus, TOPIC, "g") as old, assigned(bus, TOPIC, "g") as new:
        await new.commit({place: 3})
        with pytest.raises(Fenced):
            await old.commit({place: 1})
        assert old.assignment == frozenset()


async def test_a_waiting_member_learns_that_it_was_replaced(bus: SqliteBus) -> None:
    async with assigned(bus, TOPIC, "g") as old:
        waiting = asyncio.create_task(old.poll(60))
        async with bus.subscribe("g", [TOPIC], beginning):
            with pytest.raises(Fenced):
                await waiting


async def test_a_start_that_fails_is_told_by_the_poll(bus: SqliteBus) -> None:
    def start(_partition: Partition) -> int:
        raise LookupError("no state")

    async with bus.subscribe(None, [TOPIC], start) as subscription:
        with pytest.raises(LookupError):
            await subscription.poll(1)


async def test_no_partition_waits_for_another_that_always_has_more(bus: SqliteBus) -> None:
    await bus.publish(records(TOPIC, range(1000), number=0))
    await bus.publish([*records(TOPIC, ["x"], 1), *records(TOPIC, ["y"], 3)])
    async with assigned(bus, TOPIC) as subscription:
        for _ in range(PARTITIONS):
            assert len(await subscription.poll(1, limit=1)) == 1
        for number in (1, 3):
            lease = subscription.lease(Partition(TOPIC.name, number))
            assert lease is not None
            assert lease.position == 1


async def test_partitions_that_all_have_more_share_the_limit(bus: SqliteBus) -> None:
    await bus.publish(everywhere(TOPIC, range(100)))
    async with assigned(bus, TOPIC) as subscription:
        batches = await subscription.poll(1, limit=8)
    assert [len(batch.records) for batch in batches] == [2] * PARTITIONS


async def test_what_one_partition_does_not_use_of_the_limit_goes_to_the_others(
    bus: SqliteBus,
) -> None:
    await bus.publish([*records(TOPIC, range(100), 2), *records(TOPIC, ["x"], 3)])
    async with assigned(bus, TOPIC) as subscription:
        batches = await subscription.poll(1, limit=50) + await subscription.poll(1, limit=50)
    assert sum(len(batch.records) for batch in batches) >= 99


async def test_a_batch_of_large_records_ends_before_it_fills_the_memory(bus: SqliteBus) -> None:
    await bus.publish([Record(TOPIC, "r", b"", b"x" * 250_000) for _ in range(200)])
    async with assigned(bus, TOPIC) as subscription:
        batches = await drain(bus, subscription)
    assert len(batches) > 1
    assert sum(len(batch.records) for batch in batches) == 200


async def fill(bus: SqliteBus) -> int:
    """Publish until the disk is full; return how many records were acknowledged."""
    for count in range(10_000):
        try:
            await bus.publish([Record(TOPIC, "r", b"%d" % count, b"x" * 3000)])
        except Unavailable:
            return count
    pytest.fail("the disk is never full")


async def test_a_full_disk_is_unavailable_and_loses_nothing_acknowledged(path: str) -> None:
    async with sqlite.connect(path, max_pages=60) as bus:
        count = await fill(bus)
        stored = await read(bus, TOPIC, TOPIC.partition("r", PARTITIONS))
    assert [record.key for record in stored] == [b"%d" % i for i in range(count)]
    assert count > 10


async def test_a_step_on_a_full_disk_neither_moves_nor_writes(path: str) -> None:
    source = Partition("asks", 0)
    async with sqlite.connect(path, max_pages=60) as bus:
        await bus.claim("judge")
        await fill(bus)
        end = await bus.highwater(Partition(TOPIC.name, 0))
        with pytest.raises(Unavailable):
            await bus.advance("judge", {source: (0, 1)}, records(TOPIC, ["x" * 9000]))
        assert await bus.positions("judge") == {}
        assert await bus.highwater(Partition(TOPIC.name, 0)) == end


async def test_the_log_goes_on_when_there_is_space_again(path: str) -> None:
    async with sqlite.connect(path, max_pages=60) as bus:
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("CREATE TABLE ballast AS SELECT zeroblob(20000)")
        await fill(bus)
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("DROP TABLE ballast")
        await bus.publish(records(TOPIC, ["again"]))
        assert values(await read(bus, TOPIC))[-1] == "again"


async def test_a_log_locked_by_another_is_unavailable_until_it_is_not(path: str) -> None:
    async with sqlite.connect(path, patience=0.01) as bus:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable) as caught:
                await bus.publish(records(TOPIC, ["too early"]))
            assert caught.value.retriable
            db.execute("ROLLBACK")
        await bus.publish(records(TOPIC, ["in time"]))
        assert values(await read(bus, TOPIC)) == ["in time"]


async def test_the_writer_wakes_readers_of_its_own_process_without_a_look_at_the_file(
    bus: SqliteBus,
) -> None:
    bus._bell._changed = lambda: False
    async with assigned(bus, TOPIC) as subscription:
        waiting = asyncio.create_task(subscription.poll(60))
        await asyncio.sleep(0)
        await bus.publish(records(TOPIC, ["news"]))
        (batch,) = await waiting
    assert values(batch.records) == ["news"]


async def test_a_record_that_no_database_takes_does_not_stop_the_writer(bus: SqliteBus) -> None:
    nonsense = Record(TOPIC, "r", b"", cast("bytes", ["a list"]))
    with pytest.raises(TypeError):
        await bus.publish([*records(TOPIC, ["beside it"]), nonsense])
    await bus.publish(records(TOPIC, ["after it"]))
    assert values(await read(bus, TOPIC)) == ["after it"]


async def test_one_refused_step_does_not_hurt_those_it_was_committed_with(bus: SqliteBus) -> None:
    await bus.claim("judge")
    wrong = bus.advance("judge", {Partition("asks", 0): (7, 8)}, records(TOPIC, ["wrong"]))
    right = bus.publish(records(TOPIC, ["right"]))
    refused, positions = await asyncio.gather(wrong, right, return_exceptions=True)
    assert isinstance(refused, Fenced)
    assert not isinstance(positions, BaseException)
    assert values(await read(bus, TOPIC)) == ["right"]


async def test_a_caller_that_gives_up_does_not_hurt_the_others(bus: SqliteBus) -> None:
    calls = [asyncio.create_task(bus.publish(records(TOPIC, [i]))) for i in range(20)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    done = await asyncio.gather(*calls, return_exceptions=True)
    offsets = [
        positions[0].offset for positions in done if not isinstance(positions, BaseException)
    ]
    assert len(offsets) == 10
    assert {stored.offset for stored in await read(bus, TOPIC)} >= set(offsets)


async def test_what_is_queued_when_the_log_closes_is_still_written(path: str) -> None:
    async with sqlite.connect(path) as bus:
        calls = [asyncio.create_task(bus.publish(records(TOPIC, [i]))) for i in range(20)]
        await asyncio.sleep(0)
    await asyncio.gather(*calls)
    async with sqlite.connect(path) as bus:
        assert len(await read(bus, TOPIC)) == 20


async def test_a_closed_log_takes_nothing(path: str) -> None:
    async with sqlite.connect(path) as bus:
        pass
    with pytest.raises(Unavailable):
        await bus.publish(records(TOPIC, ["late"]))
