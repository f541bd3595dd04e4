"""What facts contribute: slices, sets, and life cycles over whatever is there."""

from itertools import chain, combinations, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contribution import Counts, Slot, contribution, pending, slot, state
from schemas.measures import LIFE_CYCLES
from tests.schemas.examples import EXAMPLES, FACTS, accepted, event

BENEFIT = LIFE_CYCLES[0]
STEPS = ("claimed", "confirmed", "audited", "withdrawn")
SUBSETS = tuple(chain.from_iterable(combinations(STEPS, n) for n in range(5)))


def stated(fact: str, /, **data: Any) -> Slot:
    return slot(accepted(event(fact, "yinhu.1", FACTS[fact] | data)))


def only(*slots: Slot) -> Counts:
    (found,) = contribution(slots)
    return found


def sums(fact: str, /, **data: Any) -> dict[str, int]:
    found = only(stated(fact, **data)).sums
    assert len(dict(found)) == len(found)
    return dict(found)


def members(fact: str, /, **data: Any) -> list[tuple[str, str]]:
    return sorted(only(stated(fact, **data)).members)


def voided(kind: str) -> Slot:
    void = FACTS["record.voided"] | {"target_type": f"yizhan.{kind}"}
    return slot(accepted(event("record.voided", "yinhu.1", void)))


def test_a_service_counts_once_and_once_more_in_the_slice_of_each_element() -> None:
    assert sums("service.delivered") == {
        "services_delivered": 1,
        "services_delivered;element=STD": 1,
        "services_delivered;element=TST": 1,
        "services_delivered;mode=diagnosis": 1,
    }


def test_an_element_that_is_named_twice_counts_once() -> None:
    found = sums("service.delivered", elements=["QM", "QM"])
    assert found["services_delivered;element=QM"] == 1


def test_a_service_without_elements_is_a_service() -> None:
    found = sums("service.delivered", elements=[])
    assert found == {"services_delivered": 1, "services_delivered;mode=diagnosis": 1}


def test_an_agency_has_its_slices_only_where_it_took_part() -> None:
    assert not any("agency" in key for key in sums("service.delivered"))
    assert sums("service.delivered", agency_id="lab")["services_delivered;agency=lab"] == 1
    assert members("service.delivered", agency_id="lab") == [
        ("enterprises_served", "ent-000001"),
        ("enterprises_served;agency=lab", "ent-000001"),
    ]


def test_persons_count_only_where_they_came_for_a_consultation() -> None:
    assert "consult_person_times" not in sums("service.delivered", persons=7)
    assert "consult_person_times" not in sums("service.delivered", mode="consultation")
    assert sums("service.delivered", mode="consultation", persons=7)["consult_person_times"] == 7


def test_a_visit_is_no_service() -> None:
    assert sums("visit.completed") == {"visits": 1}
    assert members("visit.completed") == [("enterprises_visited", "ent-000001")]


def test_an_enterprise_is_one_member_however_often_an_activity_names_it() -> None:
    found = members("activity.held", enterprises=["e1", "e2", "e1"])
    assert found == [
        ("activity_enterprises", "e1"),
        ("activity_enterprises", "e2"),
        ("activity_enterprises;kind=training", "e1"),
        ("activity_enterprises;kind=training", "e2"),
        ("enterprises_trained", "e1"),
        ("enterprises_trained", "e2"),
    ]


def test_an_activity_counts_its_sessions_and_trains_only_where_it_is_a_training() -> None:
    assert sums("activity.held", kind="open_day", sessions=3, persons=0) == {
        "activities_held": 3,
        "activities_held;kind=open_day": 3,
    }
    found = members("activity.held", kind="open_day")
    assert not [key for key, _ in found if key == "enterprises_trained"]


def test_a_measure_of_enterprises_adds_no_sum() -> None:
    for kind in ("title.filed", "title.granted"):
        assert sums(kind) == {}
        assert {enterprise for _, enterprise in members(kind)} == {"ent-000001"}


