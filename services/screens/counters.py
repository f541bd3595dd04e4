"""The counters: rows of all sources merged on arrival into node x day, month, year and all.

Pure and in memory. Putting a row in place of another touches only what differs between them, in
the cells of its node and of all above it on that day.
"""

from collections.abc import Callable, Collection
from sys import intern

from schemas.days import ALL, Period
from schemas.reports import CountersFlushed, CounterUpdated
from services.screens.cell import Cell, parts, periods, united
from services.screens.source import NOTHING, Half, Held, Place, Row, Rows, Share, Version

Source = tuple[str, int]
"""A topic and a partition."""


class Counters:
    """All cells. `path(node, day)` goes from a node upwards, `resolve` follows merges."""

    def __init__(
        self, path: Callable[[str, str], list[str]], resolve: Callable[[str], str]
    ) -> None:
        self._path, self._resolve = path, resolve
        self._cells: dict[tuple[str, str], Cell] = {}
        self._sources: dict[Source, Rows] = {}

    def update(self, row: CounterUpdated) -> None:
        """Take a row; it shows once its source is flushed."""
        self._rows(row.topic, row.partition).keep_back(row)

    def flush(self, mark: CountersFlushed) -> set[str]:
        """Show all rows that came before a mark; return the nodes whose numbers changed."""
        touched: set[str] = set()
        for place, held in self._rows(mark.topic, mark.partition).flush(mark):
            touched |= self._put(place, held, held.row())
        return touched

    def versions(self) -> dict[Source, Version]:
        """Return the version that each flushed source stands at."""
        return {s: rows.version for s, rows in self._sources.items() if rows.version[1] >= 0}

    def halves(self) -> set[Half]:
        """Return the sources of which rows are kept back."""
        return {Half(s, rows.last) for s, rows in self._sources.items() if rows.waiting}

    def outdated(self) -> dict[Source, str]:
        """Return the sources that are stated by an older catalogue than what they hold, and how."""
        return {
            source: f"stated by catalogue {rows.last[0]}, older than {rows.version[0]} that shows"
            for source, rows in self._sources.items()
            if rows.last[0] < rows.version[0]
        }

    def read(self, node: str, period: Period) -> dict[str, int]:
        """Return a node's values by key: one cell, or for FROM..TO the union of a few."""
        found = (self._cells.get((node, part)) for part in parts(period))
        return united(cell for cell in found if cell is not None)

    def value(self, node: str, part: str, key: str) -> int:
        """Return one value of one cell."""
        cell = self._cells.get((node, part))
        return 0 if cell is None else cell.sums.get(key, 0) or len(cell.sets.get(key, ()))

    def moved(self, nodes: Collection[str]) -> None:
        """Derive anew what lies at or below nodes whose parents changed."""
        # Whoever has rows at or below it has a cell: the others, most that are new, need no look.
        known = {node for node in nodes if (node, ALL) in self._cells}
        if known:
            self._again(lambda _, share: not known.isdisjoint(share.path))

    def merged(self, enterprises: Collection[str]) -> None:
        """Derive anew what names enterprises that are resolved differently now."""
        names = frozenset(enterprises)
        self._again(lambda row, _: any(not names.isdisjoint(m) for m in row.sets.values()))

    def _again(self, concerned: Callable[[Row, Share], bool]) -> None:
        for rows in self._sources.values():
            for place, held in rows.held.items():
                row = held.row()
                if row is not None and concerned(row, held.share):
                    self._put(place, held, row)

    def _rows(self, topic: str, partition: int) -> Rows:
        return self._sources.setdefault((topic, partition), Rows())

    def _put(self, place: Place, held: Held, row: Row | None) -> set[str]:
        old, new = held.share, NOTHING if row is None else self._share(place, row)
        held.share = new
        if old.path == new.path:
            self._shift(new.path, place[1], old, new)
        else:
            self._shift(old.path, place[1], old, NOTHING)
            self._shift(new.path, place[1], NOTHING, new)
        return {*old.path, *new.path}

    def _share(self, place: Place, row: Row) -> Share:
        sets = {
            intern(key): frozenset(intern(self._resolve(member)) for member in members)
            for key, members in row.sets.items()
            if members
        }
        sums = {intern(key): amount for key, amount in row.sums.items() if amount}
        return Share(tuple(self._path(*place)), sums, sets) if sums or sets else NOTHING

    def _shift(self, path: tuple[str, ...], day: str, old: Share, new: Share) -> None:
        """Take `old` out of the cells along a path and put `new` in, as one difference."""
        sums, members = _amounts(old, new), _members(old, new)
        if not sums and not members:
            return
        for at in ((node, part) for node in path for part in periods(day)):
            cell = self._cells.setdefault(at, Cell())
            for key, amount in sums:
                cell.add(key, amount)
            for key, member, times in members:
                cell.hold(key, member, times)
            if not cell:
                del self._cells[at]


def _amounts(old: Share, new: Share) -> list[tuple[str, int]]:
    before, after = old.sums, new.sums
    found = [(key, n - before.get(key, 0)) for key, n in after.items() if n != before.get(key, 0)]
    return found + [(key, -n) for key, n in before.items() if key not in after]


def _members(old: Share, new: Share) -> list[tuple[str, str, int]]:
    empty: frozenset[str] = frozenset()
    found = [
        (key, member, 1)
        for key, members in new.sets.items()
        for member in members - old.sets.get(key, empty)
    ]
    return found + [
        (key, member, -1)
        for key, members in old.sets.items()
        for member in members - new.sets.get(key, empty)
    ]
