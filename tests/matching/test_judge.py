"""Cases that were thought up to break the judge's word, each a property of what it decides."""

from collections import Counter, deque
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from schemas.decisions import Moved, Refused
from services.matching.rules import WAN_YUAN, Rules
from services.matching.waking import ROUND
from tests.matching.hall import CITY, HOME, Hall, read

DEMAND = {"elements": ["STD"], "mode": "diagnosis"}


@pytest.fixture
def hall() -> Hall:
    return Hall()


def settle(hall: Hall) -> None:
    """Hold rounds until none is left to hold."""
    while hall.books[HOME].waiting:
        hall.decide()


def resulted(hall: Hall, request: str) -> None:
    """Let a request be served by whom it is offered, to the end."""
    hall.accept(request)
    hall.ask("service.started", request)
    hall.ask("request.result_recorded", request)
    hall.ask("request.confirmed", request, "enterprise")


def test_an_id_that_leaves_no_room_for_a_referral_is_refused(hall: Hall) -> None:
    verdict = hall.hear(
        "request.submitted", f"{HOME}.{'r' * 63}", enterprise_id="ent-1",
        demand={"elements": ["STD"], "mode": "diagnosis"},
    )  # fmt: skip
    assert isinstance(verdict, Refused)
    assert verdict.cause == "id"
    request = hall.submit("r" * 62)
    hall.later(hours=1)
    assert hall.case(request).escalations > 0


def test_pools_that_share_a_book_wake_those_whose_own_people_are_free_again(hall: Hall) -> None:
    hall.books[CITY] = hall.books[HOME]
    hall.expert("teacher", "STD", pool=CITY, cap=1)
    request = hall.submit("r1", node_id=HOME)
    hall.later(minutes=11)
    hall.accept(request)
    waits = hall.submit("r2", pool=CITY, node_id=CITY)
    assert hall.case(waits).state == "unmatched"
    hall.ask("service.started", request)
    hall.ask("request.result_recorded", request)
    assert hall.case(waits).state == "offered"


def test_a_case_taken_up_again_after_its_time_is_matched_again(hall: Hall) -> None:
    hall.expert("li", "STD")
    soon = (hall.now + timedelta(hours=4)).isoformat()
    requests = [hall.submit("r1", need_by=soon), hall.submit("r2")]
    for request in requests:
        resulted(hall, request)
    hall.later(days=40)
    for request in requests:
        hall.ask("request.reopened", request, "enterprise", reason="it is back")
        hall.ask("request.accepted", request)
        case = hall.case(request)
        assert case.state == "offered"
        assert case.due_at is not None
        assert case.due_at > hall.now


def test_a_case_taken_up_again_waits_as_patiently_as_a_new_one(hall: Hall) -> None:
    hall.expert("li", "STD")
    request = hall.submit("r1")
    resulted(hall, request)
    hall.expert("li", "STD", status="away")
    hall.later(days=40)
    hall.ask("request.reopened", request, "enterprise", reason="it is back")
    hall.ask("request.accepted", request)
    hall.later(days=29)
    assert hall.case(request).state == "unmatched"
    hall.later(days=2)
    assert (hall.case(request).state, hall.case(request).outcome) == ("closed", "unmet")


def test_when_there_are_fewer_of_a_device_what_was_booked_last_is_released(hall: Hall) -> None:
    hall.device("scale", "MET", capacity=3)
    needs = [{"kinds": ["equipment"], "elements": ["MET"]}]
    requests = []
    for n in range(3):
        requests.append(hall.submit(f"r{n}", "MET", needs=needs))
        hall.later(minutes=1)
    first = hall.offer(requests[0]).members
    assert all(hall.offer(request).members[0].start < first[0].end for request in requests)
    hall.device("scale", "MET", capacity=1)
    hall.decide()
    spans = sorted((m.start, m.end) for r in requests for m in hall.offer(r).members)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert hall.offer(requests[0]).members == first


def test_what_nobody_can_serve_is_looked_at_in_one_go_the_longest_wait_first() -> None:
    hall = Hall(Rules(escalate_after=timedelta(minutes=1)))
    requests = [hall.submit(f"r{n}") for n in range(9)]
    for request in requests:
        hall.later(minutes=7)
        assert hall.case(request).state == "unmatched"
    looks, end = set(), hall.now + timedelta(hours=5)
    while (due := hall.books[HOME].due()) is not None and due < end:
        hall.now = due
        hall.decide()
        looks.add(due)
    assert len(looks) == 5


def test_a_refusal_about_a_referral_names_nothing_that_would_be_refused(hall: Hall) -> None:
    hall.expert("teacher", "STD", pool=CITY)
    request = hall.submit("r1")
    hall.later(minutes=11)
    hall.accept(request)
    child = hall.case(request).child
    assert child is not None
    verdict = hall.hear("service.started", f"{CITY}.a1", request_id=child)
    assert isinstance(verdict, Refused)
    assert verdict.legal == ()


