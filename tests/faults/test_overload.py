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

import pytest

from tests.faults.agree import agrees, audited
from tests.faults.conftest import LONG, Tell
from tests.faults.flood import SIZE, Flood, Flooded, fact, share
from tests.faults.site import INTAKE, PARTS, SCREENS, STATS, Site, running
from tests.system import web
from tests.system.process import Process, until

MEASURED = 10.0
"""Seconds for which the pace is measured that can be kept, before the flood and after it."""
LASTS = 600.0 if LONG else 60.0
"""Seconds of the flood: the slice has a tenth of the ten minutes, and no clock runs faster."""
TIMES = 5
FLOODED, PROBED, AFTER = 1_000, 500_000, 800_000
"""The revisions with which each begins: what is stated later stands."""
IDLE = 5.0
"""Posts a second of who has nothing else to do than to see how soon he is refused."""
MANY = 20 * SIZE
"""Facts of which nobody could say whether they were taken: so many are no accident."""
EARLY = 2.0
"""Seconds within which who is refused knows it, however slow all else is."""
IN_FLIGHT = 64
"""Batches that intake works on at a time, unless it is told otherwise: nobody waits for more."""
LONGEST = 20.0
"""Seconds that nobody waits who is accepted, on any machine.

Whoever has no answer within PATIENCE goes away, and is not among those that are looked at.
"""
SHARE = 0.5
"""Of the pace that is kept when nobody asks too much, so much at least is kept in the flood."""
RECOUNT = "10"
"""Seconds between two recounts: the first, which takes its room once, is over before the flood."""
FLAT = 0.1 if LONG else 0.25
"""By so much of itself what a process holds may grow, once the first third of a flood is over.

In the slice that is less than a minute: one recount and a larger heap show in it as growth.
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


def sent(*floods: Flood) -> list[Flooded]:
    """Send floods, each from another process: none must share a thread with what is measured."""
    with ProcessPoolExecutor(len(floods), mp_context=get_context("spawn")) as pool:
        return [sending.result() for sending in [pool.submit(flood.run) for flood in floods]]


def recounted(stats: Process) -> float:
    """Return since when every partition was recounted, or came, in Unix time."""
    lines = web.get(f"{stats.url}/metrics", timeout=10.0).text.splitlines()
    told = next(line for line in lines if line.startswith("yizhan_audited_seconds "))
    return float(told.split()[1])


def settle(intake: Process, key: str, *floods: Flooded) -> dict[int, int]:
    """State anew what nobody knows of; return the revision of each subject that stands.

    The floods stand in the order of their revisions.
    """
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
    answer = web.post(f"{intake.url}/v1/events", json=body, headers=headers, timeout=20)
    return answer.status_code == 207 and answer.json()[0]["status"] == 202


@pytest.mark.timeout(1800 if LONG else 600)
def test_five_times_too_much_is_refused_early_and_what_is_accepted_counts_within_two_minutes(
    own_kafka: str, tmp_path: Path, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIZHAN_AUDIT_EVERY", RECOUNT)
    site = Site(tmp_path, f"kafka://{own_kafka}")
    parts = dict(zip(PARTS, site.parts(), strict=True))
    intake, screens = parts[INTAKE], parts[SCREENS]
    memory = Memory(*parts.values())
    with running(site, *parts.values()):
        calm = Flood(intake.url, site.key, MEASURED, first=1)
        (before,) = sent(calm)
        stated = time.time()
        until(lambda: recounted(parts[STATS]) > stated)
        rate = TIMES * before.pace / SIZE
        flood = replace(calm, seconds=LASTS, first=FLOODED, rate=rate)
        with memory.watched():
            found, idle = sent(flood, replace(flood, first=PROBED, rate=IDLE))
        ended = time.monotonic()
        stands = settle(intake, site.key, before, found, idle)
        ledger = replace(found, revisions=stands).ledger()
        cells = agrees(screens.url, ledger)
        lag = time.monotonic() - ended
        (after,) = sent(replace(calm, first=AFTER))
        audited(site.bus)
    accepted, refused = found.accepted, idle.refused
    pace = min(before.pace, after.pace)
    bound = min(3 * IN_FLIGHT * SIZE / min(pace, found.pace or pace), LONGEST)
    tell(
        f"overload, {LASTS:.0f} s",
        kept=f"{before.pace:.0f} facts/s before, {after.pace:.0f} after",
        offered=f"{found.offered * SIZE / LASTS:.0f} facts/s",
        accepted=f"{found.pace:.0f} facts/s",
        refused=f"{len(found.refused) / found.offered:.0%}",
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
    assert found.offered * SIZE / LASTS > 0.8 * TIMES * before.pace, "its own process was too slow"
    assert found.slow < found.offered / 100, "its own process was too slow for its answers"
    assert len(found.refused) > found.offered / 2
    assert len(refused) > LASTS, "hardly anybody who had time for it was refused"
    assert found.pace > SHARE * pace, "a hub that is asked too much does less than it could"
    assert share(accepted, 0.99) < bound
    assert share(refused, 0.99) < EARLY
    assert max(memory.growth(part) for part in memory.held) < FLAT
    assert lag < 120
