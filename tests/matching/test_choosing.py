"""Properties of choosing, over supplies, diaries and requests of all kinds."""

import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.choice import Choice, Nobody
from services.matching.choose import choose, greedy, rank
from services.matching.diary import Diary
from services.matching.relax import relaxed
from services.matching.score import BEST
from services.matching.supply import Supply
from services.matching.value import SERVED, URGENT, value
from tests.matching import naive
from tests.matching.made_supply import (
    ENTERPRISES,
    MORNING,
    RULES,
    cases,
    diaries,
    resources,
    supply,
)  # fmt: skip

few = settings(max_examples=60, deadline=None)
rules = st.sampled_from([RULES, replace(RULES, exclude_failed=True)])
many = resources()


@few
@given(cases(), many, diaries(), rules)
def test_no_choice_breaks_a_rule_and_nobody_is_booked_twice(
    waiting: Any, offered: Any, diary: Any, by: Any
) -> None:
    """Checked minute by minute, with the diary and all other choices of the window."""
    made = supply(offered, ENTERPRISES)
    found = choose(waiting, made, diary, MORNING, by)
    assert found.keys() == {case.id for case in waiting}
    scene = naive.Scene.of(made, diary, MORNING, by)
    for case in waiting:
        answer = found[case.id]
        if isinstance(answer, Choice):
            assert not naive.broken(case, answer.candidate, scene)
            scene.book(answer.candidate)


@few
@given(cases(), many, diaries())
def test_parts_add_up_and_none_is_zero(waiting: Any, offered: Any, diary: Any) -> None:
    made = supply(offered, ENTERPRISES)
    for case in waiting:
        for candidate in rank(case, made, diary, MORNING, RULES):
            assert candidate.score == sum(part.points for part in candidate.parts) < BEST
            assert all(part.points for part in candidate.parts)
            assert len({part.name for part in candidate.parts}) == len(candidate.parts)


@few
@given(cases(), many, diaries())
def test_a_window_is_worth_at_least_what_one_after_another_is(
    waiting: Any, offered: Any, diary: Any
) -> None:
    made = supply(offered, ENTERPRISES)
    found = choose(waiting, made, diary, MORNING, RULES)
    served = {name: c.candidate for name, c in found.items() if isinstance(c, Choice)}
    simple = greedy(waiting, made, diary, MORNING, RULES)
    assert value(waiting, served) >= value(waiting, simple)
    assert 1000 * BEST < SERVED
    assert 1000 * SERVED < URGENT


@few
@given(cases(), many, diaries())
def test_nobody_is_said_only_when_nobody_is_left(waiting: Any, offered: Any, diary: Any) -> None:
    """With the choices of the window in the diary, no way is left to serve who is not served."""
    made = supply(offered, ENTERPRISES)
    found = choose(waiting, made, diary, MORNING, RULES)
    for name, answer in found.items():
        if isinstance(answer, Choice):
            diary.book(name, answer.candidate.members)
    for case in waiting:
        answer = found[case.id]
        if isinstance(answer, Nobody):
            assert not rank(case, made, diary, MORNING, RULES)
            assert answer.reasons
            assert len(set(answer.reasons)) == len(answer.reasons)
            assert "all_declined" not in answer.reasons[1:]


@few
@given(cases(most=1), many, diaries())
def test_what_is_said_to_help_helps(waiting: Any, offered: Any, diary: Any) -> None:
    """Applied as a whole it yields a choice, of those who are said to fit; in part it does not."""
    made = supply(offered, ENTERPRISES)
    (case,) = waiting
    answer = choose(waiting, made, diary, MORNING, RULES)[case.id]
    if not (isinstance(answer, Nobody) and answer.relaxation):
        return
    other, over = relaxed(case, answer.relaxation, made)
    fitting = choose([other], over, diary, MORNING, RULES)[case.id]
    assert isinstance(fitting, Choice)
    assert set(fitting.candidate.ids) <= set(answer.would_fit)
    for n in range(len(answer.relaxation)):
        rest = [*answer.relaxation[:n], *answer.relaxation[n + 1 :]]
        less, under = relaxed(case, rest, made)
        assert not rank(less, under, diary, MORNING, RULES)
    assert not rank(case, made, diary, MORNING, RULES)


@few
@given(cases(), many, diaries(), st.integers())
def test_the_order_in_which_things_are_given_does_not_matter(
    waiting: Any, offered: Any, diary: Any, seed: int
) -> None:
    rng = random.Random(seed)
    before = choose(waiting, supply(offered, ENTERPRISES), diary, MORNING, RULES)
    shuffled = [rng.sample(one, len(one)) for one in (waiting, offered)]
    keys = rng.sample(list(diary.booked), len(diary.booked))
    other = Diary({key: diary.booked[key] for key in keys}, diary.known, diary.campaigns)
    after = choose(shuffled[0], supply(shuffled[1], ENTERPRISES), other, MORNING, RULES)
    assert before == after


@few
@given(cases(), many, diaries(), st.integers(1, 4))
def test_ranks_come_best_first_and_no_more_than_asked(
    waiting: Any, offered: Any, diary: Any, most: int
) -> None:
    made = supply(offered, ENTERPRISES)
    for case in waiting:
        whole = rank(case, made, diary, MORNING, replace(RULES, candidates=1000))
        keys = [(-c.score, c.members[0].start, c.ids) for c in whole]
        assert keys == sorted(keys)
        assert whole[:most] == rank(case, made, diary, MORNING, replace(RULES, candidates=most))


@few
@given(cases(), many, diaries())
def test_choosing_changes_nothing_it_was_given(waiting: Any, offered: Any, diary: Any) -> None:
    made = supply(offered, ENTERPRISES)
    before = (list(waiting), diary.booked.copy(), diary.known.copy(), _content(made))
    choose(waiting, made, diary, MORNING, RULES)
    assert before == (waiting, diary.booked, diary.known, _content(made))


def _content(made: Supply) -> dict[str, Any]:
    return dict(made.of("county"))
