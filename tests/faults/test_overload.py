"""Five times what can be taken: told early to come back, nothing accepted is lost, memory flat."""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from statistics import linear_regression
from threading import Event, Thread

import httpx
import pytest

from tests.faults.agree import agrees, audited
from tests.faults.conftest import LONG, Tell
from tests.faults.flood import SIZE, Flood, Flooded, fact, share
from tests.faults.site import INTAKE, PARTS, SCREENS, Site, running
from tests.system.process import Process, until

MEASURED = 10.0
"""Seconds for which the pace is measured that can be kept."""
LASTS = 600.0 if LONG else 60.0
"""Seconds of the flood: the slice has a tenth of the ten minutes, and no clock runs faster."""
TIMES = 5
MANY = 20 * SIZE
"""Facts of which nobody could say whether they were taken: so many are no accident."""
EARLY = 2.0
"""Seconds within which who is refused knows it, however slow all else is."""
IN_FLIGHT = 64
"""Batches that intake works on at a time, unless it is told otherwise: nobody waits for more."""
SHARE = 0.5
"""Of the pace that is kept when nobody asks too much, so much at least is kept in the flood."""
FLAT = 0.1 if LONG else 0.5
"""By so much of itself what a process holds may grow, once the first third of a flood is over.

Within the minute of the slice the audit begins its first recount, which takes its room once: 35 MB
beside 120. What grows by less than some 300 bytes a fact shows in the long form only.
"""


class Memory:
    """The megabytes that processes hold, every second."""

    def __init__(self, *parts: Process) -> None:
        self.held: dict[Process, list[float]] = {part: [] for part in parts}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look meanwhile."""
        stop = Event()
        thread = Thread(target=self._look, args=[stop])
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _look(self, stop: Event) -> None:
        while not stop.wait(1.0):
            for part, held in self.held.items():
                held.append(resident(part))

    def growth(self, part: Process) -> float:
        """Return how much it grew after the first third, in shares of what it held by then.

        That is what a straight line through everything says: one that grows without end has no
        second at which it stops, and one peak is no growth.
        """
        held = self.held[part][len(self.held[part]) // 3 :]
        slope, start = linear_regression(range(len(held)), held)
        return slope * len(held) / start


def resident(part: Process) -> float:
    """Return what a process holds in memory now, in megabytes."""
    status = Path(f"/proc/{part.process.pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1000


def sent(flood: Flood) -> Flooded:
    """Send a flood from another process: it must not share a thread with what is measured."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(flood.run).result()


def settle(intake: Process, key: str, *floods: Flooded) -> dict[int, int]:
    """State anew what nobody knows of; return the revision of each subject that stands."""
    stands: dict[int, int] = {}
    for flood in floods:
        stands |= flood.revisions
    unsure = set[int]().union(*(flood.unsure for flood in floods))
    lost = [(flood.offered, dict(flood.lost)) for flood in floods]
    assert len(unsure) < MANY, f"{len(unsure)} were told nothing: {lost}"
    for serial in unsure:
        stands[serial] = 1_000_000
        until(lambda serial=serial: _stated(intake, key, serial))  # type: ignore[misc]
    return stands


def _stated(intake: Process, key: str, serial: int) -> bool:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
    body = fact(serial, 1_000_000)
    answer = httpx.post(f"{intake.url}/v1/events", json=body, headers=headers, timeout=20)
    return answer.status_code == 207 and answer.json()[0]["status"] == 202


@pytest.mark.timeout(1800 if LONG else 600)
def test_five_times_too_much_is_refused_early_and_what_is_accepted_counts_within_two_minutes(
    own_kafka: str, tmp_path: Path, tell: Tell
) -> None:
    site = Site(tmp_path, f"kafka://{own_kafka}")
    parts = dict(zip(PARTS, site.parts(), strict=True))
    intake, screens = parts[INTAKE], parts[SCREENS]
    memory = Memory(*parts.values())
    with running(site, *parts.values()):
        calm = Flood(intake.url, site.key, MEASURED, first=1)
        kept = sent(calm)
        flood = replace(calm, seconds=LASTS, first=1000, rate=TIMES * kept.pace / SIZE)
        with memory.watched():
            found = sent(flood)
        ended = time.monotonic()
        stands = settle(intake, site.key, kept, found)
        ledger = replace(found, revisions=stands).ledger()
        cells = agrees(screens.url, ledger)
        lag = time.monotonic() - ended
        audited(site.bus)
    accepted, refused = found.accepted, found.refused
    bound = 3 * IN_FLIGHT * SIZE / kept.pace
    tell(
        f"overload, {LASTS:.0f} s",
        kept=f"{kept.pace:.0f} facts/s",
        offered=f"{found.offered * SIZE / LASTS:.0f} facts/s",
        accepted=f"{found.pace:.0f} facts/s",
        refused=f"{len(refused) / found.offered:.0%}",
        p50=f"{share(accepted, 0.5):.2f} s",
        p99=f"{share(accepted, 0.99):.2f} s (bound {bound:.1f})",
        refusal=f"p50 {share(refused, 0.5):.2f} p99 {share(refused, 0.99):.2f} s",
        unsure=len(found.unsure),
        slow=found.slow,
        memory={
            name: f"{memory.held[part][0]:.0f} to {memory.held[part][-1]:.0f} MB, "
            f"peak {max(memory.held[part]):.0f}, {memory.growth(part):+.1%}"
            for name, part in parts.items()
        },
        lag=f"{lag:.1f} s",
        cells=cells,
    )
    assert found.offered * SIZE / LASTS > 0.8 * TIMES * kept.pace, "that was no flood"
    assert len(refused) > found.offered / 2
    assert found.slow < found.offered / 100
    assert found.pace > SHARE * kept.pace, "a hub that is asked too much does less than it could"
    assert share(accepted, 0.99) < bound
    assert share(refused, 0.99) < EARLY
    assert max(memory.growth(part) for part in memory.held) < FLAT
    assert lag < 120
