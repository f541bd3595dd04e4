"""How people answer: who accepts, declines or forgets, and how a case goes on from there.

Pure: what is done about a request depends on its state, for how long it has been so, and on chance
that belongs to the request and its revision. So an answer given twice is a repeat.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from random import Random
from typing import Any, NamedTuple

from deploy.demo.event import Event, dice, event
from schemas.pools import owner

Json = Mapping[str, Any]


class Habit(NamedTuple):
    """In a state, `share` of the cases get this ask from `role` after some seconds."""

    share: float
    ask: str
    role: str
    after: tuple[float, float]
    more: Mapping[str, Any] = {}


HABITS: dict[str, tuple[Habit, ...]] = {
    "submitted": (
        Habit(0.95, "request.accepted", "staff", (4, 25)),
        Habit(0.05, "request.returned", "staff", (10, 30), {"reason": "资料不全，请补充"}),
    ),
    "reopened": (Habit(1.0, "request.accepted", "staff", (4, 15)),),
    "accepted": (Habit(1.0, "service.started", "staff", (5, 20)),),
    "committed": (Habit(1.0, "service.started", "performer", (6, 30)),),
    "in_service": (
        Habit(0.8, "request.result_recorded", "performer", (25, 90)),
        Habit(0.2, "service.blocked", "performer", (10, 30), {"reason": "sample_in_transit"}),
    ),
    "blocked": (Habit(1.0, "service.unblocked", "performer", (20, 60)),),
    "resulted": (
        Habit(0.9, "request.confirmed", "enterprise", (10, 60)),
        Habit(0.05, "request.disputed", "enterprise", (10, 60), {"reason": "结论需要复核"}),
    ),
    "disputed": (Habit(1.0, "service.started", "performer", (10, 30)),),
    "confirmed": (
        Habit(0.9, "request.evaluated", "enterprise", (10, 60)),
        Habit(0.1, "request.closed", "staff", (60, 180)),
    ),
    "evaluated": (Habit(1.0, "request.closed", "staff", (5, 40)),),
    "unmatched": (
        Habit(0.1, "escalation.requested", "head", (3, 8)),
        Habit(0.7, "request.closed", "staff", (120, 400), {"reason": "暂无人能办，已告知企业"}),
        Habit(0.2, "request.cancelled", "enterprise", (120, 400)),
    ),
    "escalated": (Habit(0.05, "request.cancelled", "enterprise", (40, 90)),),
}  # fmt: skip
"""What is missing from 1 is forgotten: few, for it piles up. Offers are answered below."""

YES, NO = 0.7, 0.15
"""Of those who are offered something: the rest forgets, and the offer expires."""


def act(case: Json, now: datetime, speed: float) -> Iterator[Event]:
    """Yield what somebody asks about a request by `now`; `case` is what screens tells of it."""
    seconds = (now - datetime.fromisoformat(case["since"])).total_seconds() * speed
    if case["state"] == "offered":
        yield from _answers(case, now, seconds)
        return
    habits = HABITS.get(case["state"], ())
    rng = _chance(case, "habit")
    pick = rng.random()
    for habit in habits:
        pick -= habit.share
        if pick < 0:
            if seconds >= rng.uniform(*habit.after):
                yield _asked(case, habit, now, rng)
            return


def _answers(case: Json, now: datetime, seconds: float) -> Iterator[Event]:
    """Let the members of an assignment answer, each in their own time."""
    offer = case["offer"] or {"members": [], "assignment": ""}
    for member in offer["members"]:
        rng = dice(offer["assignment"], member["id"])
        pick, after = rng.random(), rng.uniform(4, 25)
        if member["answer"] or pick > YES + NO or seconds < after:
            continue
        kind = "offer.accepted" if pick < YES else "offer.declined"
        data = {"assignment_id": offer["assignment"], "resource": member["id"]}
        if pick >= YES:
            data["reason"] = rng.choice(["出差中", "当天已有安排", "超出本人专长"])
        pool = owner(offer["assignment"])
        yield _event(kind, pool, pool, now, (offer["assignment"], member["id"]), data
                     | {"actor_role": member["kind"], "actor_ref": member["id"][-60:]})  # fmt: skip


def _asked(case: Json, habit: Habit, now: datetime, rng: Random) -> Event:
    data = {"request_id": case["id"], **habit.more}
    data |= {"actor_role": habit.role, "actor_ref": "s-01"}
    if habit.role == "performer":
        first = next(iter(case["performers"]), None)
        data |= {"actor_role": "staff"} if first is None else _as(first)
    if habit.ask == "request.evaluated":
        data["score"] = rng.choices((5, 4, 3, 2), (60, 28, 9, 3))[0]
    key = case["id"], case["revision"]
    return _event(habit.ask, owner(case["id"]), case["node"], now, key, data)


def _as(performer: Json) -> dict[str, Any]:
    return {
        "actor_role": performer["kind"],
        "actor_ref": performer["id"][-60:],
        "resource": performer["id"],
    }


def _event(  # noqa: PLR0913, PLR0917  # what an ask needs
    kind: str, pool: str, node: str, now: datetime, key: tuple[object, ...], data: dict[str, Any]
) -> Event:
    local = blake2b("/".join(map(str, (kind, *key))).encode(), digest_size=10).hexdigest()
    made = event(kind, f"{pool}.{local}", node, now, **data)
    return made | {"time": now.isoformat(timespec="milliseconds")}


def _chance(case: Json, word: str) -> Random:
    return dice(word, case["id"], case["revision"])


def delivered(case: Json, now: datetime) -> Event:
    """Return the fact that a recorded result is: one service of the station.

    It is of the time of the result, so that a demo that goes on states the same once more.
    """
    local = case["id"].replace(".", "-")[-50:]
    performers = [performer["id"] for performer in case["performers"]]
    return event(
        "service.delivered",
        f"{case['node']}.{local}",
        case["node"],
        datetime.fromisoformat(case["served_at"]),
        enterprise_id=case["enterprise_id"],
        elements=case["demand"]["elements"],
        mode=case["demand"]["mode"],
        request_id=case["id"][-64:],
        performers=[performer[-64:] for performer in performers],
        persons=1,
        minutes=case["demand"]["minutes"],
    ) | {"time": now.isoformat(timespec="milliseconds")}
