"""Visits, problems and activities."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

from deploy.demo.days import FIRST, LAST, moment, moments, workdays
from deploy.demo.event import Event, dice, event
from deploy.demo.firms import Firms, chosen, industry
from deploy.demo.places import STATIONS, Station
from deploy.demo.services import staff

DEMANDS = (
    "办理认证需要哪些材料",
    "产品送检到哪里最快",
    "企业标准怎样备案",
    "专利申请流程",
    "出厂检验能力不足",
    "质量管理制度不全",
)
KINDS = ("training", "training", "seminar", "benchmarking_visit", "open_day", "salon")


class Load(NamedTuple):
    """What one station did from day to day, beside its services.

    `late` problems are found in this time and solved after it, or never.
    """

    first: date
    last: date
    visited: Sequence[str]
    visits: int
    solved: int
    late: int
    sessions: int


def deeds(of: Mapping[str, Firms]) -> list[Event]:
    """Return all visits, problems and activities of the replay, by station."""
    return [
        one
        for station in STATIONS
        for load in _loads(station, of[station.id])
        for part in (_visits, _problems, _activities)
        for one in part(station, load)
    ]


def visit(subject: str, station: Station, at: datetime, firm: str) -> Event:
    """Return one visit to an enterprise."""
    rng = dice(subject)
    demands = rng.sample(DEMANDS, rng.choices((0, 1, 2), (5, 3, 1))[0])
    who = staff(rng, station)
    return event(
        "visit.completed", subject, station.id, at,
        enterprise_id=firm, demands=demands, planned=rng.random() < 0.7, actor_ref=who,
    )  # fmt: skip


def activity(subject: str, station: Station, at: datetime, firms: Sequence[str]) -> Event:
    """Return one activity of one session, with some of these enterprises."""
    rng = dice(subject)
    guests = rng.sample(firms, min(len(firms), rng.randint(6, 24)))
    persons = len(guests) + rng.randint(0, 2 * len(guests))
    return event(
        "activity.held", subject, station.id, at, kind=rng.choice(KINDS), sessions=1,
        enterprises=sorted(guests), persons=persons, actor_ref=staff(rng, station),
    )  # fmt: skip


def _loads(station: Station, firms: Firms) -> list[Load]:
    """Yinhu's 2023 is printed: 600 visited, 600 problems solved, 30 activities."""
    if station.id == "yinhu":
        return [
            Load(FIRST, date(2023, 12, 31), firms.all[:600], 668, 600, 32, 30),
            Load(date(2024, 1, 1), LAST, firms.all[200:], 452, 310, 24, 16),
        ]
    size = len(firms.all)
    solved = station.services // 5
    return [Load(FIRST, LAST, firms.all, size + size // 2, solved, solved // 12, size // 9)]


def _subject(station: Station, kind: str, load: Load, number: int) -> str:
    return f"{station.id}.{kind}-{load.first:%y}{number:05d}"


def _visits(station: Station, load: Load) -> Iterator[Event]:
    rng = dice("visits", station.id, load.first)
    times = moments(rng, load.first, load.last, load.visits)
    firms = chosen(load.visited, load.visits, "visits", station.id, load.first)
    for number, (at, firm) in enumerate(zip(times, firms, strict=True), 1):
        yield visit(_subject(station, "vis", load, number), station, at, firm)


def _problems(station: Station, load: Load) -> Iterator[Event]:
    """Those to be solved are found early enough that there is time for it."""
    rng = dice("problems", station.id, load.first)
    times = moments(rng, load.first, load.last - timedelta(days=14), load.solved)
    times += moments(rng, load.last - timedelta(days=20), load.last, load.late)
    for number, at in enumerate(times, 1):
        subject, firm = _subject(station, "prb", load, number), rng.choice(load.visited)
        found = {"enterprise_id": firm, "product": industry(firm), "actor_ref": staff(rng, station)}
        yield event("problem.found", subject, station.id, at, **found)
        if number <= load.solved:
            yield event("problem.solved", subject, station.id, _later(rng, at), **found)


def _later(rng: Random, at: datetime) -> datetime:
    days = workdays(at.date() + timedelta(days=1), at.date() + timedelta(days=12))
    return moment(rng, rng.choice(days))


def _activities(station: Station, load: Load) -> Iterator[Event]:
    """Every seventh activity has two sessions."""
    rng = dice("activities", station.id, load.first)
    doubled = load.sessions // 8
    times = moments(rng, load.first, load.last, load.sessions - doubled)
    for number, at in enumerate(times, 1):
        subject = _subject(station, "act", load, number)
        one = activity(subject, station, at, load.visited)
        one["data"]["sessions"] = 2 if number <= doubled * 7 and number % 7 == 0 else 1
        yield one
