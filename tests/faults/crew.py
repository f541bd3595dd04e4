"""The workers of one service: how many there are changes while they work."""

import signal
from random import Random
from typing import Self

from tests.faults.site import Site


class Crew:
    """At most so many workers of a service, each with a data folder that waits for its return.

    In the end none of them works, and none has ended by a fault.
    """

    def __init__(self, site: Site, service: str, most: int) -> None:
        self.all = [site.part(service, twin) for twin in range(most)]
        self.working = self.all[:0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, wrong: object, *_: object) -> None:
        self.rest()
        for process in self.all if wrong is None else ():
            process.sound()

    def rest(self) -> None:
        """Let none work any more."""
        for process in self.working:
            if process.process.poll() is None:
                process.kill()

    def come(self, number: int) -> None:
        """Let so many work."""
        idle = [process for process in self.all if process not in self.working]
        for process in idle[: number - len(self.working)]:
            process.start()
            self.working.append(process)

    def ready(self) -> None:
        """Wait until all that work are ready."""
        for process in self.working:
            process.until_ready()

    def leave(self, dice: Random, way: signal.Signals) -> None:
        """Let one of them go: SIGTERM in good order, SIGKILL not. None has gone by itself."""
        for process in self.working:
            assert process.process.poll() is None, process.said()
        gone = self.working.pop(dice.randrange(len(self.working)))
        if way == signal.SIGTERM:
            assert gone.end() == 0, gone.said()
        else:
            gone.kill()
