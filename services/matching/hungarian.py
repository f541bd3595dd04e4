"""The assignment of few rows to columns for the least cost, solved exactly (Hungarian method)."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Column = TypeVar("Column", bound=Hashable)


def assigned(costs: Sequence[Mapping[Column, int]]) -> list[Column] | None:
    """Return a column for each row, none twice, so that the costs add up to the least.

    A row can only have the columns that it gives a cost for. None: not all rows can have one.
    """
    state = _State(costs)
    if not all(state.augment(row) for row in range(len(costs))):
        return None
    chosen = {row: column for column, row in state.owner.items()}
    return [chosen[row] for row in range(len(costs))]


@dataclass(slots=True)
class _State(Generic[Column]):
    """Who owns which column; prices of rows and columns under which no cost is negative."""

    costs: Sequence[Mapping[Column, int]]
    owner: dict[Column, int] = field(default_factory=dict)
    rows: dict[int, int] = field(default_factory=dict)
    columns: dict[Column, int] = field(default_factory=dict)

    def augment(self, row: int) -> bool:
        """Give `row` a column, moving others along the cheapest path; False: there is none."""
        reach: dict[Column, int] = {}
        came: dict[Column, Column | None] = {}
        done: dict[Column, int] = {}
        here, far, last = row, 0, None
        while True:
            for column, length in self._onward(here, far):
                if column not in done and length < reach.get(column, length + 1):
                    reach[column], came[column] = length, last
            if not reach:
                return False
            last = min(reach, key=reach.__getitem__)
            far = done[last] = reach.pop(last)
            if last not in self.owner:
                break
            here = self.owner[last]
        self._price(row, far, done)
        self._shift(row, last, came)
        return True

    def _onward(self, row: int, far: int) -> list[tuple[Column, int]]:
        left = far - self.rows.get(row, 0)
        return [(c, left + cost - self.columns.get(c, 0)) for c, cost in self.costs[row].items()]

    def _price(self, row: int, far: int, done: Mapping[Column, int]) -> None:
        self.rows[row] = self.rows.get(row, 0) + far
        for column, length in done.items():
            self.columns[column] = self.columns.get(column, 0) + length - far
            if column in self.owner:
                owner = self.owner[column]
                self.rows[owner] = self.rows.get(owner, 0) + far - length

    def _shift(self, row: int, last: Column, came: Mapping[Column, Column | None]) -> None:
        at: Column | None = last
        while at is not None:
            before = came[at]
            self.owner[at] = row if before is None else self.owner[before]
            at = before