def test_what_cannot_go_higher_is_not_told_that_going_higher_is_legal(hall: Hall) -> None:
    request = hall.submit("r1")
    hall.later(hours=2)
    verdict = hall.ask("escalation.requested", request, "head")
    assert isinstance(verdict, Refused)
    assert "escalation.requested" not in verdict.legal


def test_an_offer_that_expired_names_nobody_as_who_ended_it(hall: Hall) -> None:
    hall.expert("li", "STD")
    hall.expert("wang", "TST")
    needs = [{"elements": ["STD"]}, {"elements": ["TST"]}]
    request = hall.submit("r1", "STD", "TST", needs=needs)
    first = hall.assigned(request)
    verdict = hall.ask("offer.accepted", first, "expert", resource=f"{HOME}.li")
    assert isinstance(verdict, Moved)
    hall.later(hours=3)
    ended = [e.data for e in hall.log[HOME] if e.subject == first][-1]
    assert ended.outcome == "expired"
    assert ended.member is None


def test_who_is_freed_serves_the_longest_wait_however_many_wait(hall: Hall) -> None:
    hall.expert("li", "STD", cap=1)
    first = hall.submit("a")
    hall.accept(first)
    longest = hall.submit("z")
    hall.later(minutes=1)
    others = [hall.submit(f"b{n}") for n in range(ROUND + 20)]
    hall.ask("service.started", first)
    hall.ask("request.result_recorded", first)
    settle(hall)
    assert {hall.case(request).state for request in others} == {"unmatched"}
    assert hall.case(longest).state == "offered"


def test_what_comes_at_once_is_matched_round_by_round_and_a_takeover_goes_on(hall: Hall) -> None:
    hall.expert("li", "STD", capacity=1000)
    asks = [
        read("request.submitted", f"{HOME}.r{n}", hall.stated(enterprise_id="ent-1", demand=DEMAND))
        for n in range(2 * ROUND + 1)
    ]
    hall.decide({HOME: asks})
    assert Counter(c.state for c in hall.books[HOME].cases.values())["matching"] == ROUND + 1
    hall.books[HOME] = hall.replayed(HOME)
    assert hall.books[HOME].waiting
    settle(hall)
    assert {c.state for c in hall.books[HOME].cases.values()} == {"offered"}


def test_an_enterprise_that_gains_a_category_wakes_its_own_requests(hall: Hall) -> None:
    hall.agency("bank", "FIN", kind="bank")
    loan = {"amount": 4000 * WAN_YUAN, "ground": "brand"}
    more: dict[str, Any] = {"loan": loan, "needs": [{"kinds": ["bank"], "elements": ["FIN"]}]}
    request = hall.submit("r1", "FIN", **more)
    assert hall.case(request).state == "unmatched"
    hall.register(
        "enterprise.category_granted", "ent-1", node_id="hub", name="x",
        categories=[{"category": "little_giant"}],
    )  # fmt: skip
    hall.decide()
    assert hall.case(request).state == "offered"


@pytest.mark.parametrize("until", ["2026-01-01", None])
def test_who_loses_what_he_was_booked_for_is_released(hall: Hall, until: str | None) -> None:
    held = {"name": "iso"}
    li = hall.expert("li", "STD", qualifications=[held])
    request = hall.submit("r1", needs=[{"elements": ["STD"], "qualification": "iso"}])
    hall.accept(request)
    lost = {**held, "to": until} if until else held
    hall.expert("li", "STD" if until else "TST", qualifications=[lost])
    hall.decide()
    assert hall.case(request).state == "unmatched"
    assert hall.offer(request).outcome == "released"
    assert not hall.books[HOME].diary.of(li)


def test_who_was_sent_by_the_tier_above_cannot_step_back_once_the_work_has_begun(
    hall: Hall,
) -> None:
    expert = hall.expert("metrologist", "MET", pool=CITY)
    hall.expert("second", "MET", pool=CITY)
    request = hall.submit("r1", "MET")
    hall.later(minutes=10)
    hall.accept(request)
    (expert,) = hall.case(request).performers
    which = hall.assigned(request)
    assert isinstance(hall.ask("service.started", request, "expert", resource=expert), Moved)
    refused = hall.ask("offer.declined", which, "expert", resource=expert)
    assert isinstance(refused, Refused)
    assert hall.case(request).performers == (expert,)
    assert isinstance(
        hall.ask("request.result_recorded", request, "expert", resource=expert), Moved
    )
    assert not hall.books[CITY].diary.of(expert)


