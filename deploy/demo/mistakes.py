"""What goes wrong at the desk and is put right: typed twice, wrong at first, at the wrong station.

The totals stay what they are: that is the point.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from deploy.demo.event import Event, dice, event
from deploy.demo.places import STATIONS


def with_mistakes(services: Sequence[Event]) -> Iterator[Event]:
    """Return the services, one of each station with each kind of mistake."""
    kinds = (typed_twice, wrong_at_first, wrong_station)
    for station, group in groupby(services, lambda one: str(one["data"]["node_id"])):
        own = list(group)
        picked = dice("mistakes", station).sample(range(len(own)), len(kinds))
        wrong: Mapping[int, Callable[[Event], list[Event]]] = dict(zip(picked, kinds, strict=True))
        for number, one in enumerate(own):
            yield from wrong[number](one) if number in wrong else [one]


def typed_twice(one: Event) -> list[Event]:
    """Return the service, its twin under another id, and what voids the twin."""
    twin = f"{one['subject']}-2"
    return [
        one,
        event("service.delivered", twin, node(one), at(one), **content(one)),
        void(one, twin, at(one) + timedelta(hours=1), 2),
    ]


def wrong_at_first(one: Event) -> list[Event]:
    """Return it on another day with another element, then its right second revision."""
    early = at(one) - timedelta(hours=20)
    return [stated(one, early, 1, elements=["POL"]), stated(one, at(one), 2)]


def wrong_station(one: Event) -> list[Event]:
    """Return it as recorded for another station, then the revision that moves it home."""
    other = next(station.id for station in STATIONS if station.id != node(one))
    return [stated(one, at(one), 1, node_id=other), stated(one, at(one), 2)]


def stated(one: Event, when: datetime, revision: int, **other: Any) -> Event:  # noqa: ANN401
    """Return a revision of a fact, with some of it put otherwise."""
    kind = one["type"].removeprefix("yizhan.")
    data = content(one) | other
    found = event(kind, one["subject"], node(one), when, revision=revision, **data)
    sent = at(one) + timedelta(minutes=7 + 60 * (revision - 1))
    return {**found, "time": sent.isoformat()}


def void(one: Event, subject: str, when: datetime, revision: int) -> Event:
    """Return what takes a fact back."""
    return event(
        "record.voided",
        subject,
        node(one),
        when,
        revision=revision,
        target_type=one["type"],
        reason="重复录入",
        actor_role="head",
    )


def node(one: Event) -> str:
    """Return the station of a fact."""
    return str(one["data"]["node_id"])


def at(one: Event) -> datetime:
    """Return when a fact happened."""
    return datetime.fromisoformat(one["data"]["occurred_at"])


def content(one: Event) -> dict[str, Any]:
    """Return what a fact says, apart from its revision, station and time."""
    return {
        name: value
        for name, value in one["data"].items()
        if name not in {"revision", "node_id", "occurred_at"}
    }
