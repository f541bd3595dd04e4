"""There is one verdict on a statement, and what stands does not depend on who came when."""

from random import Random
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from schemas.slots import Verdict, verdict


class Stated(NamedTuple):
    revision: int
    content: str


STANDING = Stated(3, "a")


def test_the_first_statement_stands() -> None:
    assert verdict(None, 7, "a") is Verdict.STANDS


def test_a_higher_revision_stands_in_place_of_a_lower_one() -> None:
    assert verdict(STANDING, 4, "b") is Verdict.STANDS
    assert verdict(STANDING, 9, "a") is Verdict.STANDS


def test_a_lower_revision_is_superseded_whatever_it_says() -> None:
    assert verdict(STANDING, 2, "a") is Verdict.SUPERSEDED
    assert verdict(STANDING, 2, "b") is Verdict.SUPERSEDED


def test_the_same_once_more_is_a_repeat() -> None:
    assert verdict(STANDING, 3, "a") is Verdict.REPEAT


def test_the_same_revision_with_other_content_is_a_conflict() -> None:
    assert verdict(STANDING, 3, "b") is Verdict.CONFLICT


def judged(history: list[Stated]) -> tuple[Stated | None, list[Verdict]]:
    standing, verdicts = None, []
    for statement in history:
        verdicts.append(verdict(standing, *statement))
        if verdicts[-1] is Verdict.STANDS:
            standing = statement
    return standing, verdicts


REVISIONS = st.lists(st.integers(1, 9), min_size=1)


@given(REVISIONS, st.integers(0, 2**32))
def test_without_conflicts_the_same_stands_in_any_order(revisions: list[int], seed: int) -> None:
    history = [Stated(revision, f"content of {revision}") for revision in revisions]
    shuffled = Random(seed).sample(history, len(history))
    standing, verdicts = judged(shuffled)
    assert standing == judged(history)[0] == max(history)
    assert Verdict.CONFLICT not in verdicts


@given(st.lists(st.builds(Stated, st.integers(1, 4), st.sampled_from("ab")), min_size=1))
def test_of_what_conflicts_the_first_in_the_log_stands(history: list[Stated]) -> None:
    standing, _ = judged(history)
    highest = max(statement.revision for statement in history)
    assert standing == next(s for s in history if s.revision == highest)


@given(st.lists(st.builds(Stated, st.integers(1, 4), st.sampled_from("ab"))))
def test_only_what_stands_changes_anything(history: list[Stated]) -> None:
    _, verdicts = judged(history)
    kept = [s for s, v in zip(history, verdicts, strict=True) if v is Verdict.STANDS]
    assert [s.revision for s in kept] == sorted({s.revision for s in kept})
