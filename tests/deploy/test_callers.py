"""The sample's requests and those who answer them, without a clock."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from deploy.demo.callers import EVERY, WANTED, Callers
from deploy.demo.event import dice
from deploy.demo.firms import firms
from deploy.demo.people import HABITS, act, delivered
from deploy.demo.supply import supply
from schemas.codec import Event, decode, encode
from schemas.days import SHANGHAI
from schemas.lifecycle import ENDED, ROLES, row
from schemas.pools import owner

MORNING = datetime(2026, 11, 21, 9, tzinfo=SHANGHAI)


def hour() -> list[dict[str, Any]]:
    callers = Callers(dice("test"), firms())
    return [one for n in range(3600) for one in callers.step(MORNING + timedelta(seconds=n), 1.0)]


def case(state: str, number: int = 0, **more: Any) -> dict[str, Any]:
    whole = {
        "id": f"xiaonan-qu.r{number}", "node": "yinhu", "state": state, "revision": 3,
        "since": MORNING.isoformat(), "served_at": MORNING.isoformat(), "offer": None,
        "enterprise_id": "ent-000001",
        "performers": [{"id": "xiaonan-qu.exp-01", "kind": "expert", "label": ""}],
        "demand": {"elements": ["QM"], "mode": "diagnosis", "minutes": 60},
    }  # fmt: skip
    return whole | more


def test_everything_said_can_be_read() -> None:
    later = MORNING + timedelta(hours=1)
    said = [*supply(), *hour()[:50], delivered(case("resulted"), later)]
    said += [ask for state in HABITS for n in range(20) for ask in act(case(state, n), later, 1.0)]
    assert len(said) > 200
    assert [e for e in map(decode, map(encode, said)) if not isinstance(e, Event)] == []


def test_a_demo_that_goes_on_states_the_same_service_for_a_result_as_before() -> None:
    first, again = (delivered(case("resulted"), MORNING + timedelta(minutes=n)) for n in (10, 50))
    assert (first["subject"], first["data"]) == (again["subject"], again["data"])


def test_requests_come_about_as_often_as_is_said_and_want_all_kinds_of_things() -> None:
    found = hour()
    assert 0.8 < len(found) * EVERY / 3600 < 1.25
    wanted = Counter(tuple(one["data"]["demand"]["elements"]) for one in found)
    assert set(wanted) == {tuple(demand["elements"]) for _, demand in WANTED}
    assert len({one["subject"] for one in found}) == len(found)


def test_every_habit_is_legal_in_its_state_for_whoever_has_it() -> None:
    for state, habits in HABITS.items():
        assert sum(habit.share for habit in habits) <= 1
        for habit in habits:
            found = row(habit.ask, state)  # type: ignore[arg-type]  # a state, as the table says
            assert found is not None
            assert found.by & ROLES[habit.role]
    assert not ENDED & HABITS.keys()


def test_hardly_anything_is_left_lying_so_that_it_would_pile_up_for_hours() -> None:
    shares = {state: sum(habit.share for habit in habits) for state, habits in HABITS.items()}
    forgotten = {state for state, share in shares.items() if share < 0.999}
    assert forgotten == {"resulted", "escalated"}  # the next tier ends what is escalated
    assert shares["resulted"] > 0.9


def test_members_of_an_offer_accept_decline_or_forget_and_none_answers_twice() -> None:
    kinds: Counter[str] = Counter()
    for number in range(200):
        members = [
            {"id": f"hub.exp-{number}", "kind": "expert", "answer": None},
            {"id": "hub.d", "kind": "equipment", "answer": "accepted"},
        ]
        offer = {"assignment": f"hub.a-{number}", "members": members}
        found = list(act(case("offered", offer=offer), MORNING + timedelta(hours=1), 1.0))
        kinds.update(one["type"] for one in found or [{"type": "nothing"}])
    assert kinds["yizhan.offer.accepted"] > kinds["yizhan.offer.declined"] > 10
    assert kinds["nothing"] > 10
    assert sum(kinds.values()) == 200


def test_nobody_acts_before_their_time_and_what_is_done_twice_is_the_same_ask() -> None:
    assert not list(act(case("committed"), MORNING + timedelta(seconds=1), 1.0))
    first, again = (
        [one["subject"] for one in act(case("committed"), MORNING + timedelta(minutes=n), 1.0)]
        for n in (5, 6)
    )
    assert first == again
    assert len(first) == 1


def test_every_resource_names_a_pool_of_the_sample_and_metrology_is_the_citys() -> None:
    offered = Counter(
        (owner(one["subject"]), e) for one in supply() for e in one["data"]["elements"]
    )
    assert {pool for pool, element in offered if element == "MET"} == {"hub"}
    assert len({pool for pool, _ in offered}) == 10
