"""A newer release comes in part by part, while the older one works: both are counted."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

import bus
from bus import Record
from schemas.codec import encode
from schemas.pools import owner
from schemas.topics import REQUESTS
from tests.faults import newer
from tests.faults.agree import agrees
from tests.faults.conftest import LONG, Tell
from tests.faults.ledger import Flow
from tests.faults.newer import MEASURE, TYPE, Newer
from tests.faults.site import INTAKE, MATCHING, SCREENS, STATS, Site
from tests.histories import event, record
from tests.system import web
from tests.system.load import STATIONS, Ledger
from tests.system.people import STATED, measures, register
from tests.system.process import SOON, Process, until

ASKED = "yizhan.request.submitted"
FACTS = 300
"""Facts that are stated in each phase, at least, by clients who know nothing of an upgrade."""
NEW = 40
"""Events of the new type, and as many with the new field."""


class Upgrade:
    """A site whose parts are replaced one by one; `ledger` is what has been acknowledged so far."""

    def __init__(self, site: Site, tree: Path, dice: Random) -> None:
        self.site, self.tree, self._dice = site, tree, dice
        self.ledger = Ledger()
        self.parts = {name: site.part(name) for name in (INTAKE, MATCHING, STATS, SCREENS)}
        self._made = list(self.parts.values())

    def begin(self) -> None:
        """Start the older release."""
        for part in self.parts.values():
            part.start()
        for part in self.parts.values():
            part.until_ready(SOON)
        register(self.parts[INTAKE].url, self.site.key, *STATIONS)

    def sound(self) -> None:
        """Check that no part of any release has ended by a fault."""
        for part in self._made:
            part.sound()

    def end(self) -> None:
        """Leave no process."""
        for part in self._made:
            with suppress(AssertionError):  # one that was never started
                if part.process.poll() is None:
                    part.kill()

    def newer(self, name: str, data: Path) -> Newer:
        """Start a part of the newer release, in a data folder that may be the older one's."""
        data.mkdir(exist_ok=True)
        part = Newer(self.tree, data, name, bus=self.site.bus)
        self._made.append(part)
        part.start()
        return part

    def replace(self, name: str) -> None:
        """Put the newer release in the place of the older one."""
        old = self.parts[name]
        assert old.end() == 0
        self.parts[name] = self.newer(name, old.data)
        self.parts[name].until_ready(SOON)

    def counted(self, meanwhile: Callable[[], None] = lambda: None) -> float:
        """Check that what is stated now counts as well; return after how many seconds."""
        with Flow(
            lambda: self.parts[INTAKE].url, self.site.key, self.site.bus, self._dice, clients=1
        ) as flow:
            meanwhile()
            until(flow.more(FACTS))
            ledger = flow.end()
        self.add(ledger)
        began = time.monotonic()
        agrees(self.parts[SCREENS].url, self.ledger)
        for part in self.parts.values():
            part.until_ready()
        return time.monotonic() - began

    def add(self, ledger: Ledger) -> None:
        """Add what else was acknowledged."""
        self.ledger.standing |= ledger.standing
        self.ledger.statements |= ledger.statements
        self.ledger.acknowledged += ledger.acknowledged

    def note(self, stated: list[dict[str, Any]]) -> None:
        """Add events that are on the log; archives are counted apart."""
        self.ledger.acknowledged += len(stated)
        for one in stated:
            if one["type"] != TYPE:
                self.ledger.standing[one["subject"]] = one["data"]

    def archived(self, count: int) -> None:
        """Wait until so many archives are counted: no other fact tells when theirs are."""
        screens = self.parts[SCREENS].url
        until(
            lambda: measures(screens, "hub", MEASURE) == {MEASURE: count},
            lambda: f"{measures(screens, 'hub', MEASURE)}, not {count}",
        )

    def lettered(self, count: int) -> None:
        """Wait until so many dead letters are open."""
        until(lambda: self._letters() == count, lambda: f"{self._letters()}, not {count}")

    def write(self, events: list[dict[str, Any]]) -> None:
        """Write events straight onto the log, as a station with a Kafka client of its own does."""
        asyncio.run(_written(self.site.bus, events))

    def post(self, intake: Process, events: list[dict[str, Any]]) -> list[int]:
        """Post events; return what is said to each."""
        headers = self._headers | {"Content-Type": "application/cloudevents-batch+json"}
        body = json.dumps(events)
        answer = web.post(f"{intake.url}/v1/events", content=body, headers=headers, timeout=20)
        assert answer.status_code == 207, answer.text
        return [told["status"] for told in answer.json()]

    def state(self, request: str) -> str:
        """Return the state of a request as screens tell it, "" while they do not know it."""
        url = f"{self.parts[SCREENS].url}/v1/requests/{request}"
        answer = web.get(url, headers=self._headers, timeout=10)
        return str(answer.json()["state"]) if answer.status_code == 200 else ""

    def _letters(self) -> int:
        listed = newer.yizhan(self.tree, "dead-letters", "list", "--json", "--bus", self.site.bus)
        assert listed.returncode == 0, listed.stderr
        return len(json.loads(listed.stdout)["letters"])

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.site.key}"}


