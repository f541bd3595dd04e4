"""The life of a request: one table, without dead ends, that its page and its asks agree with."""

from pathlib import Path
from typing import get_args

import pytest

from schemas.codec import encode
from schemas.decisions import Moved, State
from schemas.lifecycle import BOOKED, ENDED, OWN, ROLES, TABLE, diagram, legal, row
from schemas.types import ASKS, PREFIX
from tests.schemas.examples import MOVED

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
STATES: tuple[State, ...] = get_args(State)
ASKED = sorted({r.ask for r in TABLE})
EVERY = sorted(frozenset[str]().union(*ROLES.values()))
STEPS = {(state, r.to) for r in TABLE for state in r.of if r.to} | {(a, b) for a, b, _ in OWN}


def reached(start: set[State], steps: set[tuple[State, State]]) -> set[State]:
    """Return everything that these steps lead to."""
    found = set(start)
    while more := {b for a, b in steps if a in found} - found:
        found |= more
    return found


def test_every_state_can_be_reached_from_the_first() -> None:
    assert reached({"submitted"}, STEPS) == set(STATES)


def test_from_every_state_an_end_can_be_reached() -> None:
    back = {(b, a) for a, b in STEPS}
    assert reached(set(ENDED), back) == set(STATES)


def test_what_has_ended_moves_no_more_unless_the_enterprise_takes_it_up_again() -> None:
    leaving = {(r.ask, r.to) for r in TABLE for state in r.of if state in ENDED and r.to}
    assert leaving == {("request.reopened", "reopened")}
    assert not [move for move in OWN if move[0] in ENDED]
    assert not BOOKED & ENDED


@pytest.mark.parametrize("state", STATES)
def test_a_request_is_open_until_it_has_ended(state: State) -> None:
    moved = Moved.model_validate_json(encode(MOVED | {"state": state}))
    assert moved.open == (state not in ENDED)


def test_the_table_speaks_of_the_asks_that_there_are_and_of_no_others() -> None:
    assert {PREFIX + ask for ask in ASKED} == {kind.name for kind in ASKS}
    assert {role for r in TABLE for role in r.by} == set(EVERY)


@pytest.mark.parametrize("state", [None, *STATES])
def test_what_is_legal_is_what_has_a_row(state: State | None) -> None:
    assert set(legal(state)) == {ask for ask in ASKED if row(ask, state)}
    for role in EVERY:
        found = {ask for ask in ASKED if (r := row(ask, state)) and role in r.by}
        assert set(legal(state, [role])) == found


def test_only_a_submission_makes_a_request() -> None:
    assert legal(None) == ("request.submitted",)
    assert not [state for state in STATES if "request.submitted" in legal(state)]


def test_rows_of_one_ask_in_one_state_are_for_the_same_people() -> None:
    for state in STATES:
        for ask in legal(state):
            assert len({r.by for r in TABLE if r.ask == ask and state in r.of}) == 1


@pytest.mark.parametrize(("before", "after", "cause"), OWN)
def test_what_matching_does_by_itself_leads_from_state_to_state_and_says_why(
    before: State, after: State, cause: str
) -> None:
    assert {before, after} <= set(STATES)
    assert cause.isidentifier()
    assert OWN.count((before, after, cause)) == 1


def test_the_page_shows_the_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"```mermaid\n{diagram()}```\n" in text, "write docs/lifecycle.md anew from diagram()"
    assert all(f" {state}" in diagram() for state in STATES)
