"""A hub as a district runs it: each service a process of its own, on one Kafka."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.load import STATIONS
from tests.system.people import register
from tests.system.process import Process, processes, yizhan

INTAKE, MATCHING, STATS, SCREENS = "intake", "matching", "stats", "screens"
PARTS = (INTAKE, MATCHING, STATS, SCREENS)


class Site:
    """Processes of one hub; `key` is an administrator's. Nothing runs until it is started."""

    def __init__(self, root: Path, bus: str) -> None:
        self.root, self.bus = root, bus
        made = yizhan("topics", "create", "--bus", bus)
        assert made.returncode == 0, made.stderr
        issued = yizhan("keys", "issue", "--role", "admin", "--data", str(self._data(0)))
        assert issued.returncode == 0, issued.stderr
        self.key = issued.stdout.strip()

    def part(self, name: str, twin: int = 0, bus: str | None = None) -> Process:
        """Return a service that is not started yet; a `twin` has a data folder of its own."""
        data = self._data(twin)
        data.mkdir(parents=True, exist_ok=True)
        return Process(data, name, bus=bus or self.bus)

    def parts(self, *names: str, bus: str | None = None) -> list[Process]:
        """Return one of each of these services, or of all."""
        return [self.part(name, bus=bus) for name in names or PARTS]

    def _data(self, twin: int) -> Path:
        return self.root / (f"data-{twin}" if twin else "data")


@contextmanager
def running(site: Site, *made: Process) -> Iterator[None]:
    """Run these processes and register the stations; the first of them is an intake."""
    with processes(*made):
        register(made[0].url, site.key, *STATIONS)
        yield
