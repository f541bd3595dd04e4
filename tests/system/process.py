"""Real processes of Yizhan: started, watched, and killed by their pid."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import httpx

from tests.system import web
from tests.system.meanwhile import look_around

YIZHAN = Path(sys.executable).with_name("yizhan")
SOON = 180.0
"""Seconds that anything may take on a machine that is busy with much else."""
FAULT = "ended by a fault"
"""What a process says that ends by a mistake of ours, and not for a reason it can name."""


def free_port() -> int:
    """Ask the system for a free port."""
    with socket.create_server(("127.0.0.1", 0)) as asked:
        port: int = asked.getsockname()[1]
        return port


def until(true: Callable[[], bool], why: Callable[[], str] = str, within: float = SOON) -> None:
    """Wait for a condition of another process, which can only be asked for again and again."""
    began = time.monotonic()
    while not true():
        look_around()
        assert time.monotonic() < began + within, why()
        Event().wait(0.02)


class Process:
    """One `yizhan …` on a port of its own; what it says goes to a file."""

    def __init__(self, data: Path, *arguments: str, bus: str | None = None) -> None:
        self.name, self.data, self.port = arguments[0], data, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        port = ("--port", str(self.port), "--data", str(data))
        self._command = (str(YIZHAN), *arguments, *port)
        self._environment = os.environ | ({"YIZHAN_BUS": bus} if bus else {})
        self._said = data.parent / f"{arguments[0]}-{self.port}.log"
        self._running: subprocess.Popen[bytes] | None = None
        self._missing = ""

    def start(self) -> None:
        """Start it, without waiting."""
        with self._said.open("ab") as said:
            self._running = subprocess.Popen(
                self._command, stdout=said, stderr=said, env=self._environment
            )

    def until_ready(self, within: float = SOON) -> None:
        """Wait until /readyz says yes."""
        until(self._ready, lambda: f"{self.name}: {self._missing}\n{self.said()}", within)

    def _ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        with suppress(httpx.TransportError):
            answer = web.get(f"{self.url}/readyz", timeout=2.0)
            self._missing = answer.text
            return answer.status_code == 200
        return False

    def kill(self) -> None:
        """Kill it with -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> int:
        """End it with SIGTERM; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process that runs or ran last."""
        assert self._running is not None
        return self._running

    def said(self) -> str:
        """Return what it printed last."""
        return self._said.read_text(errors="replace")[-4000:]

    def sound(self) -> None:
        """Check that it has never ended by a fault, in all that it ever printed."""
        said = self._said.read_text(errors="replace") if self._said.exists() else ""
        _, fault, told = said.partition(FAULT)
        assert not fault, f"{self.name}: {fault}{told[:4000]}"

    def times(self, words: str) -> int:
        """Return how often it has printed these words, in all."""
        return self._said.read_text(errors="replace").count(words)

    def lines(self) -> int:
        """Return how many lines it has printed."""
        return self._said.read_bytes().count(b"\n")


@contextmanager
def processes(*made: Process) -> Iterator[None]:
    """Start processes; in the end none of them is left, and none has ended by a fault."""
    try:
        for process in made:
            process.start()
        for process in made:
            process.until_ready()
        yield
        for process in made:
            process.sound()
    finally:
        for process in made:
            if process.process.poll() is None:
                process.kill()


def yizhan(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        (str(YIZHAN), *arguments), capture_output=True, text=True, timeout=120, check=False
    )
