"""Who can be booked, and when, while a window is being decided.

It starts from the supply and the diary, neither of which it changes, and remembers what the window
has taken. Nothing outlives the call it was made for.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from schemas.days import business_day
from schemas.supply import Equipment, Resource
from services.matching.diary import Diary
from services.matching.entry import Entry, Use
from services.matching.rules import Rules
from services.matching.supply import Supply, kind_of
from services.matching.times import (
    ALWAYS,
    HIGH,
    LOW,
    Span,
    both,
    crowded,
    days,
    instant,
    merged,
    moment,
    rounded,
    without,
)  # fmt: skip

Offering = dict[str, list[Entry]]


@dataclass(slots=True)
class Roster:
    """The resources of all pools and their times, at `now` and by `rules`."""

    supply: Supply
    diary: Diary
    now: datetime
    rules: Rules
    _taken: dict[str, list[Span]] = field(default_factory=dict)
    _free: dict[str, list[Span]] = field(default_factory=dict)
    _pools: dict[str, list[Entry]] = field(default_factory=dict)
    _offering: dict[str, Offering] = field(default_factory=dict)
    _paths: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def copy(self) -> "Roster":
        """Return a roster that takes its own way from here on."""
        taken = {resource: list(spans) for resource, spans in self._taken.items()}
        return replace(self, _taken=taken, _free=dict(self._free))

    def over(self, supply: Supply) -> "Roster":
        """Return a roster with the same times taken, over another supply."""
        return Roster(supply, self.diary, self.now, self.rules, self._taken)

    def entries(self, pool: str) -> list[Entry]:
        """Return the resources of a pool that have not left for good, by id.

        A device that was taken out stays: it is why something cannot be measured.
        """
        if pool not in self._pools:
            self._pools[pool] = [
                Entry(subject, resource, kind_of(resource))
                for subject, resource in sorted(self.supply.of(pool).items())
                if resource.status != "left" or isinstance(resource, Equipment)
            ]
        return self._pools[pool]

    def offering(self, pool: str, elements: Sequence[str]) -> list[Entry]:
        """Return the resources of a pool that offer all elements, by id."""
        if not elements:
            return self.entries(pool)
        if pool not in self._offering:
            index = self._offering[pool] = defaultdict(list)
            for entry in self.entries(pool):
                for element in entry.resource.elements:
                    index[element].append(entry)
        found = self._offering[pool].get(elements[0], [])
        others = set(elements[1:])
        return [e for e in found if others.issubset(e.resource.elements)] if others else found

    def load(self, resource: str) -> int:
        """Return how many open assignments a resource has, with those of this window."""
        return self.diary.load(resource) + len(self._taken.get(resource, ()))

    def bookings(self, resource: str) -> list[Span]:
        """Return the bookings of a resource, with those of this window."""
        booked = [(instant(b.start), instant(b.end)) for b in self.diary.of(resource)]
        return booked + self._taken.get(resource, [])

    def take(self, uses: Iterable[Use]) -> None:
        """Take times for this window."""
        for use in uses:
            self._taken.setdefault(use.id, []).append((use.start, use.end))
            self._free.pop(use.id, None)

    def give(self, uses: Iterable[Use]) -> None:
        """Give times of this window back."""
        for use in uses:
            self._taken[use.id].remove((use.start, use.end))
            self._free.pop(use.id, None)

    def room(self, entry: Entry) -> bool:
        """Whether a resource may have one open assignment more."""
        cap = entry.resource.cap
        return cap is None or self.load(entry.id) < cap

    def possible(self, entry: Entry, start: int, end: int) -> bool:
        """Whether a resource still has this time, and may have one assignment more."""
        return self.room(entry) and any(a <= start and end <= b for a, b in self.free(entry))

    def free(self, entry: Entry) -> list[Span]:
        """Return when a resource can be booked from now on: by its calendar and its bookings."""
        found = self._free.get(entry.id)
        if found is None:
            found = self._free[entry.id] = self._spare(entry.resource, self.bookings(entry.id))
        return found

    def _spare(self, resource: Resource, bookings: list[Span]) -> list[Span]:
        ahead = (rounded(instant(self.now)), HIGH)
        opened = [(instant(s.start), instant(s.end)) for s in resource.calendar if s.end > self.now]
        busy = [(instant(s.start), instant(s.end)) for s in resource.busy if s.end > self.now]
        times = both(merged(opened) if resource.calendar else [ALWAYS], [ahead])
        full = crowded(bookings, resource.capacity) if bookings else []
        return without(times, merged([*busy, *full]))

    def path(self, node: str, day: str) -> list[str]:
        """Return a node and all above it on a day."""
        found = self._paths.get((node, day))
        if found is None:
            found = self._paths[node, day] = self.supply.registry.path(node, day)
        return found

    def inside(self, resource: Resource, node: str) -> list[Span]:
        """Return when a resource stands or resides at a node or below it."""
        places = (*resource.resident_at, *((resource.place,) if resource.place else ()))
        return merged(
            span
            for span, day in (self._spells() if places else ())
            if any(node in self.path(place, day) for place in places)
        )

    def _spells(self) -> list[tuple[Span, str]]:
        """Return the spans from now on in which the node tree stays as it is, and a day of each."""
        today = business_day(self.now)
        parents = (p.since for node in self.supply.registry.nodes.values() for p in node.parents)
        turns = sorted({days(day, None)[0] for day in parents if day > today})
        starts, ends = [LOW, *turns], [*turns, HIGH]
        begins = [today, *(business_day(moment(turn)) for turn in turns)]
        return list(zip(zip(starts, ends, strict=True), begins, strict=True))
