"""Cases that want the same resources: decided together, with several times of each resource.

By a flow where that is exact. Else what one after another gives is mended, piece by piece, around
those who did not get their best, by CP-SAT. Nothing stands that is worse than one after another.
"""

from collections.abc import Iterator, Sequence

from services.matching.exact import exact
from services.matching.flow import flow, flows
from services.matching.option import Option
from services.matching.parts import parts
from services.matching.problem import Problem, problem
from services.matching.ranking import ranked, spread
from services.matching.roster import Roster
from services.matching.turns import Found, Lists, take
from services.matching.value import worth
from services.matching.wanted import Wanted

Turns = Sequence[Wanted]

TOGETHER, FEW = 1000, 60
"""So many cases are given at once to a flow, and to CP-SAT; those whose turn it is first."""
PIECES, EFFORT = 4, 0.1
"""So many pieces are mended, and so long CP-SAT may work on each in its deterministic seconds."""


def contended(turns: Turns, lists: Lists, eager: Found, roster: Roster) -> Found:
    """Return how cases are served, given what one after another gives; `roster` takes the times."""
    mine = _of(turns, eager)
    options = {w.case.id: _options(w, lists, mine, roster) for w in turns}
    own, found = roster.copy(), Found()
    for part in parts(turns, options, mine):
        solved = _flowing(part, options, own) or _mended(part, options, _of(part, mine), own)
        found |= solved if worth(part, solved) > worth(part, mine) else _of(part, mine)
    take(turns, found, own)
    _improve(turns, options, found, own)
    if worth(turns, found) < worth(turns, mine):
        found = mine
    take(turns, found, roster)
    return found


def _of(turns: Turns, found: Found) -> Found:
    return {w.case.id: found[w.case.id] for w in turns if w.case.id in found}


def _options(want: Wanted, lists: Lists, mine: Found, roster: Roster) -> list[Option]:
    """Return all that is considered for a case, the best first."""
    case, best = want.case.id, lists[want.case.id]
    one = [mine[case]] if case in mine else []
    every = (*best, *spread(want, best, roster, roster.rules.candidates), *one)
    return sorted({o.key: o for o in every}.values(), key=lambda o: o.key)


def _flowing(part: Turns, options: Lists, roster: Roster) -> Found:
    """Return what flows find, piece by piece; empty where they cannot be used."""
    own, found = roster.copy(), Found()
    for piece in _pieces(part, TOGETHER):
        asked = problem(piece, [options[w.case.id] for w in piece], own)
        chosen = flow(asked) if flows(asked) else None
        if chosen is None:
            return {}
        got = _named(asked, chosen)
        take(piece, got, own)
        found |= got
    return found


def _mended(part: Turns, options: Lists, found: Found, roster: Roster) -> Found:
    """Return what was found, solved anew around those who did not get their best."""
    own = roster.copy()
    take(part, found, own)
    holders = _holders(part, found)
    sad = [w for w in part if options[w.case.id] and options[w.case.id][0] != found.get(w.case.id)]
    done = set[str]()
    for _ in range(PIECES):
        near = _near([w for w in sad if w.case.id not in done], options, holders)
        if not near:
            break
        done |= {w.case.id for w in near}
        got = _searched(near, options, found, own)
        if worth(near, got) > worth(near, found):
            for want in near:
                found.pop(want.case.id, None)
            found |= got
        take(near, _of(near, found), own)
    return found


def _holders(part: Turns, found: Found) -> dict[str, list[Wanted]]:
    """Return by resource who was given it, in their turn."""
    holders: dict[str, list[Wanted]] = {}
    for want in part:
        for resource in found[want.case.id].ids if want.case.id in found else ():
            holders.setdefault(resource, []).append(want)
    return holders


def _near(sad: Turns, options: Lists, holders: dict[str, list[Wanted]]) -> list[Wanted]:
    """Return the next cases that lack something, and those who hold what they want most."""
    chosen: dict[str, Wanted] = {}
    for want in sad:
        rivals = [w for name in options[want.case.id][0].ids for w in holders.get(name, ())]
        group = {w.case.id: w for w in (want, *rivals)}
        if chosen and len(chosen | group) > FEW:
            break
        chosen |= group
    return sorted(list(chosen.values())[:FEW], key=lambda w: w.turn)


def _searched(near: Turns, options: Lists, found: Found, roster: Roster) -> Found:
    """Return how a piece is served best when all others keep what they have.

    The times that the piece had are free in `roster` then.
    """
    for want in near:
        if want.case.id in found:
            roster.give(found[want.case.id].uses(want.length))
    asked = problem(near, [options[w.case.id] for w in near], roster)
    ids = [w.case.id for w in near]
    hint = {n for n, pick in enumerate(asked.picks) if found.get(ids[pick.case]) == pick.option}
    return _named(asked, exact(asked, hint, EFFORT))


def _named(asked: Problem, chosen: Sequence[int]) -> Found:
    picks = (asked.picks[n] for n in chosen)
    return {asked.wants[pick.case].case.id: pick.option for pick in picks}


def _pieces(part: Turns, size: int) -> Iterator[Turns]:
    return (part[at : at + size] for at in range(0, len(part), size))


def _improve(turns: Turns, options: Lists, found: Found, roster: Roster) -> None:
    """Let each case take something better, earlier, or anything at all that was left over."""
    for want in turns:
        case, now = want.case.id, found.get(want.case.id)
        if now is not None:
            roster.give(now.uses(want.length))
            better = (o for o in options[case] if o.key < now.key)
            found[case] = next((o for o in better if o.possible(roster, want.length)), now)
        elif left := ranked(want, roster, 1):
            found[case] = left[0]
        take([want], found, roster)
