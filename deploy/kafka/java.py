"""Kafka's jars and the Java processes that run them."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from schemas.errors import Unusable

ROOT = Path(__file__).parents[2]
MODEST = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""For a Kafka beside all else: to compile its code to the last costs more than it gains."""


def java() -> str:
    """Find the Java command."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else None
    found = found or shutil.which("java")
    if found is None:
        raise Unusable("Kafka needs Java 17 or newer, and there is no java on the PATH.")
    return found


def jars() -> Path:
    """Find the folder with Kafka's jars."""
    home = Path(os.environ.get("YIZHAN_KAFKA_HOME", ROOT / ".kafka"))
    if not any(home.glob("lib/kafka_*.jar")):
        raise Unusable(f"There are no Kafka jars in {home / 'lib'}: run `make kafka` first.")
    return home / "lib"


def ready() -> None:
    """Raise what is missing, if anything is."""
    java()
    jars()


def command(main: str, *arguments: str, log: Path) -> list[str]:
    """Give the command line for one of Kafka's main classes, logging to `log`."""
    config = Path(__file__).with_name("log4j2.xml")
    options = [*MODEST, f"-Dlog4j2.configurationFile={config}", f"-Dyizhan.log={log}"]
    return [java(), *options, "-cp", f"{jars()}/*", main, *arguments]


def spawn(command: list[str], console: Path) -> int:
    """Start a process that outlives us and our terminal; returns its pid."""
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(console), write, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=files, setsid=True)
    # For a moment a new process has no command line yet, and would look as if it had ended.
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while not line(pid) and os.waitid(os.P_PID, pid, ended) is None:
        time.sleep(0.001)
    return pid


def runs(pid: int, word: str) -> bool:
    """Tell whether `pid` still is the process whose command line holds `word`.

    A pid alone proves nothing: after a crash or a restart it may be somebody else's.
    """
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # one that we started ourselves stays a zombie until asked for
    return word in line(pid)


def line(pid: int) -> str:
    """Give the command line of a process; that of one that has ended is empty."""
    if Path("/proc/self/cmdline").exists():
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        return ""
    show = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(show, capture_output=True, text=True, check=False).stdout


async def end(pid: int, word: str, patience: float = 20) -> None:
    """Ask `pid` to stop, and kill it when it has not after `patience` seconds."""
    deadline = time.monotonic() + patience
    request = signal.SIGTERM
    while runs(pid, word):
        with suppress(ProcessLookupError):
            os.kill(pid, request)
        await gone(pid, word, deadline)
        request = signal.SIGKILL


async def gone(pid: int, word: str, deadline: float) -> None:
    """Return when the process has ended, or at the deadline."""
    while runs(pid, word):
        if time.monotonic() > deadline:
            await asyncio.sleep(0.01)
            return
        await asyncio.sleep(0.05)
