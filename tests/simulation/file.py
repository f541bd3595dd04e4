"""A real state file on a simulated disk: whoever writes it may die at any commit.

A commit is there as a whole or not at all, and a power cut takes the youngest of them. So what
ought to be one commit, and is two, is found with only the first of them there.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from sqlalchemy import Connection, MetaData, event

from bus.state import State
from tests.simulation.log import Log


class Killed(BaseException):
    """The process that was about to commit is no more."""


class File:
    """A state file that outlives its process."""

    def __init__(self, path: Path, tables: MetaData, log: Log, dice: Random) -> None:
        self._first = self._path = path
        self._tables, self._log, self._dice = tables, log, dice
        self._cuts = 0
        self.kill: Callable[[], None] = lambda: None
        """Kills whoever holds this file, in the middle of a step."""

    @contextmanager
    def opened(self) -> Iterator[State]:
        """Give the state of one life."""
        with State.open(self._path, self._tables, self._log.identity) as state:
            # Nothing is synced before its time: what lies in the WAL can still be lost.
            state._writer.connection.execute("PRAGMA wal_autocheckpoint=0").close()
            event.listen(state._writer, "commit", self._commit)
            yield state

    def _commit(self, connection: Connection) -> None:
        if self._log.odds("kill", 0.06):
            self._log.happened["killed at a commit"] += 1
            self.kill()
            connection.connection.execute("ROLLBACK").close()
            raise Killed

    def cut(self) -> None:
        """Lose power: the youngest commits were never synced."""
        old, self._cuts = self._path, self._cuts + 1
        self._path = self._first.with_name(f"{self._first.name}-{self._cuts}")
        if old.exists():
            shutil.copy(old, self._path)
        wal = Path(f"{old}-wal")
        if wal.exists():
            whole = wal.read_bytes()
            ends = _commits(whole)
            lost = min(self._dice.randint(0, 5), len(ends))
            self._log.happened["commits lost"] += lost
            Path(f"{self._path}-wal").write_bytes(whole[: [0, *ends][len(ends) - lost]])

    def wipe(self) -> None:
        """Lose the file."""
        for file in self._path.parent.glob(f"{self._path.name}*"):
            file.unlink()


def _commits(wal: bytes) -> list[int]:
    """Return where in a write-ahead log of SQLite's each commit ends."""
    size, found = 24 + int.from_bytes(wal[8:12]), list[int]()
    for at in range(32, len(wal) - size + 1, size):
        if wal[at + 8 : at + 16] != wal[16:24]:  # a frame from before the log began anew
            break
        if wal[at + 4 : at + 8] != bytes(4):  # the last frame of a commit says how long the file is
            found.append(at + size)
    return found
