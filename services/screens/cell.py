"""A cell: what a node holds for one period, and which cells a day or a span of days is made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from schemas.days import ALL, Period


@dataclass(slots=True)
class Cell:
    """Sums by key, and for each set's key its members with how many rows name them."""

    sums: dict[str, int] = field(default_factory=dict)
    sets: dict[str, dict[str, int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is left in it."""
        return bool(self.sums or self.sets)

    def add(self, key: str, amount: int) -> None:
        """Add to a sum; a sum of nothing goes."""
        total = self.sums.get(key, 0) + amount
        if total:
            self.sums[key] = total
        else:
            self.sums.pop(key, None)

    def hold(self, key: str, member: str, times: int) -> None:
        """Count one more (or with -1 one less) reference to a member of a set."""
        members = self.sets.setdefault(key, {})
        references = members.get(member, 0) + times
        if references:
            members[member] = references
            return
        del members[member]
        if not members:
            del self.sets[key]


def united(cells: Iterable[Cell]) -> dict[str, int]:
    """Return what cells hold together, by key: sums added up, sets united and counted."""
    values: dict[str, int] = {}
    sets: dict[str, list[dict[str, int]]] = {}
    for cell in cells:
        for key, amount in cell.sums.items():
            values[key] = values.get(key, 0) + amount
        for key, members in cell.sets.items():
            sets.setdefault(key, []).append(members)
    for key, parts in sets.items():
        values[key] = len(parts[0]) if len(parts) == 1 else len(set().union(*parts))
    return values


def periods(day: str) -> tuple[str, str, str, str]:
    """Return the names of the cells that a day counts in."""
    return day, day[:7], day[:4], ALL


def parts(period: Period) -> Iterator[str]:
    """Return the names of the fewest cells that make up a period: whole years, months, days."""
    if period.first is None or period.last is None:
        yield ALL
        return
    at, last = date.fromisoformat(period.first), date.fromisoformat(period.last)
    while at <= last:
        name, at = _longest(at, last)
        yield name


def _longest(at: date, last: date) -> tuple[str, date]:
    """Return the longest cell that begins on a day and does not end after `last`; what follows."""
    if (at.month, at.day) == (1, 1) and date(at.year, 12, 31) <= last:
        return f"{at.year:04}", date(at.year + 1, 1, 1)
    if at.day == 1:
        following = date(at.year + at.month // 12, at.month % 12 + 1, 1)
        if following - timedelta(days=1) <= last:
            return f"{at.year:04}-{at.month:02}", following
    return at.isoformat(), at + timedelta(days=1)
