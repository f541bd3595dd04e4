"""One source partition of rows: kept back until its flush mark, then taken in as a whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.reports import CountersFlushed, CounterUpdated, Source

Place = tuple[str, str]
"""A node and a day."""
Version = tuple[int, int]
"""The number of a catalogue of measures, and a position in the source partition."""


class Row(NamedTuple):
    """The totals of a node's day as one source stated them last."""

    version: Version
    sums: Mapping[str, int]
    sets: Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class Rows:
    """What one source partition says. `version` is that of its newest flush mark."""

    version: Version = (0, -1)
    held: dict[Place, Row] = field(default_factory=dict)
    waiting: dict[Place, Row] = field(default_factory=dict)

    def keep_back(self, stated: CounterUpdated) -> None:
        """Take a row that counts from the next flush mark on."""
        row = Row(version(stated), stated.sums, stated.sets)
        place = stated.node, stated.day
        if place not in self.waiting or row.version >= self.waiting[place].version:
            self.waiting[place] = row

    def flush(self, mark: CountersFlushed) -> Iterator[tuple[Place, Row | None]]:
        """Return what changes now: rows to put, and None for rows to take out.

        Rows of a lower version than what is held change nothing; a mark of a higher catalogue
        takes out every row of the older ones.
        """
        self.version = max(self.version, version(mark))
        waiting, self.waiting = self.waiting, {}
        for place, row in waiting.items():
            if place not in self.held or row.version >= self.held[place].version:
                yield place, row
        for place in [p for p, row in self.held.items() if row.version[0] < self.version[0]]:
            yield place, None


def version(stated: Source) -> Version:
    """Return the version of a row or a mark; the higher one counts."""
    return stated.catalogue, stated.position
