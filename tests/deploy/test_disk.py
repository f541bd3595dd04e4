"""Readiness by what the data folder takes."""

import asyncio
import resource
from os import stat_result
from pathlib import Path
from threading import Event

import pytest

from deploy.disk import Disk
from schemas.errors import Unusable
from tests.system import web
from tests.system.process import Process, processes, until


def missing(hub: Process) -> dict[str, str]:
    """What /readyz names while it says no."""
    told = web.get(f"{hub.url}/readyz")
    found: dict[str, str] = told.json()["missing"]
    return found if told.status_code == 503 else {}


async def test_a_folder_is_ready_while_it_can_be_written_and_nothing_is_left_in_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    disk = Disk(folder)
    await disk.look()
    assert disk.ready() == {"data folder": "No such file or directory"}
    folder.mkdir()
    await disk.look()
    assert disk.ready() == {}
    assert not list(folder.iterdir())


async def test_a_try_that_does_not_end_is_a_failed_one(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk._began = -1e9
    assert "no answer" in disk.ready()["data folder"]
    await disk.look()
    assert disk.ready() == {}


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can limit another process")
def test_a_hub_whose_disk_takes_no_more_is_not_ready_until_it_does_again(tmp_path: Path) -> None:
    hub = Process(tmp_path / "data", "up")
    with processes(hub):
        usual = resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE, (60_000, usual[1]))
        until(lambda: missing(hub).get("data folder") == "File too large", hub.said)
        resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE, usual)
        until(lambda: web.get(f"{hub.url}/readyz").status_code == 200, hub.said)
        assert hub.end() == 0


class Hanging(type(Path())):  # type: ignore[misc]  # the class of paths here
    """A folder whose file system does not say any more what lies there."""

    asked, answered = Event(), Event()

    def stat(self, *, follow_symlinks: bool = True) -> stat_result:
        self.asked.set()
        self.answered.wait(2)
        found: stat_result = super().stat(follow_symlinks=follow_symlinks)
        return found


async def test_a_file_system_that_hangs_holds_up_nothing_but_the_try(tmp_path: Path) -> None:
    folder = Hanging(tmp_path)
    disk = Disk(folder)
    folder.answered.set()
    disk.hold([])
    folder.answered.clear()
    folder.asked.clear()
    looking = asyncio.create_task(disk.look())
    await asyncio.to_thread(folder.asked.wait)
    assert not looking.done()
    disk._began = -1e9
    assert "no answer" in disk.ready()["data folder"]
    folder.answered.set()
    await looking
    assert disk.ready() == {}


async def test_a_file_that_is_gone_while_it_is_open_is_told_until_it_is_back(
    tmp_path: Path,
) -> None:
    log, disk = tmp_path / "log.db", Disk(tmp_path)
    for name in ("log.db", "log.db-wal"):
        (tmp_path / name).write_text("held")
    disk.hold([log])
    for name in ("log.db", "log.db-wal"):
        (tmp_path / name).rename(tmp_path / "away")
        await disk.look()
        assert disk.ready() == {"data folder": f"{tmp_path / name}: moved or deleted"}
        (tmp_path / "away").rename(tmp_path / name)
        await disk.look()
        assert disk.ready() == {}


async def test_a_file_that_was_replaced_while_it_is_open_never_comes_back(tmp_path: Path) -> None:
    log, disk = tmp_path / "log.db", Disk(tmp_path)
    log.write_text("held")
    disk.hold([log])
    log.rename(tmp_path / "away")
    log.write_text("another")
    with pytest.raises(Unusable, match=r"log\.db was replaced while it was open"):
        await disk.look()