def test_a_step_back_that_crosses_the_beginning_of_the_work_sends_nobody_else(
    hall: Hall,
) -> None:
    for name in ("one", "two"):
        hall.expert(name, "MET", pool=CITY)
    request = hall.submit("r1", "MET")
    hall.later(minutes=10)
    hall.accept(request)
    (expert,) = hall.case(request).performers
    hall.delayed = deque()
    hall.ask("service.started", request, "expert", resource=expert)
    hall.ask("offer.declined", hall.assigned(request), "expert", resource=expert)
    while hall.delayed:
        hall.deliver()
    assert hall.case(request).state == "in_service"
    assert not hall.books[CITY].diary.booked
    assert not hall.books[CITY].offers


def test_a_pool_that_is_told_twice_that_the_work_has_begun_holds_who_does_it(hall: Hall) -> None:
    hall.expert("metrologist", "MET", pool=CITY)
    request = hall.submit("r1", "MET")
    hall.later(minutes=10)
    hall.accept(request)
    hall.delayed = deque()
    hall.ask("service.started", request)
    hall.delayed *= 2
    while hall.delayed:
        hall.deliver()
    (child,) = hall.books[CITY].cases.values()
    assert child.state == "in_service"
    assert hall.books[CITY].diary.booked


def test_a_cancellation_frees_what_the_tier_above_has_reserved(hall: Hall) -> None:
    hall.expert("metrologist", "MET", pool=CITY)
    request = hall.submit("r1", "MET")
    hall.later(minutes=10)
    hall.accept(request)
    assert hall.books[CITY].diary.booked
    hall.ask("request.cancelled", request)
    assert not hall.books[CITY].diary.booked
    assert {ended.outcome for ended in hall.books[CITY].ended.values()} == {"released"}


def test_a_cancellation_that_crosses_an_acceptance_above_leaves_nothing_reserved(
    hall: Hall,
) -> None:
    hall.expert("metrologist", "MET", pool=CITY)
    request = hall.submit("r1", "MET")
    hall.later(minutes=10)
    which, (member,) = hall.assigned(request), hall.members(request)
    hall.delayed = deque()
    assert isinstance(hall.ask("offer.accepted", which, "expert", resource=member), Moved)
    assert isinstance(hall.ask("request.cancelled", request), Moved)
    while hall.delayed:
        hall.deliver()
    assert hall.case(request).state == "cancelled"
    assert not hall.books[CITY].diary.booked


def test_home_learns_that_who_was_sent_from_above_has_stepped_back(hall: Hall) -> None:
    for name in ("one", "two"):
        hall.expert(name, "MET", pool=CITY)
    request = hall.submit("r1", "MET")
    hall.later(minutes=10)
    hall.accept(request)
    (first,) = hall.case(request).performers
    hall.ask("offer.declined", hall.assigned(request), "expert", resource=first)
    assert (hall.case(request).state, hall.case(request).performers) == ("escalated", ())
    hall.accept(request)
    assert hall.case(request).state == "committed"
    assert hall.case(request).performers != (first,)


def test_an_expiry_whose_offer_could_not_be_read_lets_the_request_wait_again(hall: Hall) -> None:
    hall.expert("one", "STD")
    request = hall.submit("r1")
    del hall.books[HOME].offers[hall.assigned(request)]
    hall.later(days=1)
    assert hall.case(request).state != "offered"


def test_an_offer_made_anew_as_its_move_could_not_be_read_books_who_is_offered_it(
    hall: Hall,
) -> None:
    one, two = (hall.expert(name, "STD") for name in ("one", "two"))
    request = hall.submit("r1")
    assert hall.members(request) == {one}
    hall.log[HOME] = [e for e in hall.log[HOME] if getattr(e.data, "state", "") != "offered"]
    hall.books[HOME] = hall.replayed(HOME)
    hall.expert("one", "STD", status="left")
    hall.decide()
    assert hall.members(request) == {two}
    assert list(hall.books[HOME].diary.booked) == [two]


def test_a_day_that_no_calendar_has_lies_between_its_month_and_the_next(hall: Hall) -> None:
    held = [{"name": "q", "from": "2025-02-31", "to": "2026-02-30"}]
    hall.expert("late", "STD", qualifications=held)
    hall.expert("there", "STD", qualifications=[{"name": "q", "to": "2026-04-31"}])
    need = {"elements": ["STD"], "qualification": "q", "kinds": ["expert"]}
    request = hall.submit("r1", needs=[need])
    assert hall.members(request) == {f"{HOME}.there"}


def test_nobody_is_helped_by_a_budget_that_none_can_state(hall: Hall) -> None:
    for name in ("one", "two"):
        hall.agency(name, "STD", fee=6 * 10**14)
    need = {"elements": ["STD"], "kinds": ["agency"]}
    request = hall.submit("r1", needs=[need, need], budget=9 * 10**14)
    assert [(r.field, r.to) for r in hall.why(request).relaxation] == [("budget", "null")]
