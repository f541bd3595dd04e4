"""Bundles: several members at one common time, all or nothing.

A bundle can only begin where the time of some member begins. At each such start the members are
an assignment of resources to needs, solved exactly; all needs are met whenever they can be.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from services.matching.assignment import assigned
from services.matching.entry import fee
from services.matching.option import Fit, Option, fitting, option, timed
from services.matching.roster import Roster
from services.matching.times import starts, tiled
from services.matching.wanted import Wanted

Fits = Sequence[Fit]

STARTS = 2000
"""So many starts are tried at most, the earliest first."""


def teams(wanted: Wanted, roster: Roster, *, several: bool = False) -> Iterator[Option]:
    """Yield the best team at each start, the earliest first.

    `several` also tries starts one after another.
    """
    for start, pools in gathered(wanted, roster, several=several):
        team = best(pools, wanted.demand.budget)
        if team:
            yield option(team, start, wanted, roster)


def gathered(
    wanted: Wanted, roster: Roster, *, several: bool = False
) -> Iterator[tuple[int, list[list[Fit]]]]:
    """Yield each start, the earliest first, and who could then meet each need, the best first."""
    pools = [
        [timed(fit, wanted, n, roster) for fit in fitting(wanted, n, roster)]
        for n in range(len(wanted.needs))
    ]
    walk = tiled if several else starts
    begins = {
        at
        for pool in pools
        for f in pool
        # The earliest of all are among the earliest of each; up to 2099 there may be millions.
        for at in islice(walk(f.spans, wanted.window, wanted.length), STARTS)
    }
    for start in sorted(begins)[:STARTS]:
        yield start, [[f for f in pool if _at(f, start, wanted)] for pool in pools]


def price(team: Fits) -> int:
    """Return what a team asks, in fen."""
    return sum(map(_fee, team))


def cheapest(pools: Sequence[Fits]) -> list[Fit] | None:
    """Return a team that asks the least; None when there is none."""
    return _assigned([sorted(pool, key=_fee) for pool in pools], _fee)


def best(pools: Sequence[Fits], budget: int | None) -> list[Fit] | None:
    """Return the best team within the budget; under a tight budget the best that was found."""
    found = _assigned(pools, lambda fit: -fit.points)
    if found is None or budget is None or price(found) <= budget:
        return found
    found = cheapest(pools)
    return _bettered(found, pools, budget) if found and price(found) <= budget else None


def _at(fit: Fit, start: int, wanted: Wanted) -> bool:
    return any(a <= start and start + wanted.length <= b for a, b in fit.spans)


def _bettered(team: list[Fit], pools: Sequence[Fits], budget: int) -> list[Fit]:
    """Exchange members for better ones as long as the budget allows it."""
    for place in range(len(team)):
        others = team[:place] + team[place + 1 :]
        left, names = budget - price(others), {fit.entry.id for fit in others}
        affordable = (f for f in pools[place] if _fee(f) <= left and f.entry.id not in names)
        team[place] = next((f for f in affordable if f.points > team[place].points), team[place])
    return team


def _assigned(pools: Sequence[Fits], cost: Callable[[Fit], int]) -> list[Fit] | None:
    """Return one fit of each pool, no resource twice, for the least cost; pools lie cheapest first.

    Of each pool the first len(pools) are enough: the other needs can take no more than one less.
    """
    rows = [{f.entry.id: f for f in pool[: len(pools)]} for pool in pools]
    chosen = assigned([{name: cost(fit) for name, fit in row.items()} for row in rows])
    return [row[name] for row, name in zip(rows, chosen, strict=True)] if chosen else None


def _fee(fit: Fit) -> int:
    return fee(fit.entry)
