"""Services: 15,400 of them, for 2,400 enterprises."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from random import Random
from typing import Any, NamedTuple

from deploy.demo.days import FIRST, LAST, moments
from deploy.demo.event import Event, dice, event
from deploy.demo.firms import Firms, chosen
from deploy.demo.places import STATIONS, Station

HEZHONG = "agency-hezhong"
"""The agency with 500 enterprises in two years; it works where it is near."""

HEZHONG_FIRMS = 500
NEAR = ("yinhu", "xiaonan", "gaoxin", "hanchuan", "yunmeng")


class Mode(NamedTuple):
    """How often a mode of service is asked for, and which elements it is about."""

    weight: int
    elements: tuple[str, ...]


MODES = {
    "consultation": Mode(30, ("POL", "STD", "CER", "IPR")),
    "diagnosis": Mode(20, ("QM", "TST", "STD")),
    "guidance": Mode(18, ("QM", "STD", "BRD")),
    "testing": Mode(14, ("TST",)),
    "certification_help": Mode(8, ("CER", "QM")),
    "patent_help": Mode(5, ("IPR",)),
    "standard_drafting": Mode(3, ("STD",)),
    "cultivation": Mode(2, ("BRD", "IPR")),
}


class Span(NamedTuple):
    """So many services from day to day, for exactly these enterprises."""

    first: date
    last: date
    size: int
    firms: Sequence[str]


def services(of: Mapping[str, Firms]) -> list[Event]:
    """Return all services of the replay, by station."""
    resident = set(dice("hezhong").sample(_near(of), HEZHONG_FIRMS))
    found = [one for station in STATIONS for one in _of(station, of[station.id])]
    met: set[str] = set()
    for one in found:
        firm = one["data"]["enterprise_id"]
        if agency := _agency(one["subject"], firm in resident, firm in met):
            one["data"]["agency_id"] = agency
        met.add(firm)
    return found


def service(subject: str, station: Station, at: datetime, firm: str) -> Event:
    """Return one service as a station does them."""
    rng = dice(subject)
    mode = rng.choices(list(MODES), [mode.weight for mode in MODES.values()])[0]
    pool = MODES[mode].elements
    elements = rng.sample(pool, min(len(pool), rng.choices((1, 2), (7, 3))[0]))
    place = "window" if mode == "consultation" else rng.choice(("onsite", "onsite", "host"))
    details: dict[str, Any] = {
        "enterprise_id": firm,
        "elements": elements,
        "mode": mode,
        "place": place,
    }
    if mode == "consultation":
        details["persons"] = rng.choices((1, 2, 3), (7, 2, 1))[0]
    details |= {"minutes": 15 * rng.randint(1, 16), "actor_ref": staff(rng, station)}
    return event("service.delivered", subject, station.id, at, **details)


def staff(rng: Random, station: Station) -> str:
    """Return the opaque reference of one of a station's people."""
    return f"s-{rng.randint(1, station.staff):02d}"


def _of(station: Station, firms: Firms) -> Iterator[Event]:
    rng = dice("services", station.id)
    number = 0
    for span in _spans(station, firms.served):
        times = moments(rng, span.first, span.last, span.size)
        for at, firm in zip(
            times, chosen(span.firms, span.size, station.id, span.first), strict=True
        ):
            number += 1
            yield service(f"{station.id}.svc-{number:06d}", station, at, firm)


def _spans(station: Station, firms: Sequence[str]) -> list[Span]:
    """Yinhu's 2023 has printed figures of its own: 800 services, here for 412 enterprises."""
    if station.id != "yinhu":
        return [Span(FIRST, LAST, station.services, firms)]
    return [
        Span(FIRST, date(2023, 12, 31), 800, firms[:412]),
        Span(date(2024, 1, 1), LAST, station.services - 800, firms[140:]),
    ]


def _near(of: Mapping[str, Firms]) -> list[str]:
    return sorted({firm for name in NEAR for firm in of[name].served})


def _agency(subject: str, resident: bool, again: bool) -> str | None:  # noqa: FBT001
    """Hezhong does the first service of each of its enterprises, and some of the others."""
    rng = dice("agency", subject)
    if resident and (not again or rng.random() < 0.4):
        return HEZHONG
    return f"agency-{rng.randint(2, 10):02d}" if rng.random() < 0.2 else None
