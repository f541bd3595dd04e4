"""Damaged states: whatever happened to the file, what is opened agrees with its position."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bus.glance import sound
from bus.port import Partition
from bus.state import State
from schemas.errors import Full

TABLES = MetaData()
FACT = Table(
    "fact",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("node", String, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Index("fact_node", "node", "id"),
)
SOURCE = Partition("results", 0)
SEEDS = range(25)
Damage = Callable[[Path, Random], None]


def move(state: State, base: int, to: int) -> None:
    """Add a row per position, and change and delete some that are there."""
    rows = [_row(n) for n in range(base, to)]
    with state.move(SOURCE, base, to) as db:
        db.execute(insert(FACT), rows)
        db.execute(update(FACT).where(FACT.c.id < base, FACT.c.id % 7 == base % 7), {"live": False})
        db.execute(FACT.delete().where(FACT.c.id < base - 150))


def _row(n: int) -> dict[str, object]:
    return {"id": n, "node": f"n-{n % 5}", "live": True, "value": b"%d " % n * 40}


def facts(state: State) -> list[tuple[object, ...]]:
    """Return all rows, and what the index says of them."""
    by_node = select(FACT.c.node, FACT.c.id).order_by(FACT.c.node, FACT.c.id)
    with state.read() as db:
        found = (select(FACT).order_by(FACT.c.id), by_node)
        return [tuple(row) for query in found for row in db.execute(query)]


def killed(tmp_path: Path) -> tuple[Path, Path]:
    """Return a state as kill -9 leaves it, and an older copy; each with its write-ahead log."""
    live, left, old = (tmp_path / name for name in ("live", "left", "old"))
    with State.open(live / "state.db", TABLES, "log-1") as state:
        for n in range(0, 300, 10):
            if n == 150:
                shutil.copytree(live, old)
            if n == 240:
                with state.read() as db:
                    db.exec_driver_sql("SELECT 1").close()
                with closing(sqlite3.connect(live / "state.db")) as other:
                    other.execute("PRAGMA wal_checkpoint").close()
            move(state, n, n + 10)
        shutil.copytree(live, left)
    return left / "state.db", old / "state.db"


def agrees(place: Path) -> int:
    """Check that what is opened is what its position says; return the position."""
    with State.open(place, TABLES, "log-1") as state, State.open(":memory:", TABLES, "m") as right:
        position = state.position(SOURCE)
        for n in range(0, position, 10):
            move(right, n, n + 10)
        assert facts(state) == facts(right)
        return position


def flip(place: Path, dice: Random) -> None:
    held = bytearray(place.read_bytes())
    for _ in range(dice.choice((1, 1, 3, 20))):
        held[dice.randrange(len(held))] ^= 1 << dice.randrange(8)
    place.write_bytes(held)


def zero(place: Path, dice: Random) -> None:
    held = bytearray(place.read_bytes())
    page = dice.randrange(len(held) // 4096)
    held[page * 4096 : (page + 1) * 4096] = bytes(4096)
    place.write_bytes(held)


def cut(place: Path, dice: Random) -> None:
    place.write_bytes(place.read_bytes()[: dice.randrange(place.stat().st_size)])


def mix(place: Path, dice: Random) -> None:
    """Put one page of an older copy back: what a crash amid a checkpoint and a lost log leave."""
    held, old = bytearray(place.read_bytes()), (place.parents[1] / "old" / "state.db").read_bytes()
    page = dice.randrange(min(len(held), len(old)) // 4096)
    held[page * 4096 : (page + 1) * 4096] = old[page * 4096 : (page + 1) * 4096]
    place.write_bytes(held)


@pytest.mark.parametrize("ending", ["", "-wal"])
@pytest.mark.parametrize("damage", [flip, zero, cut, mix])
@pytest.mark.parametrize("shut", [False, True])
def test_a_damaged_state_is_right_where_it_stands_or_begun_anew(
    tmp_path: Path, damage: Damage, ending: str, *, shut: bool
) -> None:
    left, old = killed(tmp_path)
    if shut:
        assert agrees(left) == 300
        assert agrees(old) == 150
        if ending:
            pytest.skip("what is closed has no write-ahead log")
    found = []
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        shutil.copytree(left.parent, folder / "data")
        shutil.copytree(old.parent, folder / "old")
        if ending and damage is mix:
            shutil.copy(f"{old}-wal", folder / "data" / "state.db-wal")
        else:
            damage(folder / "data" / f"state.db{ending}", Random(seed))
        place = folder / "data" / "state.db"
        found.append(agrees(place))
        assert (found[-1] == 0) == bool(list(place.parent.glob("*.damaged-*"))), seed
    print(damage.__name__, ending, shut, "kept", sum(map(bool, found)), "anew", found.count(0))


@pytest.mark.parametrize("gone", ["", "-wal", "-shm"])
def test_a_state_that_lost_one_of_its_files_is_right_where_it_stands(
    tmp_path: Path, gone: str
) -> None:
    left, _ = killed(tmp_path)
    Path(f"{left}{gone}").unlink()
    assert agrees(left) == {"": 0, "-wal": 240, "-shm": 300}[gone]


def test_a_damaged_state_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    place = tmp_path / "state.db"
    place.write_bytes(b"something else" * 1000)
    with State.open(place, TABLES, "log-1") as state:
        assert state.positions == {}
    (kept,) = tmp_path.glob("state.db.damaged-*")
    assert kept.read_bytes() == b"something else" * 1000


def test_a_transaction_that_failed_leaves_no_mark_on_the_seal(tmp_path: Path) -> None:
    place = tmp_path / "state.db"
    with State.open(place, TABLES, "log-1") as state:
        move(state, 0, 10)
        with pytest.raises(IntegrityError), state.write() as db:
            db.execute(insert(FACT), [_row(99), _row(0)])
        move(state, 10, 20)
    assert agrees(place) == 20


def test_a_disk_that_fails_at_the_seal_is_waited_for_and_nothing_has_moved(tmp_path: Path) -> None:
    place = tmp_path / "state.db"
    with State.open(place, TABLES, "log-1") as state:
        move(state, 0, 10)
        with pytest.raises(Full, match="readonly"), state.move(SOURCE, 10, 20) as db:
            _fail(db)
        db.connection.cursor().execute("PRAGMA query_only=0").close()
        move(state, 10, 20)
    assert agrees(place) == 20


def _fail(db: Connection) -> None:
    """Write, and let nothing more be written in this transaction, of which the seal is the last."""
    db.execute(insert(FACT), [_row(99)])
    db.exec_driver_sql("PRAGMA query_only=1").close()


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Return a state as versions before the seal have left theirs."""
    left, _ = killed(tmp_path)
    with closing(sqlite3.connect(left)) as db, db:
        db.execute("DROP TABLE log_seal").close()
    return left


def test_a_state_of_a_version_before_the_seal_is_sound_goes_on_and_is_sealed(older: Path) -> None:
    assert sound(older)
    for _ in range(2):
        assert agrees(older) == 300
    assert not list(older.parent.glob("*.damaged-*"))
    with closing(sqlite3.connect(older)) as db, db:
        db.execute("UPDATE fact SET node = 'other' WHERE id = 290").close()
    assert agrees(older) == 0


@pytest.mark.parametrize("change", ["ALTER TABLE fact DROP COLUMN live", "DROP TABLE log_position"])
def test_what_has_no_seal_and_is_no_state_of_ours_is_begun_anew(older: Path, change: str) -> None:
    with closing(sqlite3.connect(older)) as db, db:
        db.execute(change).close()
    assert agrees(older) == 0
    assert list(older.parent.glob("*.damaged-*"))
