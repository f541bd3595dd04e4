"""What a supervisor does and sees: who ends is started again, who says nothing is noticed."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Self

import httpx

from tests.system import web
from tests.system.process import SOON, Process, until

EVERY = 0.2
"""Seconds between two looks."""


class Keeper:
    """Looks after processes in a thread; `ended` are the exit codes of those that ended.

    Whoever ends must have a reason that it can name: none may have ended by a fault.
    """

    def __init__(self, *parts: Process) -> None:
        self.ended: list[int] = []
        self.silence = 0.0
        """The longest time in seconds that one of them did not answer at all."""
        self._heard: dict[Process, float] = {}
        self._parts, self._ever = list(parts), list(parts)
        self._stop, self._looking = Event(), Lock()
        self._thread = Thread(target=self._run, name="keeper")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, wrong: object, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for part in self._ever if wrong is None else ():
            part.sound()

    @contextmanager
    def away(self, part: Process, instead: Process) -> Iterator[None]:
        """Look away from one meanwhile, and after another one from then on."""
        with self._looking:
            self._parts.remove(part)
        yield
        with self._looking:
            self._parts.append(instead)
            self._ever.append(instead)

    def _run(self) -> None:
        with httpx.Client(timeout=2.0) as http:
            while not self._stop.wait(EVERY):
                with self._looking:
                    for part in self._parts:
                        self._look(http, part)

    def _look(self, http: httpx.Client, part: Process) -> None:
        now = time.monotonic()
        if (code := part.process.poll()) is not None:
            self.ended.append(code)
            part.start()
        with suppress(httpx.TransportError):
            http.get(f"{part.url}/livez")
            self._heard[part] = time.monotonic()
        self.silence = max(self.silence, now - self._heard.setdefault(part, now))


def ready(parts: Iterable[Process]) -> Callable[[], bool]:
    """Return what tells whether all of these are ready; one that has just ended is not."""

    def asked() -> bool:
        with suppress(httpx.TransportError):
            return all(web.get(f"{p.url}/readyz", timeout=2.0).status_code == 200 for p in parts)
        return False

    return asked


def settled(parts: Iterable[Process], within: float = SOON) -> None:
    """Wait at most so many seconds until all of these are ready, also those started again."""
    held = list(parts)
    until(ready(held), lambda: "\n".join(part.said()[-1500:] for part in held), within)
