"""The fold: totals are what the subjects contribute now, whatever happened on the way."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Event, decode, encode
from schemas.measures import parse
from schemas.slots import Verdict
from services.stats.fold import Cell, Ledger
from services.stats.recount import Recount
from tests.histories import Expected, History, event


def read(attributes: dict[str, Any]) -> Event:
    found = decode(encode(attributes))
    assert isinstance(found, Event), found
    return found


def totals(ledger: Ledger) -> Expected:
    """Add a ledger's days up, leaving out slices (benefits are nothing but slices)."""
    found = Expected()
    for (node, _), cell in ledger.cells.items():
        for key, amount in cell.sums.items():
            if not parse(key)[1] or key.startswith("benefit"):
                found.sums[node, key] += amount
        for key, members in cell.sets.items():
            if not parse(key)[1] and members:
                found.sets[node, key].update(members)
    return found


def full(expected: Expected) -> tuple[dict[Any, int], dict[Any, set[str]]]:
    """Leave out what is zero or empty."""
    return {k: n for k, n in expected.sums.items() if n}, {
        k: s for k, s in expected.sets.items() if s
    }


@given(st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_any_history_adds_up_to_what_stands_in_the_end(seed: int) -> None:
    history, ledger = History("h", Random(seed)), Ledger()
    for attributes in history.events:
        ledger.apply(read(attributes))
    assert full(totals(ledger)) == full(history.expected)


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_the_fold_and_the_recount_agree_in_every_slice(seed: int) -> None:
    history, ledger, recount = History("h", Random(seed)), Ledger(), Recount()
    for attributes in history.events:
        ledger.apply(read(attributes))
        recount.read(read(attributes))
    places = recount.places()
    for place in places.keys() | ledger.cells.keys():
        cell, tally = ledger.cells.get(place, Cell()), places[place]
        assert cell.sums == tally.sums
        sets = {key: set(members) for key, members in cell.sets.items() if members}
        assert sets == {key: members for key, members in tally.sets.items() if members}


SERVICE = {
    "revision": 1, "node_id": "yinhu", "enterprise_id": "e1", "elements": ["STD"],
    "mode": "diagnosis",
    "occurred_at": "2023-05-06T09:30:00+08:00", "actor_role": "staff", "actor_ref": "s-1",
}  # fmt: skip


def test_a_conflict_leaves_the_first_statement_standing() -> None:
    ledger = Ledger()
    ledger.apply(read(event("service.delivered", "yinhu.1", SERVICE)))
    other = read(event("service.delivered", "yinhu.1", SERVICE | {"enterprise_id": "e2"}))
    assert ledger.apply(other) == (Verdict.CONFLICT, set())
    assert set(ledger.cells["yinhu", "2023-05-06"].sets["enterprises_served"]) == {"e1"}


def test_a_void_before_its_fact_keeps_it_from_counting() -> None:
    ledger = Ledger()
    void = {k: v for k, v in SERVICE.items() if k not in {"enterprise_id", "elements", "mode"}}
    void |= {"revision": 2, "target_type": "yizhan.service.delivered", "reason": "entered twice"}
    ledger.apply(read(event("record.voided", "yinhu.1", void)))
    found, _ = ledger.apply(read(event("service.delivered", "yinhu.1", SERVICE)))
    assert found is Verdict.SUPERSEDED
    assert totals(ledger) == Expected()


def test_a_fact_near_midnight_counts_on_the_day_of_shanghai() -> None:
    ledger = Ledger()
    late = SERVICE | {"occurred_at": "2023-05-06T16:30:00Z"}
    _, places = ledger.apply(read(event("service.delivered", "yinhu.1", late)))
    assert places == {("yinhu", "2023-05-07")}
