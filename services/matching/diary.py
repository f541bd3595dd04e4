"""What is booked: by resource the times, how much each has open, and whom it has served before."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from schemas.decisions import Member


class Booking(NamedTuple):
    """A resource is taken from `start` up to `end`."""

    start: datetime
    end: datetime
    assignment: str


@dataclass(slots=True)
class Diary:
    """The bookings of living assignments; `known` and `campaigns` count what was done before.

    `known` goes by (resource, enterprise), `campaigns` by (resource, campaign or project).
    """

    booked: dict[str, list[Booking]] = field(default_factory=dict)
    known: Counter[tuple[str, str]] = field(default_factory=Counter)
    campaigns: Counter[tuple[str, str]] = field(default_factory=Counter)

    def of(self, resource: str) -> Sequence[Booking]:
        """Return the bookings of a resource, the earliest first."""
        return self.booked.get(resource, ())

    def load(self, resource: str) -> int:
        """Return how many open assignments a resource has."""
        return len(self.of(resource))

    def book(self, assignment: str, members: Iterable[Member]) -> None:
        """Take the members' times for an assignment."""
        for member in members:
            bookings = self.booked.setdefault(member.id, [])
            bookings.append(Booking(member.start, member.end, assignment))
            bookings.sort()

    def free(self, assignment: str, members: Iterable[Member]) -> None:
        """Give the times of an assignment back."""
        for member in members:
            left = [b for b in self.booked.get(member.id, ()) if b.assignment != assignment]
            if left:
                self.booked[member.id] = left
            else:
                self.booked.pop(member.id, None)
