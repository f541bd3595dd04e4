"""States whose log is gone: refused before a new log takes its place."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import MetaData

import bus
from bus import Partition
from bus.state import State
from deploy.disk import Disk
from deploy.origin import STATES, current, of_this_log, there
from schemas.errors import Unusable
from schemas.measures import CATALOGUE
from schemas.topics import REGISTRY
from tests.system.process import Process, processes, yizhan

NAMES = [name.replace("*", "1") for names in STATES.values() for name in names]


def state(data: Path, name: str, log: str) -> Path:
    with State.open(data / name, MetaData(), log):
        return data / name


def log_at(data: Path) -> str:
    return f"sqlite:///{data / 'log.db'}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("empty", [False, True])
def test_a_state_without_its_log_is_refused_and_the_log_is_not_made(
    tmp_path: Path, name: str, *, empty: bool
) -> None:
    place = state(tmp_path, name, "log-1")
    if empty:
        (tmp_path / "log.db").touch()
    with pytest.raises(Unusable, match=r"log\.db is missing.*delete nothing") as caught:
        there(log_at(tmp_path), tmp_path)
    assert str(place) in str(caught.value)
    there("kafka://h:1", tmp_path)
    place.unlink()
    there(log_at(tmp_path), tmp_path)


async def test_a_new_log_beside_the_states_of_another_is_refused_until_it_is_used(
    tmp_path: Path,
) -> None:
    place = state(tmp_path, NAMES[0], "log-1")
    url = log_at(tmp_path)
    async with bus.connect(url) as log:
        mine = state(tmp_path, NAMES[1], log.identity)
        with pytest.raises(Unusable, match="is new and empty") as caught:
            await of_this_log(log, url, tmp_path)
        assert str(place) in str(caught.value)
        assert str(mine) not in str(caught.value)
        await log.publish([bus.Record(REGISTRY, "r", b"k", b"{}")])
        await of_this_log(log, url, tmp_path)


def test_a_hub_whose_log_has_gone_says_so_and_starts_again_when_it_is_back(tmp_path: Path) -> None:
    hub, kept = Process(tmp_path / "data", "up"), tmp_path / "kept"
    kept.mkdir()
    with processes(hub):
        assert hub.end() == 0
        assert (hub.data / f"stats-{CATALOGUE}.db").is_file()  # the name that is looked for
        for file in hub.data.glob("log.db*"):
            file.rename(kept / file.name)
        done = yizhan("up", "--port", "0", "--data", str(hub.data))
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "is missing" in done.stderr
        assert not (hub.data / "log.db").exists()
        for file in kept.iterdir():
            file.rename(hub.data / file.name)
        hub.start()
        hub.until_ready()


async def test_a_log_that_ends_before_what_a_state_has_read_is_refused_by_both_names(
    tmp_path: Path,
) -> None:
    url, source = log_at(tmp_path), Partition(REGISTRY.name, 0)
    async with bus.connect(url) as log:
        await log.publish([bus.Record(REGISTRY, "r", b"k", b"{}")])
        with State.open(tmp_path / "screens.db", MetaData(), log.identity) as read:
            with read.move(source, 0, 1):
                pass
            await of_this_log(log, url, tmp_path)
            with read.move(source, 1, 2):
                pass
        with pytest.raises(Unusable, match=r"log\.db is older than .*screens\.db") as caught:
            await of_this_log(log, url, tmp_path)
        assert "2 records of yizhan.registry/0 where it holds 1" in str(caught.value)
        with closing(sqlite3.connect(tmp_path / "screens.db")) as db, db:
            db.execute("UPDATE log_position SET next = 77")
        await of_this_log(log, url, tmp_path)  # what it says is damage, which opening it tells


async def test_a_state_of_an_older_catalogue_may_be_deleted_while_a_hub_runs(
    tmp_path: Path,
) -> None:
    old, new = (state(tmp_path, f"stats-{n}.db", "log-1") for n in (CATALOGUE - 1, CATALOGUE))
    disk = Disk(tmp_path)
    disk.hold(current(tmp_path, ["stats", "screens", "intake"]))
    old.unlink()
    await disk.look()
    assert disk.ready() == {}
    new.unlink()
    await disk.look()
    assert str(new) in disk.ready()["data folder"]
