"""The counters of one source as they are published: what any reader of the log must show."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from schemas.reports import CountersFlushed, CounterUpdated
from services.stats.recount import Place, Tally

T = TypeVar("T")


class Row(NamedTuple):
    """A row, or a part of one, as compact as it goes: there are many."""

    catalogue: int
    position: int
    parts: int
    sums: tuple[tuple[str, int], ...]
    sets: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(slots=True)
class Published:
    """What a source shows as of its last mark; rows since then wait.

    A row that came late, of an older version, changes nothing, and the parts of a row that are
    not of its part 0's position do not belong to it. `changes` grows with every row taken in.
    """

    version: tuple[int, int] = (0, 0)
    changes: int = 0
    _rows: dict[Place, dict[int, Row]] = field(default_factory=dict)
    _waiting: list[tuple[Place, int, Row]] = field(default_factory=list)
    _known: dict[Any, Any] = field(default_factory=dict)

    def keep_back(self, row: CounterUpdated) -> None:
        """Take a row that counts from the next mark on."""
        once = self._once
        sums = tuple((once(key), total) for key, total in row.sums.items())
        sets = tuple(
            (once(key), tuple(once(member) for member in members))
            for key, members in row.sets.items()
        )
        kept = Row(row.catalogue, row.position, row.parts, sums, sets)
        self._waiting.append(((once(row.node), once(row.day)), row.part, kept))

    def flush(self, mark: CountersFlushed) -> None:
        """Take in what was kept back; rows of an older catalogue than the mark's are gone."""
        if mark.catalogue > self.version[0]:
            self._rows.clear()
            self.changes += 1
        self.version = max(self.version, (mark.catalogue, mark.position))
        for place, part, row in self._waiting:
            if row.catalogue < self.version[0]:
                continue
            held = self._rows.setdefault(place, {})
            if part not in held or held[part].position <= row.position:
                held[part] = row
                self.changes += 1
        self._waiting.clear()

    @property
    def places(self) -> AbstractSet[Place]:
        """All places that were ever named."""
        return self._rows.keys()

    def at(self, place: Place) -> Tally:
        """Return what is shown at a place."""
        tally = Tally()
        for row in self._valid(place):
            tally.sums.update(row.sums)
            for key, members in row.sets:
                tally.sets[key].update(members)
        return tally

    def _once(self, value: T) -> T:
        """Keep once what many rows say alike: names, never totals, of which there is no end."""
        found: T = self._known.setdefault(value, value)
        return found

    def _valid(self, place: Place) -> Iterable[Row]:
        held = self._rows.get(place, {})
        first = held.get(0)
        if first is None:
            return ()
        return (
            row for n, row in held.items() if n < first.parts and row.position == first.position
        )
