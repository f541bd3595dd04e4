"""People and requests to measure matching with: made up from a seed, the same in every run."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from schemas.codec import Event, decode, encode
from schemas.days import SHANGHAI
from schemas.decisions import Moved
from schemas.demand import Demand
from schemas.types import PREFIX
from services.matching.choice import Case
from services.matching.supply import Supply

MORNING = datetime(2026, 3, 2, 8, 30, tzinfo=SHANGHAI)
"""A Monday, half an hour before people begin to work."""
POOL, STATIONS, INDUSTRIES = "county", ("yinhu", "east", "west"), ("steel", "gears", "food")
FIRMS = 60
ELEMENTS = ("MET", "STD", "CER", "TST", "QM")
Json = dict[str, Any]


def people(count: int, days: int, elements: int, rng: Random) -> Supply:
    """Return a pool of experts, each for one element, who work 8 hours a day for some days."""
    supply = Supply()
    for node in (POOL, *STATIONS):
        place = {"parent": "hub" if node == POOL else POOL, "tier": "county", "name": node}
        _apply(supply, "node.opened", node, {"node_id": node, "kind": "area", **place})
    for n in range(FIRMS):
        _apply(supply, "enterprise.registered", f"ent-{n}", {"industry": INDUSTRIES[n % 3]})
    work = [span for day in range(days) for span in (_span(day, 9, 12), _span(day, 13, 18))]
    for n in range(count):
        expert = {
            "elements": [ELEMENTS[n % elements]],
            "industries": [rng.choice(INDUSTRIES)],
            "resident_at": rng.sample(STATIONS, rng.choice((0, 0, 1))),
            "place": rng.choice(STATIONS),
            "calendar": work,
        }
        _apply(supply, "expert.registered", f"{POOL}.e{n:04d}", expert)
    return supply


def case(number: int, at: datetime, elements: int, minutes: int, rng: Random) -> Case:
    """Return one request, submitted at a time, for one of some elements."""
    demand: Json = {"elements": (rng.choice(ELEMENTS[:elements]),), "mode": "diagnosis"}
    moved = Moved(
        revision=2, node_id=rng.choice(STATIONS), occurred_at=at, actor_role="staff",
        actor_ref="s-1", pool=POOL, enterprise_id=f"ent-{rng.randrange(FIRMS)}", kind="request",
        demand=Demand(**demand, minutes=minutes),
        before="accepted", state="matching", cause="queued", by="staff", submitted_at=at, since=at,
    )  # fmt: skip
    return Case(f"{POOL}.r{number:05d}", moved)


def _span(day: int, start: int, end: int) -> Json:
    midnight = MORNING.replace(hour=0, minute=0) + timedelta(days=day)
    hours = (midnight + timedelta(hours=hour) for hour in (start, end))
    return dict(zip(("start", "end"), (at.isoformat() for at in hours), strict=True))


def _apply(supply: Supply, kind: str, subject: str, data: Json) -> None:
    stated = {
        "revision": 1, "node_id": POOL, "occurred_at": MORNING.isoformat(), "actor_role": "staff",
        "actor_ref": "s-1",
    }  # fmt: skip
    event = decode(
        encode(
            {
                "specversion": "1.0", "id": "1", "source": "/nodes/county", "type": PREFIX + kind,
                "subject": subject, "time": MORNING.isoformat(), "data": stated | data,
            }
        )
    )  # fmt: skip
    assert isinstance(event, Event), event
    supply.apply(event)
