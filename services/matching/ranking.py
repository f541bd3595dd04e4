"""All ways to serve one case, best first."""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice

from services.matching.bundle import teams
from services.matching.option import Option, fitting, option, timed
from services.matching.roster import Roster
from services.matching.times import starts, tiled
from services.matching.wanted import Wanted


def ranked(wanted: Wanted, roster: Roster, most: int) -> list[Option]:
    """Return at most `most` options, no two with the same members."""
    found: dict[tuple[str, ...], Option] = {}
    for one in _ways(wanted, roster, most):
        known = found.get(one.ids)
        found[one.ids] = min(known, one, key=lambda o: o.key) if known else one
    return sorted(found.values(), key=lambda one: one.key)[:most]


def spread(wanted: Wanted, best: Sequence[Option], roster: Roster, most: int) -> list[Option]:
    """Return about twice as many options, which offer the best members at several times."""
    if not wanted.single:
        return sorted(teams(wanted, roster, several=True), key=lambda one: one.key)[: 2 * most]
    each = 2 * most // max(1, len(best))
    found = []
    for one in best:
        walk = tiled(one.fits[0].spans, wanted.window, wanted.length)
        found += [option(one.fits, at, wanted, roster) for at in islice(walk, each)]
    return sorted(found, key=lambda one: one.key)


def _ways(wanted: Wanted, roster: Roster, most: int) -> Iterator[Option]:
    return _singles(wanted, roster, most) if wanted.single else teams(wanted, roster)


def _singles(wanted: Wanted, roster: Roster, most: int) -> Iterator[Option]:
    """Yield each resource at its earliest time.

    Times are looked up last because they cost the most: once enough were found, those for whom
    less speaks cannot come before them, unless it is the time that counts.
    """
    count = 0
    for _, same in groupby(fitting(wanted, 0, roster), key=lambda fit: fit.points):
        for fit in same:
            free = timed(fit, wanted, 0, roster)
            for start in starts(free.spans, wanted.window, wanted.length):
                yield option((free,), start, wanted, roster)
                count += 1
                break
        if count >= most and not wanted.demand.urgent:
            return
