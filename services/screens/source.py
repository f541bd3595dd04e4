"""One source partition of rows: kept back until its flush mark, then taken in as a whole."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.reports import CountersFlushed, CounterUpdated, Source

Place = tuple[str, str]
"""A node and a day."""
Version = tuple[int, int]
"""The number of a catalogue of measures, and a position in the source partition."""


class Half(NamedTuple):
    """A source partition of which rows have come since its last flush mark, and that mark."""

    source: tuple[str, int]
    last: Version


class Row(NamedTuple):
    """The totals of a node's day, or the part of them that went into one record."""

    version: Version
    sums: Mapping[str, int]
    sets: Mapping[str, tuple[str, ...]]
    part: int = 0
    parts: int = 1


class Share(NamedTuple):
    """What a row adds: to the cells of which nodes, which amounts, which members."""

    path: tuple[str, ...]
    sums: Mapping[str, int]
    sets: Mapping[str, frozenset[str]]


NOTHING = Share((), {}, {})


@dataclass(slots=True)
class Held:
    """What a source said of a place, part by part, and the share of it that the cells hold.

    Of each part the highest version is held. What is older than part 0 is a leftover that nothing
    can bring back; what is newer waits for its part 0.
    """

    rows: tuple[Row, ...] = ()
    share: Share = NOTHING

    def take(self, rows: Iterable[Row]) -> None:
        """Take parts, in any order; of equal versions the last one counts."""
        found = {row.part: row for row in self.rows}
        for row in rows:
            if row.part not in found or row.version >= found[row.part].version:
                found[row.part] = row
        first = found.get(0)
        self.rows = tuple(r for r in found.values() if first is None or r.version >= first.version)

    def row(self) -> Row | None:
        """Return part 0 united with the parts that belong to it; None as long as it is missing."""
        first = next((row for row in self.rows if row.part == 0), None)
        if first is None or first.parts == 1:
            return first
        sets: dict[str, tuple[str, ...]] = {}
        for row in self.rows:
            if row.version == first.version and row.part < first.parts:
                for key, members in row.sets.items():
                    sets[key] = (*sets.get(key, ()), *members)
        return first._replace(sets=sets)


@dataclass(slots=True)
class Rows:
    """What one source partition says.

    `version` is that of its highest flush mark, `last` that of the last one: lower when whoever
    writes the rows was set back to an older catalogue, by which nothing is shown any more.
    """

    version: Version = (0, -1)
    last: Version = (0, -1)
    held: dict[Place, Held] = field(default_factory=dict)
    waiting: dict[Place, Held] = field(default_factory=dict)

    def keep_back(self, stated: CounterUpdated) -> None:
        """Take a row, or a part of one, that counts from the next flush mark on."""
        row = Row(version(stated), stated.sums, stated.sets, stated.part, stated.parts)
        self.waiting.setdefault((stated.node, stated.day), Held()).take([row])

    def flush(self, mark: CountersFlushed) -> Iterator[tuple[Place, Held]]:
        """Take in what was kept back; return the places that may differ now, each as it is held.

        Rows of a lower version than what is held change nothing; a mark of a higher catalogue
        takes out every row of the older ones: nothing is held of such a place any more.
        """
        self.last = version(mark)
        before, self.version = self.version, max(self.version, self.last)
        changed = self._take_in()
        if self.version[0] > before[0]:
            changed |= self.held.keys()
        for place in changed:
            held = self.held[place]
            held.rows = tuple(row for row in held.rows if row.version[0] >= self.version[0])
            if not held.rows:
                del self.held[place]
            yield place, held

    def _take_in(self) -> set[Place]:
        waiting, self.waiting = self.waiting, {}
        for place, held in waiting.items():
            self.held.setdefault(place, Held()).take(held.rows)
        return set(waiting)


def version(stated: Source) -> Version:
    """Return the version of a row or a mark; the higher one counts."""
    return stated.catalogue, stated.position
