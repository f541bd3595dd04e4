"""Whether a log still lies where it was opened.

SQLite goes on writing to a file that was deleted or moved away, and says that it is on disk. So
what is committed counts only if, afterwards, the opened files still have their names.
"""

import os
import sqlite3
from collections.abc import Iterator

from schemas.errors import Unavailable

_Id = tuple[int, int]


class Place:
    """The files of a log as one connection has opened them; nothing for a log in memory."""

    def __init__(self, path: str | None, db: sqlite3.Connection) -> None:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens what lies beside it
        self._path = path
        self._opened = list(self._found())

    def check(self) -> None:
        """Raise Unavailable unless the files are there; one that was only moved may come back."""
        if list(self._found()) != self._opened:
            raise Unavailable(
                f"the log {self._path} takes no records now: its files were moved or deleted"
            )

    def _found(self) -> Iterator[_Id | None]:
        for end in ("", "-wal", "-shm") if self._path else ():
            try:
                found = os.stat(f"{self._path}{end}")  # noqa: PTH116  # a third of what Path takes
            except OSError:
                yield None
            else:
                yield found.st_dev, found.st_ino