def test_each_kind_of_outcome_and_output_has_a_measure_of_its_own() -> None:
    assert sums("outcome.recorded", kind="licence", days=30) == {"licence_days": 30}
    assert members("outcome.recorded", kind="improved") == [("enterprises_improved", "ent-000001")]
    assert sums("outcome.recorded", kind="improved", days=30) == {}
    assert sums("output.produced", kind="patent", qty=4) == {"patents": 4}


def test_a_problem_without_a_product_counts_in_no_slice() -> None:
    assert sums("problem.found") == {"problems_found": 1, "problems_found;product=bricks": 1}
    assert sums("problem.solved", product=None) == {"problems_solved": 1}


def test_a_fact_counts_where_and_when_it_happened() -> None:
    found = only(stated("visit.completed", node_id="anlu", occurred_at="2024-02-28T16:00:00Z"))
    assert (found.node, found.day) == ("anlu", "2024-02-29")


@pytest.mark.parametrize("name", [n for n in FACTS if n != "record.voided"])
def test_what_is_voided_contributes_nothing(name: str) -> None:
    assert contribution([voided(name)]) == []
    assert slot(accepted(EXAMPLES[f"yizhan.{name}"])).counts is not None


def benefit(step: str) -> Slot:
    return stated(f"benefit.{step}")


def expected(steps: tuple[str, ...]) -> str | None:
    """Say what a benefit is, by hand."""
    if "claimed" not in steps or "withdrawn" in steps:
        return None
    if "confirmed" not in steps:
        return "claimed"
    return "audited" if "audited" in steps else "confirmed"


@pytest.mark.parametrize("steps", SUBSETS, ids="+".join)
def test_a_benefit_is_in_one_state_whatever_the_order_of_its_parts(steps: tuple[str, ...]) -> None:
    found = expected(steps)
    key = f"benefit;basis=measured;kind=direct;state={found}"
    for order in permutations(steps):
        parts = contribution([benefit(step) for step in order])
        assert [pair for part in parts for pair in part.sums] == (
            [(key, 123_456_789)] if found else []
        )
        assert state(BENEFIT, [f"yizhan.benefit.{step}" for step in order]) == found


def test_a_voided_confirmation_is_as_if_it_had_not_been() -> None:
    parts = contribution([benefit("claimed"), voided("benefit.confirmed"), benefit("audited")])
    assert [key for part in parts for key, _ in part.sums] == [
        "benefit;basis=measured;kind=direct;state=claimed"
    ]


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ((), ()),
        (("claimed",), ()),
        (("confirmed",), ("claimed",)),
        (("audited",), ("claimed", "confirmed")),
        (("claimed", "audited"), ("confirmed",)),
        (("confirmed", "audited"), ("claimed",)),
        (("claimed", "confirmed", "audited"), ()),
        (("withdrawn",), ("claimed",)),
        (("claimed", "withdrawn"), ()),
    ],
)
def test_pending_names_what_a_part_waits_for(
    there: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    for order in permutations(there):
        found = pending([f"yizhan.benefit.{step}" for step in order])
        assert found == [f"yizhan.benefit.{step}" for step in missing]


def test_nothing_waits_for_anything_outside_a_life_cycle() -> None:
    assert pending(["yizhan.service.delivered", "yizhan.problem.solved"]) == []


@given(st.lists(st.sampled_from(sorted(FACTS.keys() - {"record.voided"})), unique=True), st.data())
def test_the_order_of_slots_changes_nothing(kinds: list[str], data: st.DataObject) -> None:
    slots = [stated(kind) for kind in kinds]
    shuffled = data.draw(st.permutations(slots))
    assert sorted(contribution(slots)) == sorted(contribution(shuffled))


@given(st.lists(st.sampled_from(["visit.completed", "problem.found", "title.filed"]), unique=True))
def test_facts_without_a_life_cycle_contribute_what_each_counts(kinds: list[str]) -> None:
    slots = [stated(kind) for kind in kinds]
    assert contribution(slots) == [slot.counts for slot in slots]
