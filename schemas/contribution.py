"""What facts contribute to the measures, as pure functions over the catalogue.

`counts` says what one fact would count by itself. `contribution` is over all live slots of one
subject: it applies the life cycles, and its sum over all subjects *is* every counter.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from schemas.codec import Event
from schemas.days import business_day
from schemas.measures import LIFE_CYCLES, MEASURES, Kind, LifeCycle, Measure, key
from schemas.types import VOID

Sums = tuple[tuple[str, int], ...]
Members = tuple[tuple[str, str], ...]
"""Pairs of (key of a set, enterprise)."""


class Counts(NamedTuple):
    """What one fact counts: on which node and business day, which amounts, which members."""

    node: str
    day: str
    sums: Sums
    members: Members


class Slot(NamedTuple):
    """What stands in the slot of type `kind`; `counts` is None once it is voided."""

    kind: str
    revision: int
    content: str
    counts: Counts | None


def slot(event: Event) -> Slot:
    """Return what stands in a fact's slot once it stands there."""
    voids = event.kind.name == VOID
    counted = None if voids else counts(event.slot, event.data)
    return Slot(event.slot, event.data.revision, event.content, counted)


def counts(kind: str, data: Any) -> Counts:  # noqa: ANN401  # any fact's data
    """Return what a statement in a slot of `kind` counts before its life cycle is applied."""
    sums, members = _plan(kind)(data)
    return Counts(data.node_id, business_day(data.counted_at), sums, members)


def contribution(slots: Sequence[Slot]) -> list[Counts]:
    """Return what all slots of one subject contribute together."""
    live = {slot.kind: slot.counts for slot in slots if slot.counts is not None}
    for cycle in LIFE_CYCLES:
        if cycle.first in live:
            live[cycle.first] = _in_state(live[cycle.first], state(cycle, live))
    return list(live.values())


def state(cycle: LifeCycle, live: Iterable[str]) -> str | None:
    """Return the state that these types make up together; None: it contributes nothing."""
    live = set(live)
    if cycle.first not in live or live.intersection(cycle.ends):
        return None
    reached = cycle.state
    for kind, name in cycle.steps:
        if kind not in live:
            break
        reached = name
    return reached


def pending(live: Iterable[str]) -> list[str]:
    """Return the types that what is there waits for, in the order of the life cycle."""
    live = set(live)
    missing = []
    for cycle in LIFE_CYCLES:
        order = [cycle.first, *(kind for kind, _ in cycle.steps)]
        there = [at for at, kind in enumerate(order) if kind in live]
        ended = len(order) if live.intersection(cycle.ends) else 0
        until = max([*there, min(ended, 1)], default=0)
        missing += [kind for kind in order[:until] if kind not in live]
    return missing


def _in_state(counted: Counts, reached: str | None) -> Counts:
    if reached is None:
        return counted._replace(sums=(), members=())
    return counted._replace(sums=tuple((f"{k};state={reached}", n) for k, n in counted.sums))


Plan = Callable[[Any], tuple[Sums, Members]]


@cache
def _plan(kind: str) -> Plan:
    """Return how facts of a type count.

    All that depends only on a fact's dimensions and amounts is worked out once for each
    combination: a million services share a few dozen of them.
    """
    measures = [m for m in MEASURES if m.fact == kind]
    if not measures:
        return lambda _: ((), ())
    state_of = {cycle.measure for cycle in LIFE_CYCLES}
    sums = [m for m in measures if m.kind is Kind.SUM]
    sets = [m for m in measures if m.kind is Kind.SET]
    fields = sorted(
        {m.of for m in sums if m.of}
        | {m.where[0] for m in measures if m.where}
        | {
            f
            for m in measures
            for s in m.slices
            for f in s
            if f != "state" or m.name not in state_of
        }
    )
    read = attrgetter(*fields) if len(fields) > 1 else _single(fields)

    @lru_cache(maxsize=65_536)
    def keys(values: tuple[Any, ...]) -> tuple[Sums, tuple[tuple[str, str], ...]]:
        at = dict(zip(fields, values, strict=True))
        return (
            tuple((k, n) for m in sums if (n := _amount(m, at)) for k in _keys(m, at)),
            tuple((k, m.of) for m in sets if _holds(m, at) for k in _keys(m, at)),
        )

    def plan(data: Any) -> tuple[Sums, Members]:  # noqa: ANN401  # any fact's data
        amounts, wanted = keys(read(data))
        return amounts, tuple(pair for k, f in wanted for pair in _members(k, getattr(data, f)))

    return plan


def _single(fields: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda data: tuple(getattr(data, f) for f in fields)


def _members(name: str, value: str | Iterable[str] | None) -> Members:
    if value is None:
        return ()
    if isinstance(value, str):
        return ((name, value),)
    return tuple((name, member) for member in dict.fromkeys(value))


def _holds(measure: Measure, at: dict[str, Any]) -> bool:
    return measure.where is None or at[measure.where[0]] == measure.where[1]


def _amount(measure: Measure, at: dict[str, Any]) -> int:
    if not _holds(measure, at):
        return 0
    return (at[measure.of] or 0) if measure.of else 1


DIMENSIONS = {"elements": "element", "agency_id": "agency", "reasons": "reason"}
"""Fields whose dimension has another name."""


def _keys(measure: Measure, at: dict[str, Any]) -> list[str]:
    """Return the keys that a fact with these values counts under."""
    found = [measure.name] if measure.total else []
    for fields in measure.slices:
        present = [f for f in fields if f in at]
        if any(at[f] is None for f in present):
            continue
        if len(present) == 1 and isinstance(at[present[0]], tuple):
            found += [
                key(measure.name, **{DIMENSIONS.get(present[0], present[0]): value})
                for value in dict.fromkeys(at[present[0]])
            ]
        else:
            found.append(key(measure.name, **{DIMENSIONS.get(f, f): at[f] for f in present}))
    return found
