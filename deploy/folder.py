"""The data folder: made, writable, and held by one process per service."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bus.keys import Keys, Role
from schemas.errors import Unusable
from schemas.registry import ROOT

ADMIN = "admin.key"
LOG = "log.db"


@contextmanager
def held(data: Path, names: Iterable[str]) -> Iterator[None]:
    """Make the folder if need be and hold it for these services as long as the process lives.

    A crash lets go as well: the lock belongs to the open file, not to the file's being there.
    """
    with ExitStack() as locks:
        try:
            data.mkdir(parents=True, exist_ok=True)
            for name in names:
                locks.enter_context(_locked(data / f"{name}.lock"))
        except (FileExistsError, NotADirectoryError) as error:
            raise Unusable(f"{data} cannot be the data folder: there is a file") from error
        except OSError as error:
            raise Unusable(f"{data} cannot be the data folder: {error.strerror}") from error
        yield


def first_key(data: Path, keys: Keys) -> Path | None:
    """Write an administrator's key to DATA/admin.key while the store has none; return where.

    An empty file is left by who was cut off while writing it: that key nobody has.
    """
    place = data / ADMIN
    if keys.list() and not (place.exists() and not place.stat().st_size):
        return place if place.exists() else None
    place.unlink(missing_ok=True)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(keys.issue(ROOT, Role.ADMIN, label="first administrator") + "\n")
        file.flush()
        os.fsync(file.fileno())  # its hash is on disk already, and shown it is only here
    return place


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Unusable(
                f"{path.parent} is in use: process {holder} runs {path.stem} there"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
