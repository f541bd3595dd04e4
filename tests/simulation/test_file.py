"""Files of the simulation: what they lose is what a real disk would lose, and never more."""

from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from bus.port import Partition
from bus.state import State
from tests.simulation.file import File, Killed
from tests.simulation.log import Log
from tests.simulation.options import drawn

TABLES = MetaData()
NUMBERS = Table("numbers", TABLES, Column("n", Integer, primary_key=True))
SOURCE = Partition("yizhan.results", 1)


def file(path: Path, seed: int, *, faulty: bool) -> File:
    log = Log(replace(drawn(0), faults=frozenset({"kill"})), Random(seed), Counter())
    log.faulty = faulty
    return File(path / f"{seed}.db", TABLES, log, Random(seed))


def move(state: State, n: int) -> None:
    with state.move(SOURCE, n, n + 1) as db:
        db.execute(insert(NUMBERS), {"n": n})


def held(state: State) -> list[int]:
    with state.read() as db:
        return sorted(db.scalars(select(NUMBERS.c.n)))


@pytest.mark.parametrize("seed", range(8))
def test_a_power_cut_takes_the_youngest_commits_and_leaves_a_sound_file(
    tmp_path: Path, seed: int
) -> None:
    made = file(tmp_path, seed, faulty=False)
    with made.opened() as state:
        for n in range(20):
            move(state, n)
        made.cut()
        with made.opened() as after:
            position = after.position(SOURCE)
            assert 15 <= position <= 20
            assert held(after) == list(range(position))
    assert not list(tmp_path.glob("*damaged*"))


def test_a_power_cut_can_take_all_there_was(tmp_path: Path) -> None:
    for seed in range(40):
        made = file(tmp_path, seed, faulty=False)
        with made.opened():
            made.cut()
        with made.opened() as state:
            assert not state.positions


def test_who_dies_at_a_commit_leaves_nothing_of_it(tmp_path: Path) -> None:
    made, died = file(tmp_path, 1, faulty=True), list[int]()
    made.kill = lambda: died.append(1)
    with made.opened() as state:
        done = next(n for n in count() if _dies(state, n))
        with made.opened() as after:
            assert (after.position(SOURCE), held(after)) == (done, list(range(done)))
    assert died == [1]


def _dies(state: State, n: int) -> bool:
    try:
        move(state, n)
    except Killed:
        return True
    return False
