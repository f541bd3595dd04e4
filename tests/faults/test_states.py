"""States and logs that are lost, torn, old or another's: a right number, or a clear refusal."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from random import Random

import httpx
import pytest

from schemas.measures import CATALOGUE
from tests.faults.conftest import LONG, Tell
from tests.faults.stored import History, history
from tests.system import web
from tests.system.process import Process, processes, until, yizhan

FACTS = 700
STATES = (f"stats-{CATALOGUE}.db", "screens.db", "requests.db")
Damage = Callable[[Path, History, Random], None]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> History:
    return history(tmp_path_factory.mktemp("past"), FACTS)


def end(place: Path, name: str) -> Path:
    return place.with_name(place.name + name)


def deleted(place: Path, _past: History, _dice: Random) -> None:
    for name in ("", "-wal", "-shm"):
        end(place, name).unlink(missing_ok=True)


def deleted_but_its_wal(place: Path, _past: History, _dice: Random) -> None:
    place.unlink()


def without_wal(place: Path, _past: History, _dice: Random) -> None:
    end(place, "-wal").unlink(missing_ok=True)


def truncated(place: Path, _past: History, dice: Random) -> None:
    for torn in (place, end(place, "-wal")):
        if torn.exists():
            os.truncate(torn, dice.randrange(torn.stat().st_size))


def flipped(place: Path, _past: History, dice: Random) -> None:
    for torn in (place, end(place, "-wal")):
        if torn.exists():
            held = bytearray(torn.read_bytes())
            for _ in range(dice.randint(1, 8)):
                held[dice.randrange(len(held))] ^= 1 << dice.randrange(8)
            torn.write_bytes(held)


def other_rows(place: Path, _past: History, _dice: Random) -> None:
    """What no structure shows: rows that somebody, or a bad disk, has taken out."""
    with closing(sqlite3.connect(place)) as db, db:
        for table in ("blob", "statement", "standing", "request"):
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                db.execute(f"DELETE FROM {table} WHERE rowid % 2")
        assert db.total_changes, f"{place.name} holds none of these tables any more, or no rows"


def a_page_of_zeros(place: Path, _past: History, dice: Random) -> None:
    with place.open("r+b") as file:
        file.seek(dice.randrange(place.stat().st_size // 4096) * 4096)
        file.write(bytes(4096))


def an_older_copy(place: Path, past: History, _dice: Random) -> None:
    deleted(place, past, _dice)
    for name in ("", "-wal"):
        shutil.copy(end(past.copies["older"] / place.name, name), end(place, name))


def an_older_copy_without_its_wal(place: Path, past: History, dice: Random) -> None:
    an_older_copy(place, past, dice)
    end(place, "-wal").unlink()


def an_older_copy_under_the_newer_wal(place: Path, past: History, _dice: Random) -> None:
    shutil.copy(past.copies["older"] / place.name, place)


DAMAGES: tuple[tuple[str, Damage], ...] = (
    ("left", deleted),
    ("left", deleted_but_its_wal),
    ("left", without_wal),
    ("left", truncated),
    ("left", flipped),
    ("left", an_older_copy),
    ("left", an_older_copy_without_its_wal),
    ("left", an_older_copy_under_the_newer_wal),
    ("shut", truncated),
    ("shut", flipped),
    ("shut", other_rows),
    ("shut", a_page_of_zeros),
)


def copied(past: History, name: str, tmp_path: Path) -> Path:
    data = tmp_path / "data"
    shutil.copytree(past.copies[name], data)
    return data


@pytest.mark.timeout(300)
@pytest.mark.parametrize("names", [STATES, *([one] for one in STATES if LONG)], ids="+".join)
@pytest.mark.parametrize(
    "damage", DAMAGES, ids=[f"{kind}-{damage.__name__}" for kind, damage in DAMAGES]
)
def test_a_hub_whose_states_are_not_as_they_were_left_shows_the_right_numbers_once_it_is_ready(  # noqa: PLR0917  # fixtures
    past: History,
    tmp_path: Path,
    names: Sequence[str],
    damage: tuple[str, Damage],
    dice: Random,
    tell: Tell,
) -> None:
    kind, hurt = damage
    data = copied(past, kind, tmp_path)
    for name in names:
        hurt(data / name, past, dice)
    hub = Process(data, "up")
    with processes(hub):
        numbers = past.shown(hub)
        assert hub.end() == 0
    report = yizhan("audit", "--data", str(data), "--json")
    assert report.returncode == 0, report.stdout + report.stderr
    anew = len(list(data.glob("*.damaged-*[0-9]")))
    tell("right", states=len(names), numbers=numbers, put_aside=anew)


def refused(data: Path, *words: str) -> str:
    """Check that a hub does not start, and says why in one line with these words."""
    done = yizhan("up", "--port", "0", "--data", str(data))
    assert done.returncode == 1, done.stderr
    sentence = done.stderr.strip().splitlines()[-1]
    assert all(word in sentence for word in words), done.stderr
    return sentence


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", STATES)
def test_a_state_of_another_hub_is_refused_by_name_and_left_alone(
    past: History, tmp_path: Path, name: str
) -> None:
    data, other = copied(past, "shut", tmp_path), tmp_path / "other"
    hub = Process(other, "up")
    with processes(hub):
        assert hub.end() == 0
    shutil.copy(other / name, data / name)
    held = (data / name).read_bytes()
    refused(data, str(data / name), "another log", "move the file away")
    assert (data / name).read_bytes() == held


@pytest.mark.timeout(300)
def test_states_of_a_newer_position_than_an_older_copy_of_the_log_are_refused(
    past: History, tmp_path: Path, dice: Random
) -> None:
    data = copied(past, "left", tmp_path)
    an_older_copy(data / "log.db", past, dice)
    held = [end(data / "log.db", name).read_bytes() for name in ("", "-wal")]
    refused(data, "log.db is older than", "put the newer log back")
    refused(data, "log.db is older than", "put the newer log back")
    for name in STATES:
        deleted(data / name, past, dice)
    assert held[0]
    hub = Process(data, "up")
    with processes(hub):
        assert hub.end() == 0


@pytest.mark.timeout(300)
def test_a_state_of_an_older_catalogue_is_not_looked_at(past: History, tmp_path: Path) -> None:
    data = copied(past, "shut", tmp_path)
    (data / STATES[0]).rename(data / f"stats-{CATALOGUE - 1}.db")
    hub = Process(data, "up")
    with processes(hub):
        past.shown(hub)
        assert hub.end() == 0
    assert (data / STATES[0]).is_file()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("damage", [deleted, without_wal, truncated, a_page_of_zeros])
@pytest.mark.parametrize("kind", ["left", "shut"])
def test_a_log_that_is_torn_is_refused_by_name_or_shows_the_right_numbers(  # noqa: PLR0917  # fixtures
    past: History, tmp_path: Path, kind: str, damage: Damage, dice: Random, tell: Tell
) -> None:
    data = copied(past, kind, tmp_path)
    damage(data / "log.db", past, dice)
    hub = Process(data, "up")
    hub.start()
    try:
        until(lambda: hub.process.poll() is not None or ready(hub), hub.said)
        if hub.process.poll() is None:
            tell("right", numbers=past.shown(hub))
        else:
            sentence = hub.said().splitlines()[-1]
            assert hub.process.returncode == 1, sentence
            assert "log.db" in sentence
            tell(sentence.replace(str(tmp_path), ""))
        hub.sound()
    finally:
        if hub.process.poll() is None:
            hub.kill()


def ready(hub: Process) -> bool:
    with suppress(httpx.TransportError):
        return web.get(f"{hub.url}/readyz", timeout=5.0).status_code == 200
    return False


@pytest.mark.timeout(300)
@pytest.mark.parametrize("damage", [truncated, a_page_of_zeros])
def test_a_torn_store_of_keys_is_refused_by_name(
    past: History, tmp_path: Path, damage: Damage, dice: Random
) -> None:
    data = copied(past, "shut", tmp_path)
    damage(data / "keys.db", past, dice)
    refused(data, "keys.db")
