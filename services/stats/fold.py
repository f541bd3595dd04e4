"""The fold: what one source partition adds up to. Pure: no clock, broker, file or randomness.

A counter is the sum of what the subjects contribute now. So a statement that stands replaces its
subject's whole contribution: the old one is taken out, the new one put in. Totals are then the
same under repeats, replays and any order of arrival.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.codec import Event
from schemas.contribution import Counts, Slot, contribution, slot
from schemas.slots import Verdict, verdict

Place = tuple[str, str]
"""A node and a business day."""


@dataclass(slots=True)
class Cell:
    """What is counted at one place: amounts by key, members by key with how often each is named."""

    sums: dict[str, int] = field(default_factory=dict)
    sets: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Ledger:
    """The slots of every subject of one source partition, and the totals they add up to."""

    subjects: dict[str, tuple[Slot, ...]] = field(default_factory=dict)
    cells: dict[Place, Cell] = field(default_factory=dict)

    def apply(self, event: Event) -> tuple[Verdict, set[Place]]:
        """Judge a statement, take it in if it stands, and tell which places may have changed."""
        slots = self.subjects.get(event.subject, ())
        standing = next((s for s in slots if s.kind == event.slot), None)
        found = verdict(standing, event.data.revision, event.content)
        if found is not Verdict.STANDS:
            return found, set()
        return found, self.put(event.subject, slot(event))

    def put(self, subject: str, new: Slot) -> set[Place]:
        """Let `new` stand in its slot; return the places whose totals that touches."""
        slots = self.subjects.get(subject, ())
        before = _counting(slots)
        slots = (*(s for s in slots if s.kind != new.kind), new)
        self.subjects[subject] = slots
        after = _counting(slots)
        self._add(after, 1)
        self._add(before, -1)
        return {(counts.node, counts.day) for counts in (*before, *after)}

    def _add(self, contributed: Iterable[Counts], sign: int) -> None:
        for node, day, sums, members in contributed:
            cell = self.cells.get((node, day))
            if cell is None:
                cell = self.cells[node, day] = Cell()
            for key, amount in sums:
                _add(cell.sums, key, sign * amount)
            for key, member in members:
                _add(cell.sets.setdefault(key, {}), member, sign)


def _counting(slots: Sequence[Slot]) -> list[Counts]:
    return [counts for counts in contribution(slots) if counts.sums or counts.members]


def _add(totals: dict[str, int], key: str, amount: int) -> None:
    total = totals.get(key, 0) + amount
    if total:
        totals[key] = total
    else:
        totals.pop(key, None)
