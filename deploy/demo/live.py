"""Live traffic: what stations state from now on, now and then wrong and then put right."""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from random import Random

from deploy.demo.deeds import activity, visit
from deploy.demo.event import Event, event
from deploy.demo.firms import Firms, industry, registered
from deploy.demo.mistakes import content, node, stated, void
from deploy.demo.places import STATIONS, Station
from deploy.demo.services import MODES, service, staff
from schemas.days import SHANGHAI

BY_DAY, BY_NIGHT = 3.0, 0.6
"""Facts per minute and station."""

WEIGHTS = {
    "service": 50,
    "visit": 18,
    "found": 12,
    "solved": 9,
    "activity": 1,
    "new": 4,
    "correction": 3,
    "move": 1,
    "void": 2,
}
REMEMBERED = 200
_NAMES = {station.id: station for station in STATIONS}


class Traffic:
    """Makes facts dated `now`; all its chance is in `rng`, all its time in the arguments."""

    def __init__(self, rng: Random, firms: Mapping[str, Firms]) -> None:
        self._rng, self._firms = rng, firms
        self._fresh: dict[str, deque[str]] = {station.id: deque(maxlen=50) for station in STATIONS}
        self._services: deque[Event] = deque(maxlen=REMEMBERED)
        self._problems: deque[Event] = deque(maxlen=REMEMBERED)
        self._serial = 0
        self._due = dict.fromkeys(self._fresh, 0.0)

    def step(self, now: datetime, seconds: float) -> list[Event]:
        """Return what all stations state about the `seconds` before `now`."""
        each = pace(now) / 60 * seconds
        found = (one for station in STATIONS for one in self._of(station, now, each))
        return [one | {"time": now.isoformat(timespec="milliseconds")} for one in found]

    def _of(self, station: Station, now: datetime, mean: float) -> Iterator[Event]:
        """Let the time between two facts vary, as it does where people come and go."""
        self._due[station.id] -= mean
        while self._due[station.id] <= 0:
            self._due[station.id] += self._rng.expovariate(1.0)
            (kind,) = self._rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
            yield from self._one(kind, station, now)

    def _one(self, kind: str, station: Station, now: datetime) -> Iterator[Event]:
        match kind:
            case "new":
                firm = self._newcomer(station, now)
                yield registered(station, firm, at=now)
                yield self._service(station, now, firm)
            case "visit":
                yield visit(self._subject(station, "vis", now), station, now, self._firm(station))
            case "activity":
                everybody = self._firms[station.id].all
                yield activity(self._subject(station, "act", now), station, now, everybody)
            case "found":
                yield self._found(station, now)
            case "solved" if self._problems:
                yield self._solved(now)
            case "correction" | "move" | "void" if self._services:
                yield self._mended(kind, now)
            case _:
                yield self._service(station, now, self._firm(station))

    def _service(self, station: Station, now: datetime, firm: str) -> Event:
        found = service(self._subject(station, "svc", now), station, now, firm)
        self._services.append(found)
        return found

    def _found(self, station: Station, now: datetime) -> Event:
        firm = self._firm(station)
        who = staff(self._rng, station)
        subject = self._subject(station, "prb", now)
        about = {"enterprise_id": firm, "product": industry(firm), "actor_ref": who}
        self._problems.append(event("problem.found", subject, station.id, now, **about))
        return self._problems[-1]

    def _solved(self, now: datetime) -> Event:
        at = self._rng.randrange(len(self._problems))
        found = self._problems[at]
        del self._problems[at]
        return event("problem.solved", found["subject"], node(found), now, **content(found))

    def _mended(self, kind: str, now: datetime) -> Event:
        """Correct, move or void one of the last services."""
        at = self._rng.randrange(len(self._services))
        one = self._services[at]
        revision = one["data"]["revision"] + 1
        if kind == "void":
            del self._services[at]
            return void(one, one["subject"], now, revision)
        when = datetime.fromisoformat(one["data"]["occurred_at"])
        mode = self._rng.choice(list(MODES))
        other = {"mode": mode, "elements": list(MODES[mode].elements[:1])}
        if kind == "move":
            other = {"node_id": self._rng.choice([s for s in _NAMES if s != node(one)])}
        self._services[at] = stated(one, when, revision, **other)
        return self._services[at]

    def _firm(self, station: Station) -> str:
        """Return an enterprise that comes: most are known, some were new a moment ago."""
        fresh = self._fresh[station.id]
        if fresh and self._rng.random() < 0.1:
            return self._rng.choice(fresh)
        return self._rng.choice(self._firms[station.id].all)

    def _newcomer(self, station: Station, now: datetime) -> str:
        self._serial += 1
        firm = f"ent-{now:%Y%m%d-%H%M%S}-{self._serial}"
        self._fresh[station.id].append(firm)
        return firm

    def _subject(self, station: Station, kind: str, now: datetime) -> str:
        self._serial += 1
        return f"{station.id}.{kind}-{now:%Y%m%d-%H%M%S}-{self._serial}"


def pace(now: datetime) -> float:
    """Return how many facts per minute a station states at this hour."""
    return BY_DAY if 8 <= now.astimezone(SHANGHAI).hour < 18 else BY_NIGHT
