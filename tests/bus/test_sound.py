"""A log that is not as it was written is refused; one that was moved away takes nothing."""

import shutil
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from bus import sqlite
from schemas.errors import Unavailable, Unusable
from schemas.topics import Kept, Topic
from tests.bus.reading import read, records, values

TOPIC = Topic("facts", Kept.FOREVER)
WROTE = [f"fact {n} {'x' * 200}" for n in range(400)]


@pytest.fixture
async def path(tmp_path: Path) -> str:
    place = str(tmp_path / "log.db")
    async with sqlite.connect(place, 1) as bus:
        await bus.publish(records(TOPIC, WROTE))
    return place


async def told(path: str) -> list[str] | str:
    """Return all values, or the sentence with which they are refused."""
    try:
        async with sqlite.connect(path) as bus:
            return values(await read(bus, TOPIC))
    except Unusable as error:
        return str(error)


async def test_a_damaged_log_is_refused_or_tells_all_that_was_written(path: str) -> None:
    whole = Path(path).read_bytes()
    dice, refused = Random(1), 0
    for n in range(150):
        held = bytearray(whole)
        at = dice.randrange(len(held))
        if n % 3 == 0:
            held[at] ^= 1 << dice.randrange(8)
        elif n % 3 == 1:
            held[at // 4096 * 4096 : (at // 4096 + 1) * 4096] = bytes(4096)
        else:
            del held[at:]
        Path(path).write_bytes(held)
        found = await told(path)
        assert found == WROTE or ("is damaged" in found and path in found), f"{n} {at} {found}"
        refused += isinstance(found, str)
    print(f"150 damaged logs, {refused} refused, {150 - refused} unhurt")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log SET value = replace(value, 'fact 7', 'fact 8')",
        "UPDATE log SET key = 'k', timestamp = 'now', value = x'ff' || value",
        "UPDATE log SET timestamp = timestamp + 1 WHERE id % 100 = 7",
        "UPDATE log SET timestamp = timestamp + (1 << 33) WHERE id % 100 = 7",
        (
            "UPDATE log SET (key, value, crc) = (SELECT key, value, crc FROM log AS other "
            "WHERE other.id = log.id + 1) WHERE id % 100 = 7"
        ),
        "UPDATE log SET crc = NULL, value = NULL WHERE id % 100 = 7",
        "DELETE FROM log WHERE id % 100 = 7",
        "DELETE FROM log WHERE id = (SELECT max(id) FROM log)",
        "UPDATE head SET next = next - 100",
        "UPDATE head SET next = next + 1",
    ],
)
async def test_whatever_is_not_as_it_was_written_is_refused_by_name(path: str, change: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(change)
    assert "put its last backup back" in await told(path)


async def test_a_page_that_is_taken_for_another_is_no_record_of_this_place(path: str) -> None:
    whole, found = Path(path).read_bytes(), 0
    with closing(sqlite3.connect(path)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'log'").fetchone()
    page = slice((root - 1) * 4096, root * 4096)
    cells = int.from_bytes(whole[page][3:5], "big")
    pointers = [int.from_bytes(whole[page][12 + 2 * n : 14 + 2 * n], "big") for n in range(cells)]
    for one, other in pairwise(page.start + pointer for pointer in pointers):
        held = bytearray(whole)
        held[one : one + 4] = whole[other : other + 4]
        Path(path).write_bytes(held)
        assert "put its last backup back" in await told(path)
        found += 1
    assert found > 10


async def test_a_log_of_an_older_version_is_read_and_written_on(path: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("ALTER TABLE log DROP COLUMN crc")
        db.execute("PRAGMA user_version=0")
    async with sqlite.connect(path) as bus:
        await bus.publish(records(TOPIC, ["more"]))
        assert values(await read(bus, TOPIC)) == [*WROTE, "more"]
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE log SET value = replace(value, 'fact 7', 'fact 8')")
    assert "put its last backup back" in await told(path)


async def test_a_log_of_an_older_version_that_is_torn_gets_no_sums(path: str) -> None:
    columns = "id INTEGER PRIMARY KEY, timestamp INTEGER, key BLOB, value BLOB"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("ALTER TABLE log RENAME TO whole")
        db.execute(f"CREATE TABLE log ({columns})")
        db.execute("INSERT INTO log SELECT id, timestamp, key, value FROM whole")
        # Where a file is torn SQLite reads zeros, which say that all is missing.
        db.execute("UPDATE log SET timestamp = NULL, key = NULL, value = NULL WHERE id % 100 = 7")
        db.execute("PRAGMA user_version=0")
    for _ in range(2):
        assert "put its last backup back" in await told(path)


@pytest.mark.parametrize("name", ["log.db", "log.db-wal", "log.db-shm", "."])
async def test_what_is_written_to_a_file_without_its_name_is_not_acknowledged(
    path: str, tmp_path: Path, name: str
) -> None:
    data, away = Path(path).parent / name, tmp_path.with_name("away")
    shutil.rmtree(away, ignore_errors=True)
    async with sqlite.connect(path) as bus:
        await bus.publish(records(TOPIC, ["before"]))
        data.resolve().rename(away)
        for _ in range(2):
            with pytest.raises(Unavailable, match="moved or deleted"):
                await bus.publish(records(TOPIC, ["away"]))
        away.rename(data.resolve())
        await bus.publish(records(TOPIC, ["again"]))
        assert values(await read(bus, TOPIC)) == [*WROTE, "before", "again"]
