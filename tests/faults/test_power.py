"""Power cuts: whatever was not synced is lost, whole or in part; what was acknowledged is not."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from bus import sqlite
from schemas.errors import Unusable
from tests.bus.reading import read
from tests.conftest import lacking
from tests.faults.agree import agrees, audited, kept
from tests.faults.conftest import LONG, Tell
from tests.faults.power import ASKED, FACTS, OWNER, SAID
from tests.system.load import STATIONS, Ledger
from tests.system.people import register
from tests.system.process import Process, processes, until
from tests.system.test_kills import load

ROOT = Path(__file__).parents[2]
OPERATIONS = 1200
RUNS = 20 if LONG else 5
CUTS = 60 if LONG else 12
Said = list[tuple[str, int, int, str]]


@pytest.fixture(autouse=True)
def library() -> None:
    if "libsqlite3" not in Path("/proc/self/maps").read_text() and sqlite3.sqlite_version:
        lacking("disks", "Python's sqlite3 is linked into Python: nothing can be put under it.")


def write(path: Path, images: Path, dice: Random, *synchronous: str) -> Said:
    """Let another process write a log on a disk that forgets; return what was acknowledged."""
    command = (sys.executable, "-m", "tests.faults.power", "log")
    arguments = (path, images, dice.getrandbits(32), OPERATIONS, *synchronous)
    subprocess.run((*command, *map(str, arguments)), cwd=ROOT, check=True, timeout=120)
    return [(*said,) for said in json.loads((images / "acknowledged.json").read_text())]


def taken(images: Path) -> list[Path]:
    return sorted((one for one in images.iterdir() if one.is_dir()), key=lambda one: int(one.name))


async def lost(image: Path, said: Said) -> list[str]:
    """Return what of `said` an image does not hold, after checks of the image itself."""
    path = image / "log.db"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.execute("PRAGMA wal_checkpoint").fetchall()
    async with sqlite.connect(str(path), 2) as bus:
        found = {}
        for topic, number in ((FACTS, 0), (FACTS, 1), (SAID, 0)):
            for stored in await read(bus, topic, number):
                found[topic.name, number, stored.offset] = (stored.value or b"").decode()
        decided = (await bus.positions(OWNER)).get(ASKED, 0)
    assert decided == sum(topic == SAID.name for topic, _, _ in found)
    return [value[:40] for topic, n, at, value in said if found.get((topic, n, at)) != value]


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_missing_whenever_the_power_is_cut(
    tmp_path: Path, dice: Random, tell: Tell
) -> None:
    before: Said = []
    path, cuts, checked = tmp_path / "0" / "log.db", 0, 0
    for run in range(RUNS):
        path.parent.mkdir(exist_ok=True)
        images = tmp_path / f"images-{run}"
        said = write(path, images, dice)
        for image in taken(images):
            expected = before + said[: int((image / "count").read_text())]
            assert asyncio.run(lost(image, expected)) == [], (run, image.name)
            cuts, checked = cuts + 1, checked + len(expected)
        # What follows goes on where the power was cut.
        image = dice.choice(taken(images))
        before += said[: int((image / "count").read_text())]
        path = tmp_path / str(run + 1) / "log.db"
        shutil.copytree(image, path.parent)
        shutil.rmtree(images)
    assert cuts >= 100
    tell("nothing acknowledged is missing", cuts=cuts, records_looked_for=checked)


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_without_fsync_the_same_cuts_lose_what_was_acknowledged(
    tmp_path: Path, synchronous: str, dice: Random, tell: Tell
) -> None:
    said = write(tmp_path / "log.db", tmp_path / "images", dice, synchronous)
    hurt = 0
    for image in taken(tmp_path / "images"):
        try:
            hurt += bool(asyncio.run(lost(image, said[: int((image / "count").read_text())])))
        except (AssertionError, Unusable, sqlite3.DatabaseError):
            hurt += 1
    assert hurt > 10
    tell(f"synchronous={synchronous} loses", cuts=len(taken(tmp_path / "images")), hurt=hurt)


class Cut(Process):
    """A hub on a disk that forgets, whose power is cut after so many operations of the disk."""

    def __init__(self, data: Path) -> None:
        super().__init__(data, "up")
        self._command = (sys.executable, "-m", "tests.faults.power", "yizhan", *self._command[1:])

    def prepare(self, seed: int, after: int = 1 << 40) -> None:
        """Choose the next cut."""
        self._environment |= {"YIZHAN_SEED": str(seed), "YIZHAN_CUT": str(after)}

    def until_cut(self) -> None:
        """Start it; wait until its power is cut."""
        self.start()
        until(lambda: self.process.poll() is not None, self.said)
        assert self.process.returncode == 9, self.said()
        for memory in self.data.glob("*-shm"):
            memory.unlink()


@pytest.mark.timeout(600)
def test_a_hub_whose_power_is_cut_again_and_again_counts_every_acknowledged_fact_once(
    tmp_path: Path, tell: Tell, dice: Random
) -> None:
    hub, amid = Cut(tmp_path / "data"), 0
    hub.prepare(0)
    with processes(hub):
        key = (hub.data / "admin.key").read_text().strip()
        register(hub.url, key, *STATIONS)
        log = f"sqlite:///{hub.data / 'log.db'}"

        def cut(ledger: Ledger) -> None:
            nonlocal amid
            hub.kill()
            for _ in range(CUTS):
                before = ledger.acknowledged
                hub.prepare(dice.getrandbits(32), dice.randint(50, 3000))
                hub.until_cut()
                amid += ledger.acknowledged > before
            hub.prepare(0)
            hub.start()
            hub.until_ready()

        ledger = asyncio.run(load(hub.url, key, cut))
        agrees(hub.url, ledger)
        damaged = list(hub.data.glob("*.damaged-*"))
        assert hub.end() == 0
    audited(log)
    statements = asyncio.run(kept(log, ledger))
    assert not damaged, "SQLite keeps its promises over a power cut"
    assert amid > CUTS / 2, "so many cuts were in the midst of posts"
    tell(
        "counted once",
        cuts=CUTS,
        amid_posts=amid,
        acknowledged=ledger.acknowledged,
        again=ledger.repeated,
        statements=statements,
    )
