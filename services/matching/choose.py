"""Choosing: who shall serve. Pure, and the same for the same input in whatever order."""

from collections.abc import Collection, Sequence
from datetime import datetime

from schemas.decisions import Alternative
from services.matching.choice import Candidate, Case, Choice, Nobody
from services.matching.diary import Diary
from services.matching.option import Option, candidate
from services.matching.ranking import ranked
from services.matching.reasons import better, nearest, reasons
from services.matching.relief import relief
from services.matching.roster import Roster
from services.matching.rules import Rules
from services.matching.supply import Supply
from services.matching.turns import one_by_one
from services.matching.wanted import Wanted, wanted
from services.matching.window import settle

OTHERS = 5
"""So many alternatives are named."""


def choose(  # noqa: PLR0913  # the whole question, and for whom the answer matters
    cases: Sequence[Case], supply: Supply, diary: Diary, now: datetime, rules: Rules,
    *, explain: Collection[str] | None = None,
) -> dict[str, Choice | Nobody]:  # fmt: skip
    """Return an answer for each case, by id.

    `explain` are the cases for which it matters why nobody serves, and what would help (None: all);
    for others that is left out.
    """
    roster = Roster(supply, diary, now, rules)
    wants = [wanted(case, supply, now, rules) for case in cases]
    found, lists = settle(wants, roster)
    answers: dict[str, Choice | Nobody] = {}
    for want in wants:
        case = want.case.id
        if case in found:
            answers[case] = _choice(want, found[case], lists[case], roster)
        elif explain is None or case in explain:
            answers[case] = _nobody(want, roster)
        else:
            answers[case] = Nobody(())
    return answers


def rank(case: Case, supply: Supply, diary: Diary, now: datetime, rules: Rules) -> list[Candidate]:
    """Return the best ways to serve one case by itself, at most rules.candidates, best first."""
    roster, want = Roster(supply, diary, now, rules), wanted(case, supply, now, rules)
    return [candidate(one, want, roster) for one in ranked(want, roster, rules.candidates)]


def greedy(
    cases: Sequence[Case], supply: Supply, diary: Diary, now: datetime, rules: Rules
) -> dict[str, Candidate]:
    """Return what each case gets when each takes its best as its turn comes, by id."""
    roster = Roster(supply, diary, now, rules)
    wants = sorted((wanted(c, supply, now, rules) for c in cases), key=lambda want: want.turn)
    lists = {w.case.id: ranked(w, roster, 1) for w in wants}
    found = one_by_one(wants, lists, roster)
    return {w.case.id: candidate(found[w.case.id], w, roster) for w in wants if w.case.id in found}


def _choice(want: Wanted, got: Option, options: Sequence[Option], roster: Roster) -> Choice:
    others = [one for one in options if one.ids != got.ids][:OTHERS]
    named = tuple(Alternative(members=one.ids, score=one.points) for one in others)
    return Choice(candidate(got, want, roster), named, better(want, got, roster))


def _nobody(want: Wanted, roster: Roster) -> Nobody:
    relaxation, would_fit = relief(want, roster)
    return Nobody(reasons(want, roster), nearest(want, roster), relaxation, would_fit)