async def _written(log: str, events: list[dict[str, Any]]) -> None:
    async with bus.connect(log) as opened:
        await opened.publish([_asked(e) if e["type"] == ASKED else record(e) for e in events])


def _asked(event: dict[str, Any]) -> Record:
    subject = event["subject"]
    return Record(REQUESTS, owner(subject), subject.encode(), encode(event))


def service(serial: int) -> dict[str, Any]:
    """Return a fact with the field that only the newer release knows."""
    data = STATED | {
        "revision": 1,
        "node_id": STATIONS[serial % 3],
        "occurred_at": "2023-05-06T09:30:00+08:00",
        "enterprise_id": f"ent-{serial}",
        "elements": ["STD"],
        "mode": "diagnosis",
        "urgency": "high",
    }
    return event("service.delivered", f"{STATIONS[serial % 3]}.new-{serial}", data)


def archive(serial: int) -> dict[str, Any]:
    """Return an event of the type that only the newer release knows."""
    data = STATED | {
        "revision": 1,
        "node_id": STATIONS[serial % 3],
        "occurred_at": "2023-05-06T09:30:00+08:00",
        "enterprise_id": f"ent-{serial}",
    }
    return event(TYPE.removeprefix("yizhan."), f"{STATIONS[serial % 3]}.arc-{serial}", data)


def request(serial: int) -> dict[str, Any]:
    """Return a request with a field that only the newer release knows."""
    data = STATED | {
        "revision": 1,
        "node_id": STATIONS[0],
        "occurred_at": "2026-01-01T09:30:00+08:00",
        "actor_role": "staff",
        "enterprise_id": f"ent-{serial}",
        "demand": {"elements": ["STD"], "mode": "diagnosis"},
        "urgency": "high",
    }
    return event(ASKED.removeprefix("yizhan."), f"hub.r-{serial}", data)


@pytest.fixture
def log(kafka_jars: Path, request: pytest.FixtureRequest) -> str:
    """A Kafka's address: of three nodes where there is time for that."""
    assert kafka_jars.is_dir()
    if LONG:
        return str(request.getfixturevalue("nodes").bus)
    return f"kafka://{request.getfixturevalue('own_kafka')}"


@pytest.mark.timeout(900)
def test_a_release_with_newer_events_comes_in_part_by_part_and_all_is_counted(
    log: str, tmp_path: Path, dice: Random, tell: Tell
) -> None:
    """In the order of docs/operating.md, while stations write new events straight onto the log."""
    site = Site(tmp_path / "site", log)
    up = Upgrade(site, newer.made(tmp_path / "newer"), dice)
    waits: dict[str, float] = {}
    try:
        up.begin()
        waits["before"] = up.counted()
        _new_events_meet_old_readers(up)
        waits["old readers of new events"] = up.counted()
        up.lettered(NEW)
        up.replace(SCREENS)
        waits["new screens, old stats"] = up.counted()
        second = up.newer(STATS, site.root / "data-1")
        waits["old and new stats in one group"] = up.counted(lambda: second.until_ready(SOON))
        up.parts[STATS], old = second, up.parts[STATS]
        assert old.end() == 0
        waits["new stats alone"] = up.counted()
        up.archived(NEW)
        up.replace(MATCHING)
        up.write([request(2)])
        until(lambda: up.state("hub.r-2") == up.state("hub.r-1"), up.parts[MATCHING].said)
        up.replace(INTAKE)
        later = _stated(range(NEW, 2 * NEW))
        assert set(up.post(up.parts[INTAKE], [*later, request(3)])) == {202}
        up.note(later)
        replayed = newer.yizhan(up.tree, "dead-letters", "replay", "--all", "--bus", site.bus)
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        waits["new everywhere, letters replayed"] = up.counted()
        up.archived(2 * NEW)
        until(lambda: up.state("hub.r-3") == up.state("hub.r-1"), up.parts[MATCHING].said)
        up.lettered(0)
        audit = newer.yizhan(up.tree, "audit", "--bus", site.bus, "--json")
        assert audit.returncode == 0, audit.stdout + audit.stderr
        up.sound()
    finally:
        up.end()
    figures = {name: f"{seconds:.1f} s" for name, seconds in waits.items()}
    acknowledged = up.ledger.acknowledged
    tell("upgrade", acknowledged=acknowledged, letters=NEW, archives=2 * NEW, **figures)


def _new_events_meet_old_readers(up: Upgrade) -> None:
    """Write what only the newer release knows; the older intake refuses it, and keeps nothing."""
    stated = _stated(range(NEW))
    assert set(up.post(up.parts[INTAKE], [*stated, request(1)])) == {422}
    up.write([*stated, request(1)])
    up.note(stated)
    until(lambda: up.state("hub.r-1") != "", up.parts[MATCHING].said)


def _stated(serials: range) -> list[dict[str, Any]]:
    return [make(serial) for make in (service, archive) for serial in serials]
