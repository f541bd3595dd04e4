"""Supplies and requests to choose from, made by hand or by Hypothesis; all in one small province.

Times are hours after MORNING, so that examples can be read.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from schemas.codec import Event, decode, encode
from schemas.days import SHANGHAI
from schemas.decisions import Moved
from schemas.types import PREFIX
from services.matching.choice import Case
from services.matching.diary import Booking, Diary
from services.matching.rules import Rules
from services.matching.supply import Supply

MORNING = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)
"""A Monday."""
NODES = {"city": "hub", "county": "city", "other": "city", "yinhu": "county", "far": "other"}
TYPES = {"expert": "expert.registered", "agency": "agency.admitted",
         "equipment": "equipment.registered"}  # fmt: skip
RULES = Rules(horizon=timedelta(days=3))
Json = dict[str, Any]


def at(hours: float) -> str:
    return (MORNING + timedelta(hours=hours)).isoformat()


def span(start: float, end: float) -> Json:
    return {"start": at(start), "end": at(end)}


def day(days: int) -> str:
    return (MORNING + timedelta(days=days)).date().isoformat()


def stated(**data: Any) -> Json:
    return {
        "revision": 1, "node_id": "yinhu", "occurred_at": at(0), "actor_role": "staff",
        "actor_ref": "s-1",
    } | data  # fmt: skip


def read(kind: str, subject: str, data: Json) -> Event:
    event = decode(
        encode(
            {
                "specversion": "1.0", "id": "1", "source": "/nodes/test", "type": PREFIX + kind,
                "subject": subject, "time": at(0), "data": data,
            }
        )
    )  # fmt: skip
    assert isinstance(event, Event), event
    return event


def supply(resources: Iterable[tuple[str, str, Json]], enterprises: Json | None = None) -> Supply:
    """Return a supply of (kind, id, data), in the order in which they are given."""
    made = Supply()
    for node, parent in NODES.items():
        kind = {"kind": "area", "tier": "city" if node == "city" else "county", "name": node}
        made.apply(read("node.opened", node, stated(node_id=node, parent=parent, **kind)))
    for name, data in (enterprises or {}).items():
        made.apply(read("enterprise.registered", name, stated(**data)))
    for kind_of, subject, data in resources:
        made.apply(read(TYPES[kind_of], subject, stated(**data)))
    return made


def case(name: str, pool: str = "county", **more: Any) -> Case:
    """Return a waiting request; what is not of the request is of its demand."""
    outer = {k: more.pop(k) for k in ("excluded", "kind", "submitted_at") if k in more}
    outer.setdefault("submitted_at", at(-1))
    enterprise, node = more.pop("enterprise_id", "ent-1"), more.pop("node_id", "yinhu")
    demand = {"elements": ["STD"], "mode": "diagnosis"} | more
    tree = stated(
        pool=pool, enterprise_id=enterprise, node_id=node, demand=demand, before=None, by="staff",
        state="matching", cause="queued", since=at(-1), kind=outer.pop("kind", "request"), **outer,
    )  # fmt: skip
    return Case(f"{pool}.{name}", Moved.model_validate_json(json.dumps(tree)))


def booked(resource: str, *spans: tuple[float, float], diary: Diary | None = None) -> Diary:
    """Return a diary with bookings of a resource."""
    made = diary or Diary()
    for n, (start, end) in enumerate(spans):
        a, b = (MORNING + timedelta(hours=hours) for hours in (start, end))
        made.booked.setdefault(resource, []).append(Booking(a, b, f"county.a-{resource}-{n}"))
        made.booked[resource].sort()
    return made


# Hypothesis: few values of each kind, so that they meet; what forbids comes seldom enough that much
# can be served, but not all of it at once.
ELEMENTS = st.lists(st.sampled_from(["STD", "STD", "TST"]), min_size=1, max_size=2, unique=True)
SKILLS = st.lists(st.sampled_from(["steel", "gears"]), max_size=2, unique=True)
Maybe = st.SearchStrategy[Any]


def seldom(what: Maybe, other: Any = None, times: int = 5) -> Maybe:
    """Return one of `what` once in a while, and mostly `other`."""
    return st.integers(0, times).flatmap(lambda n: what if n == times else st.just(other))


BODIES = seldom(st.sampled_from(["ent-1", "ent-2", "ent-old", "body-x"]))
DAYS = seldom(st.sampled_from([day(-1), day(0), day(1), day(2)]))
PLACES = st.sampled_from([None, *NODES])


@st.composite
def spans_of(draw: st.DrawFn) -> list[Json]:
    edges = sorted(draw(st.lists(st.integers(-4, 60), min_size=2, max_size=6, unique=True)))
    return [span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]


@st.composite
def qualifications(draw: st.DrawFn) -> list[Json]:
    held = {"name": "assessor", "from": draw(DAYS), "to": draw(DAYS)}
    return draw(st.sampled_from([[], [held], [held, {"name": "welder"}]]))


@st.composite
def resources(draw: st.DrawFn, pool: str = "county") -> list[tuple[str, str, Json]]:
    found = []
    for n in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["expert", "expert", "agency", "agency", "equipment"]))
        data: Json = {
            "node_id": pool,
            "elements": draw(seldom(ELEMENTS, ["STD", "TST"], 2)),
            "specialties": draw(SKILLS),
            "industries": draw(SKILLS),
            "qualifications": draw(qualifications()),
            "calendar": draw(seldom(spans_of(), [], 2)),
            "busy": draw(seldom(spans_of(), [], 2)),
            "capacity": draw(st.sampled_from([1, 1, 2])),
            "cap": draw(st.sampled_from([None, None, 1, 2])),
            "shared": draw(st.sampled_from([True, True, False])),
            "place": draw(PLACES),
            "resident_at": draw(st.lists(st.sampled_from(list(NODES)), max_size=1)),
            "status": draw(seldom(st.sampled_from(["away", "suspended", "left"]), "active", 7)),
            "valid_from": draw(DAYS),
            "valid_to": draw(DAYS),
        }
        found.append((kind, f"{pool}.{kind[0]}{n}", data | draw(_special(kind))))
    return found


def _special(kind: str) -> Maybe:
    if kind == "expert":
        return st.fixed_dictionaries({"employer": BODIES})
    if kind == "equipment":
        return st.fixed_dictionaries({"owner": BODIES, "calibration_until": DAYS})
    grades = st.sampled_from([[], [{"project": "p", "grade": "fail"}]])
    return st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["agency", "lab", "department", "bank"]),
            "body": BODIES,
            "powers": st.sampled_from([[], ["loan"]]),
            "bonus": st.integers(0, 3),
            "fee": st.sampled_from([None, 100, 200, 300]),
            "grades": grades,
        }
    )


ANY = ["expert", "agency", "lab", "department", "bank", "equipment"]
NEEDS = st.fixed_dictionaries(
    {
        "kinds": seldom(st.sampled_from([["expert"], ["equipment"], ["bank"]]), ANY, 1),
        "elements": seldom(ELEMENTS, []),
        "specialty": seldom(st.sampled_from(["steel", "gears"])),
        "industry": seldom(st.sampled_from(["steel", "gears"])),
        "qualification": seldom(st.just("assessor")),
        "power": seldom(st.just("loan"), None, 9),
    }
)
LOANS = st.fixed_dictionaries(
    {"amount": st.sampled_from([1, 4_000_000_000, 6_000_000_000])},
    optional={"ground": st.just("brand")},
)


@st.composite
def demands(draw: st.DrawFn) -> Json:
    first, last = draw(st.integers(-2, 30)), draw(st.integers(1, 40))
    return {
        "elements": draw(seldom(ELEMENTS, ["STD"])),
        "minutes": draw(st.sampled_from([30, 60, 90, 600])),
        "needs": draw(seldom(st.lists(NEEDS, min_size=1, max_size=3), [], 1)),
        "urgent": draw(st.booleans()),
        "within": draw(seldom(st.sampled_from(list(NODES)))),
        "conflicts": draw(seldom(st.sampled_from([["ent-2"], ["body-x"], ["a1", "ent-old"]]), [])),
        "budget": draw(seldom(st.sampled_from([50, 100, 250, 400]))),
        "consent": draw(seldom(st.just("needed"), "not_needed")),
        "consent_ref": draw(seldom(st.just("c-1"), None, 1)),
        "loan": draw(seldom(LOANS, None, 9)),
        "not_before": draw(seldom(st.just(at(first)), None, 2)),
        "need_by": draw(seldom(st.just(at(first + last)), None, 1)),
        "campaign_id": draw(seldom(st.just("bricks"))),
    }


@st.composite
def cases(draw: st.DrawFn, most: int = 6) -> list[Case]:
    return [
        case(
            f"r{n}",
            kind=draw(seldom(st.just("referral"), "request")),
            excluded=draw(seldom(st.sampled_from([["county.e0", "county.a1"]]), [])),
            submitted_at=at(-draw(st.integers(1, 5))),
            enterprise_id=draw(st.sampled_from(["ent-1", "ent-2", "ent-old"])),
            **draw(demands()),
        )
        for n in range(draw(st.integers(1, most)))
    ]


@st.composite
def diaries(draw: st.DrawFn) -> Diary:
    made = Diary()
    for name in ("county.e0", "county.e1", "county.a1", "county.a2", "county.e3"):
        if draw(st.booleans()):
            start = draw(st.integers(-2, 20)) / 2
            booked(name, (start, start + draw(st.sampled_from([0.5, 1, 3]))), diary=made)
        if draw(st.booleans()):
            made.known[name, draw(st.sampled_from(["ent-1", "ent-2"]))] += 1
        if draw(seldom(st.just(True), False)):  # noqa: FBT003  # what is drawn, not a switch
            made.campaigns[name, "bricks"] += 1
    return made


ENTERPRISES: Json = {
    "ent-1": {"industry": "steel"},
    "ent-2": {"industry": "gears", "categories": [{"category": "little_giant"}]},
    "ent-old": {"merged_into": "ent-1"},
}
