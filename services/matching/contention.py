"""Cases that want the same resources: decided together, with several times of each resource.

By a flow where that is exact, else by CP-SAT, which starts from what one after another gives. The
better of the two stands.
"""

from collections.abc import Iterator, Sequence

from services.matching.exact import exact
from services.matching.flow import flow, flows
from services.matching.option import Option
from services.matching.parts import parts
from services.matching.problem import problem
from services.matching.ranking import ranked, spread
from services.matching.roster import Roster
from services.matching.turns import Found, Lists, take
from services.matching.value import worth
from services.matching.wanted import Wanted

Turns = Sequence[Wanted]

TOGETHER, FEW = 1000, 200
"""So many cases are given at once to a flow, and to CP-SAT; those whose turn it is first."""
EFFORT = 0.5
"""How long CP-SAT may work on one problem, in its own deterministic seconds."""


def contended(turns: Turns, lists: Lists, eager: Found, roster: Roster) -> Found:
    """Return how cases are served, given what one after another gives; `roster` takes the times."""
    mine = _of(turns, eager)
    options = {w.case.id: _options(w, lists, mine, roster) for w in turns}
    mended, found = roster.copy(), Found()
    for part in parts(turns, options, mine):
        solved = _solved(part, options, mine, roster)
        better = worth(part, solved) > worth(part, mine)
        found |= solved if better else _of(part, mine)
    take(turns, found, mended)
    _mend(turns, options, found, mended)
    if worth(turns, found) < worth(turns, mine):
        found = mine
    take(turns, found, roster)
    return found


def _of(turns: Turns, found: Found) -> Found:
    return {w.case.id: found[w.case.id] for w in turns if w.case.id in found}


def _options(want: Wanted, lists: Lists, mine: Found, roster: Roster) -> list[Option]:
    """Return all that is considered for a case, the best first."""
    case = want.case.id
    one = [mine[case]] if case in mine else []
    every = (*lists[case], *spread(want, roster, roster.rules.candidates), *one)
    return sorted({o.key: o for o in every}.values(), key=lambda o: o.key)


def _solved(part: Turns, options: Lists, mine: Found, roster: Roster) -> Found:
    """Return what solvers find for a part, piece by piece."""
    own, found = roster.copy(), Found()
    for piece in _pieces(part, TOGETHER):
        asked = problem(piece, [options[w.case.id] for w in piece], own)
        chosen = flow(asked) if flows(asked) else None
        if chosen is not None:
            got = {piece[asked.picks[n].case].case.id: asked.picks[n].option for n in chosen}
            take(piece, got, own)
            found |= got
            continue
        for few in _pieces(piece, FEW):
            got = _searched(few, options, mine, own)
            take(few, got, own)
            found |= got
    return found


def _searched(few: Turns, options: Lists, mine: Found, roster: Roster) -> Found:
    asked = problem(few, [options[w.case.id] for w in few], roster)
    ids = [w.case.id for w in few]
    hint = {n for n, pick in enumerate(asked.picks) if mine.get(ids[pick.case]) == pick.option}
    return {ids[asked.picks[n].case]: asked.picks[n].option for n in exact(asked, hint, EFFORT)}


def _pieces(part: Turns, size: int) -> Iterator[Turns]:
    return (part[at : at + size] for at in range(0, len(part), size))


def _mend(turns: Turns, options: Lists, found: Found, roster: Roster) -> None:
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
