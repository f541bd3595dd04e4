"""The replay: all that happened from 2023-01-01 to 2024-07-18, and the days up to now."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from deploy.demo.cases import cases
from deploy.demo.days import LAST, moment
from deploy.demo.deeds import activity, deeds, visit
from deploy.demo.event import Event, dice, event
from deploy.demo.firms import Firms, firms, industry, registrations
from deploy.demo.mistakes import at, with_mistakes
from deploy.demo.places import STATIONS, Station, nodes
from deploy.demo.services import service, services, staff
from deploy.demo.supply import supply
from schemas.days import SHANGHAI

WEEK = 7


def registry() -> list[Event]:
    """Return the documents of all nodes, then of all enterprises, and of who can be sent."""
    return [*nodes(), *registrations(firms()), *supply()]


def facts() -> list[Event]:
    """Return the facts of the replay in the order in which they were sent."""
    of = firms()
    found = [*with_mistakes(services(of)), *deeds(of), *cases(of)]
    return sorted(found, key=lambda one: str(one["time"]))


def recent(now: datetime) -> list[Event]:
    """Return the facts of the last seven days and of today up to `now`, with which to compare.

    None of them touches a day that the printed figures are about.
    """
    of, today = firms(), now.astimezone(SHANGHAI).date()
    days = (today - timedelta(days=back) for back in range(WEEK, -1, -1))
    found = [
        one
        for day in days
        if day > LAST
        for station in STATIONS
        for one in _day(station, of[station.id], day)
        if at(one) <= now
    ]
    return sorted(found, key=lambda one: str(one["time"]))


def _day(station: Station, firms: Firms, day: date) -> Iterator[Event]:
    """One day of one station; at weekends there is only somebody on call."""
    rng = dice("day", station.id, day)
    size = max(2, station.services // 24) // (6 if day.weekday() > 4 else 1)
    local = f"{station.id}.{{}}-{day:%Y%m%d}-{{:03d}}".format
    for number in range(size + rng.randint(0, 4)):
        firm = rng.choice(firms.served)
        yield service(local("svc", number), station, moment(rng, day), firm)
    for number in range(size // 2):
        yield visit(local("vis", number), station, moment(rng, day), rng.choice(firms.all))
    for number in range(size // 3):
        yield from _problem(rng, local("prb", number), station, day, rng.choice(firms.all))
    if rng.random() < 0.15:
        yield activity(local("act", 0), station, moment(rng, day), firms.all)


def _problem(rng: Random, subject: str, station: Station, day: date, firm: str) -> Iterator[Event]:
    found = {"enterprise_id": firm, "actor_ref": staff(rng, station)}
    found["product"] = industry(firm)
    times = sorted((moment(rng, day), moment(rng, day)))
    yield event("problem.found", subject, station.id, times[0], **found)
    if rng.random() < 0.7:
        yield event("problem.solved", subject, station.id, times[1], **found)
