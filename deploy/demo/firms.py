"""The enterprises: who is whose, and their documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from deploy.demo.event import Event, dice, event
from deploy.demo.places import AREAS, OPENED, STATIONS, Station
from schemas.days import business_day

INSIDE, RADIATED = 245, 400
"""Enterprises in Yinhu's park, and those reached from it."""

RUBBER = "silicone_rubber"
INDUSTRIES = {
    "auto_parts": "汽车零部件",
    "power_gear": "电力器材",
    "machinery": "机械",
    "textile": "纺织服装",
    "food": "食品",
    "paper": "纸制品",
    "building": "建材",
    "chemical": "化工",
    "electronics": "电子",
    RUBBER: "硅橡胶",
}

MAKER = "ent-000008"
"""Yinhu's only maker of silicone rubber."""


class Firms(NamedTuple):
    """The enterprises of one station: those it serves, and those it only knows so far."""

    served: tuple[str, ...]
    known: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Everyone it may visit."""
        return self.served + self.known


def firms() -> dict[str, Firms]:
    """Return the enterprises of every station; Yinhu's first one goes to Gaoxin, too."""
    found: dict[str, Firms] = {}
    number = 1
    for station in STATIONS:
        guests = found["yinhu"].served[:1] if station.id == "gaoxin" else ()
        served, number = _numbered(number, station.firms - len(guests))
        known, number = _numbered(number, _known(station))
        found[station.id] = Firms((*guests, *served), known)
    return found


@cache
def industry(firm: str) -> str:
    """Return what an enterprise makes."""
    if firm == MAKER:
        return RUBBER
    return dice("industry", firm).choice([name for name in INDUSTRIES if name != RUBBER])


def registrations(of: Mapping[str, Firms]) -> list[Event]:
    """Return the documents of all enterprises, each from the first station that has it."""
    inside = {**dict.fromkeys(of["yinhu"].all, "radiated")}
    inside.update(dict.fromkeys(of["yinhu"].all[:INSIDE], "inside"))
    found = {
        firm: registered(station, firm, inside.get(firm))
        for station in reversed(STATIONS)
        for firm in of[station.id].all
    }
    return [found[firm] for firm in sorted(found)]


def registered(
    station: Station, firm: str, inside: str | None = None, at: datetime = OPENED
) -> Event:
    """Return an enterprise's document as its station first states it."""
    region = next(area.region for area in AREAS if area.id == station.area)
    reach = [{"node": station.id, "kind": inside}] if inside else []
    return event(
        "enterprise.registered",
        firm,
        station.id,
        at,
        name=f"样本企业{firm.removeprefix('ent-')}（{INDUSTRIES[industry(firm)]}）",
        region_code=region,
        industry=industry(firm),
        categories=[{"category": "sme", "from": business_day(at)}],
        catchment=reach,
    )


def _known(station: Station) -> int:
    return INSIDE + RADIATED - station.firms if station.id == "yinhu" else station.firms // 6


def _numbered(first: int, count: int) -> tuple[tuple[str, ...], int]:
    return tuple(f"ent-{number:06d}" for number in range(first, first + count)), first + count


def chosen(members: Sequence[str], count: int, *words: object) -> list[str]:
    """Return `count` picks that name every member at least once, some far more often."""
    rng = dice("chosen", *words)
    weights = [1 / (rank + 4) for rank in range(len(members))]
    found = [*members, *rng.choices(members, weights, k=count - len(members))]
    rng.shuffle(found)
    return found
