"""What `State` promises: rows and positions in one step, of one log, by one writer."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.exc import IntegrityError

from bus.glance import origin
from bus.port import Partition
from bus.state import AGAIN, State
from schemas.errors import Failing, Fenced, Full, Mismatch, Unusable

TABLES = MetaData()
TOTALS = Table("totals", TABLES, Column("name", String, primary_key=True), Column("n", Integer))
SOURCE = Partition("results", 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    with State.open(path, TABLES, "log-1") as state:
        yield state


def totals(state: State) -> dict[str, int]:
    with state.read() as connection:
        return {row.name: row.n for row in connection.execute(select(TOTALS))}


def test_a_fresh_state_stands_at_the_beginning(state: State) -> None:
    assert state.position(SOURCE) == 0
    assert state.positions == {}


def test_rows_and_position_are_there_together(state: State) -> None:
    with state.move(SOURCE, 0, 10) as connection:
        connection.execute(insert(TOTALS), {"name": "a", "n": 1})
    assert totals(state) == {"a": 1}
    assert state.position(SOURCE) == 10


def test_rows_and_position_are_still_there_when_it_is_opened_again(path: Path) -> None:
    with State.open(path, TABLES, "log-1") as state, state.move(SOURCE, 0, 10) as connection:
        connection.execute(insert(TOTALS), {"name": "a", "n": 1})
    with State.open(path, TABLES, "log-1") as state:
        assert totals(state) == {"a": 1}
        assert state.positions == {SOURCE: 10}


def test_when_writing_fails_neither_rows_nor_position_have_moved(state: State) -> None:
    def fail() -> None:
        with state.move(SOURCE, 0, 10) as connection:
            connection.execute(insert(TOTALS), {"name": "a", "n": 1})
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert totals(state) == {}
    assert state.position(SOURCE) == 0


def test_the_position_is_not_seen_before_the_commit(state: State) -> None:
    with state.move(SOURCE, 0, 10) as connection:
        connection.execute(insert(TOTALS), {"name": "a", "n": 1})
        assert state.position(SOURCE) == 0
        assert totals(state) == {}


def test_moves_follow_one_another(state: State) -> None:
    for base in range(5):
        with state.move(SOURCE, base, base + 1):
            pass
    assert state.position(SOURCE) == 5


@pytest.mark.parametrize("base", [0, 4, 6])
def test_a_move_from_where_it_does_not_stand_is_fenced_and_writes_nothing(
    state: State, base: int
) -> None:
    with state.move(SOURCE, 0, 5):
        pass
    with pytest.raises(Fenced, match="results/2"), state.move(SOURCE, base, 9) as connection:
        connection.execute(insert(TOTALS), {"name": "a", "n": 1})
    assert state.position(SOURCE) == 5
    assert totals(state) == {}


def test_a_first_move_must_begin_at_the_beginning(state: State) -> None:
    with pytest.raises(Fenced), state.move(SOURCE, 3, 9):
        pass


def test_a_second_writer_of_the_file_is_noticed(path: Path, state: State) -> None:
    with State.open(path, TABLES, "log-1") as other:
        with other.move(SOURCE, 0, 3):
            pass
        with pytest.raises(Fenced), state.move(SOURCE, 0, 2):
            pass
        with other.move(SOURCE, 3, 4):
            pass


def test_a_second_writer_is_noticed_later_too(path: Path, state: State) -> None:
    with state.move(SOURCE, 0, 1):
        pass
    with State.open(path, TABLES, "log-1") as other, other.move(SOURCE, 1, 3):
        pass
    with pytest.raises(Fenced), state.move(SOURCE, 1, 2):
        pass


def test_each_partition_has_its_own_position(state: State) -> None:
    other = Partition("results", 3)
    with state.move(SOURCE, 0, 5):
        pass
    with state.move(other, 0, 7):
        pass
    assert state.positions == {SOURCE: 5, other: 7}


def test_rows_may_be_written_without_moving(state: State) -> None:
    with state.write() as connection:
        connection.execute(insert(TOTALS), {"name": "a", "n": 1})
    assert totals(state) == {"a": 1}


def test_a_writer_has_the_file_to_itself_from_the_first_moment(path: Path, state: State) -> None:
    other = sqlite3.connect(path, timeout=0)
    locked = pytest.raises(sqlite3.OperationalError, match="locked")
    with closing(other), state.write(), locked:
        other.execute("BEGIN IMMEDIATE")


def test_a_reader_sees_one_state_throughout(state: State) -> None:
    with state.read() as reading:
        before = reading.execute(select(TOTALS)).all()
        with state.write() as connection:
            connection.execute(insert(TOTALS), {"name": "a", "n": 1})
        assert reading.execute(select(TOTALS)).all() == before


def test_the_state_of_another_log_is_refused_in_one_sentence(path: Path) -> None:
    with State.open(path, TABLES, "log-1"):
        pass
    other = State.open(path, TABLES, "log-2")
    with pytest.raises(Mismatch, match=r"another log.*move the file away"), other:
        pass


def refusal(path: Path) -> str:
    with pytest.raises(Unusable) as caught, State.open(path, TABLES, "log-1"):
        pass
    return str(caught.value)


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    assert str(tmp_path) in refusal(tmp_path)


def test_a_folder_that_is_a_file_is_refused_by_name(path: Path) -> None:
    path.write_text("not a folder")
    assert str(path / "state.db") in refusal(path / "state.db")


def test_a_folder_that_does_not_exist_yet_is_made(tmp_path: Path) -> None:
    with State.open(tmp_path / "new" / "state.db", TABLES, "log-1"):
        pass
    assert (tmp_path / "new" / "state.db").is_file()


def test_a_state_is_also_found_by_its_url(path: Path, state: State) -> None:
    with state.move(SOURCE, 0, 5):
        pass
    with State.open(f"sqlite:///{path}", TABLES, "log-1") as again:
        assert again.position(SOURCE) == 5


def test_the_tables_lie_in_an_ordinary_file(path: Path, state: State) -> None:
    with state.move(SOURCE, 0, 5):
        pass
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT topic, number, next FROM log_position").fetchall()
    assert rows == [("results", 2, 5)]


def fill(state: State) -> None:
    """Move on until the disk is full."""
    with state.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=20").close()
    for base in range(1000):
        with state.move(SOURCE, base, base + 1) as connection:
            connection.execute(insert(TOTALS), {"name": f"{base}" * 1000, "n": base})


def test_a_full_disk_is_one_sentence_and_neither_rows_nor_position_have_moved(
    path: Path, state: State
) -> None:
    with pytest.raises(Unusable) as caught:
        fill(state)
    assert str(caught.value) == f"{path} cannot be used as a state now: database or disk is full"
    position = state.position(SOURCE)
    assert 0 < position == len(totals(state))
    with State.open(path, TABLES, "log-1") as again:
        assert again.positions == {SOURCE: position}


async def test_whoever_is_patient_goes_on_once_there_is_space_again_and_says_what_for(
    path: Path, state: State
) -> None:
    with pytest.raises(Full):
        fill(state)
    base, tries, waits = state.position(SOURCE), 0, list[str | None]()

    async def write() -> int:
        nonlocal tries
        tries += 1
        waits.append(state.doubt())
        if tries == 3:
            state._writer.exec_driver_sql("PRAGMA max_page_count=1000000").close()
            state._writer.commit()
        with state.move(SOURCE, base, base + 1) as connection:
            connection.execute(insert(TOTALS), {"name": "x" * 100_000, "n": 1})
        return tries

    assert await state.patient(write, at_most=0) == 3
    full = f"{path} cannot be used as a state now: database or disk is full"
    assert [*waits, state.doubt()] == [None, full, full, None]
    assert state.position(SOURCE) == base + 1


async def test_a_disk_that_fails_without_being_full_is_given_up_after_a_while(state: State) -> None:
    tries = list[str | None]()

    async def write() -> None:
        tries.append(state.doubt())
        with state.move(SOURCE, 0, 1) as connection:
            connection.exec_driver_sql("PRAGMA query_only=1").close()

    with pytest.raises(Failing, match="readonly database"):
        await state.patient(write, at_most=AGAIN)
    assert tries[0] is None
    assert "readonly database" in str(tries[1])


async def test_whoever_is_patient_does_not_wait_for_what_is_no_matter_of_space(
    state: State,
) -> None:
    async def write() -> None:
        with state.move(SOURCE, 7, 8):
            pass

    with pytest.raises(Fenced):
        await state.patient(write)


def test_a_full_disk_stops_also_what_moves_nothing(state: State) -> None:
    with pytest.raises(Unusable):
        fill(state)
    with pytest.raises(Unusable), state.write() as connection:
        connection.execute(insert(TOTALS), {"name": "x" * 100_000, "n": 1})


def test_a_statement_that_is_wrong_stays_a_fault(state: State) -> None:
    with state.write() as connection:
        connection.execute(insert(TOTALS), {"name": "a", "n": 1})
    with pytest.raises(IntegrityError), state.write() as connection:
        connection.execute(insert(TOTALS), {"name": "a", "n": 2})


def test_a_state_tells_which_log_it_is_of(path: Path, tmp_path: Path) -> None:
    with State.open(path, TABLES, "log-1"):
        assert origin(path) == "log-1"
    assert origin(path) == "log-1"
    (tmp_path / "empty.db").touch()
    assert origin(tmp_path / "empty.db") is None


async def test_a_state_that_takes_its_time_to_be_opened_lets_all_else_go_on(path: Path) -> None:
    with State.open(path, TABLES, "log-1"):
        pass
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.1, other.rollback)  # what it has to wait for
        async with State.opening(path, TABLES, "log-1") as state:
            with state.move(SOURCE, 0, 5):
                pass
            assert state.positions == {SOURCE: 5}
