"""Disks that are full, load while they are, and what must hold in the end."""

import asyncio
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.conftest import lacking
from tests.faults.agree import audited, kept
from tests.system import web
from tests.system.load import STATIONS, Ledger
from tests.system.people import register
from tests.system.process import Process, until
from tests.system.test_kills import load

T = TypeVar("T")


def missing(hub: Process) -> dict[str, str]:
    """What /readyz names while it says no."""
    told = web.get(f"{hub.url}/readyz", timeout=10.0)
    found: dict[str, str] = told.json()["missing"]
    return found if told.status_code == 503 else {}


def lacks(hub: Process, word: str) -> Callable[[], bool]:
    return lambda: any(word in why for why in missing(hub).values())


def started(hub: Process) -> tuple[str, str]:
    """Return the address of a hub's log and its administrator's key, once stations are there."""
    key = (hub.data / "admin.key").read_text().strip()
    register(hub.url, key, *STATIONS)
    return f"sqlite:///{hub.data / 'log.db'}", key


class Flow:
    """Load over HTTP, while it flows; what is refused is sent again until it is taken."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def more(self, facts: int) -> None:
        """Wait until so many more are acknowledged."""
        goal = self.ledger.acknowledged + facts
        until(lambda: self.ledger.acknowledged >= goal)

    def refused(self) -> int:
        """Wait until nothing is acknowledged and much sent again; return how often it was not."""
        before = self.ledger.repeated
        until(lambda: self.ledger.repeated > before + 100)
        acknowledged = self.ledger.acknowledged
        until(lambda: self.ledger.repeated > before + 400)
        assert self.ledger.acknowledged == acknowledged
        return self.ledger.repeated - before


def under_load(hub: Process, key: str, disturb: Callable[[Flow], T]) -> tuple[Ledger, T]:
    """Return the ledger of what was acknowledged by the end, and what `disturb` returned."""
    found: list[T] = []
    ledger = asyncio.run(load(hub.url, key, lambda ledger: found.append(disturb(Flow(ledger)))))
    return ledger, found[0]


def intact(log: str, ledger: Ledger) -> dict[str, int]:
    """Check that the log holds all that was acknowledged, counted rightly; return how much."""
    audited(log)
    statements = asyncio.run(kept(log, ledger))
    return {"acknowledged": ledger.acknowledged, "statements": statements}


@contextmanager
def full(hub: Process) -> Iterator[None]:
    """Let none of a process's files grow beyond what the log has now."""
    usual = resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE)
    size = (hub.data / "log.db-wal").stat().st_size
    resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE, (size, usual[1]))
    yield
    if hub.process.poll() is None:
        resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE, usual)


@contextmanager
def disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Mount a small disk, where the system lets this process have one."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(command, check=False).returncode:
        lacking("disks", "Nobody may mount a small disk here.")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Take all the space that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return ballast
    raise AssertionError("the disk is never full")
