"""What a window has achieved, as one number: urgent cases first, then how many, then how well."""

from collections.abc import Iterable, Mapping, Sequence

from services.matching.choice import Candidate, Case
from services.matching.option import Option
from services.matching.score import BEST, CALM
from services.matching.wanted import Wanted

SERVED = 10**14
"""More than the scores of all cases in a window add up to."""
URGENT = 10**20
"""More than SERVED for all cases in a window."""


def value(cases: Iterable[Case], found: Mapping[str, Candidate]) -> int:
    """Return the value of serving cases, by id, in these ways; who is not in `found` is not."""
    return sum(
        found[case.id].score + SERVED + URGENT * case.moved.demand.urgent
        for case in cases
        if case.id in found
    )


def worth(wants: Iterable[Wanted], found: Mapping[str, Option]) -> int:
    """Return the same of options."""
    return sum(
        found[w.case.id].points + SERVED + URGENT * w.demand.urgent
        for w in wants
        if w.case.id in found
    )


def weights(wants: Sequence[Wanted]) -> list[int]:
    """Return what serving each case adds to its score, in numbers as small as they can be.

    They order the ways to serve just these cases as `worth` does, so that a solver that counts in
    64 bits finds the same.
    """
    served = (len(wants) + 1) * (BEST if any(w.demand.urgent for w in wants) else CALM)
    return [served + (len(wants) + 1) * served * w.demand.urgent for w in wants]
