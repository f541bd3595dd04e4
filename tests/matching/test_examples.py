"""The eighteen worked examples of how a request finds its people, one test each."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.contribution import counts
from schemas.days import SHANGHAI
from schemas.decisions import Moved, Refused
from schemas.facts import ServiceDelivered
from schemas.lifecycle import legal
from services.matching.rules import WAN_YUAN, Rules
from tests.matching.hall import CITY, HOME, MORNING, PROVINCE, STATION, Hall


@pytest.fixture
def hall() -> Hall:
    return Hall()


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI)


def span(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": end.isoformat()}


def points(hall: Hall, request: str) -> dict[str, int]:
    return {part.name: part.points for part in hall.offer(request).parts}


def enterprise(hall: Hall, name: str, **data: Any) -> str:
    hall.register("enterprise.registered", name, **data)
    return name


def serve(hall: Hall, request: str) -> None:
    """Let a request's members accept, begin, and record a result."""
    hall.accept(request)
    performer = hall.case(request).performers[0]
    for ask in ("service.started", "request.result_recorded"):
        assert isinstance(hall.ask(ask, request, "expert", resource=performer), Moved)


def test_1_a_resident_agency_with_the_record_of_the_industry_gets_an_auto_parts_firm(
    hall: Hall,
) -> None:
    firm = enterprise(hall, "ent-leather", industry="auto_parts")
    hall.agency("patents-only", "IPR", resident_at=[STATION], industries=["auto_parts"])
    hall.agency("elsewhere", "TEC", "IPR", industries=["auto_parts"], place=CITY)
    hall.agency("newcomer", "TEC", "IPR", resident_at=[STATION])
    right = hall.agency("resident", "TEC", "IPR", resident_at=[STATION], industries=["auto_parts"])
    request = hall.submit("r1", "TEC", "IPR", enterprise_id=firm)
    assert hall.members(request) == {right}
    assert {"industry", "resident"} <= points(hall, request).keys()


def test_2_what_a_visit_finds_gets_a_team_of_two_experts_who_come_again(hall: Hall) -> None:
    electric = hall.expert("electric", "TEC", specialties=["electrical"])
    process = hall.expert("process", "TEC", specialties=["process"])
    hall.expert("chemist", "TEC", specialties=["chemistry"])
    needs = [{"specialty": "electrical"}, {"specialty": "process"}]
    first = hall.submit("r1", "TEC", channel="visit", needs=needs, mode="guidance")
    assert hall.members(first) == {electric, process}
    starts = {member.start for member in hall.offer(first).members}
    assert len(starts) == 1
    serve(hall, first)
    hall.expert("electric-too", "TEC", specialties=["electrical"])
    again = hall.submit("r2", "TEC", channel="visit", needs=needs, mode="guidance")
    assert hall.members(again) == {electric, process}
    assert points(hall, again)["knows"] > 0


def test_3_an_expert_group_for_materials_serves_and_its_benefit_is_claimed_by_request(
    hall: Hall,
) -> None:
    hall.agency("general", "TEC", kind="team", specialties=["process"])
    group = hall.agency("materials", "TEC", kind="team", specialties=["materials"])
    need = {"kinds": ["team"], "elements": ["TEC"], "specialty": "materials"}
    request = hall.submit("r1", "TEC", needs=[need])
    assert hall.members(request) == {group}
    serve(hall, request)
    case = hall.case(request)
    assert (case.state, case.performers) == ("resulted", (group,))


def test_4_distance_is_only_soft_and_who_prepared_must_not_certify(hall: Hall) -> None:
    far = hall.agency("far", "QM", place=CITY, body="body-far")
    request = hall.submit("r1", "QM", node_id=STATION, enterprise_id="ent-caster")
    assert hall.members(request) == {far}
    serve(hall, request)
    hall.agency("certifier", "CER", "QM", body="body-far")
    other = hall.agency("other", "CER", body="body-other")
    certified = hall.submit("r2", "CER", enterprise_id="ent-caster", conflicts=["body-far"])
    assert hall.members(certified) == {other}


def test_5_an_urgent_licence_takes_lead_department_and_soonest_lab_all_or_nothing(
    hall: Hall,
) -> None:
    lead = hall.expert("lead", "LIC")
    office = hall.agency("office", "LIC", kind="department", powers=["licence"])
    busy = span(at(2, 9), at(2, 15))
    hall.agency("slow-lab", "TST", kind="lab", busy=[span(at(2, 9), at(4, 9))])
    lab = hall.agency("lab", "TST", kind="lab", busy=[busy])
    needs = [
        {"kinds": ["expert"], "elements": ["LIC"]},
        {"kinds": ["department"], "power": "licence"},
        {"kinds": ["lab"], "elements": ["TST"]},
    ]
    request = hall.submit("r1", "LIC", "TST", needs=needs, urgent=True)
    assert hall.members(request) == {lead, office, lab}
    assert {m.start for m in hall.offer(request).members} == {at(2, 15)}
    hall.agency("office", "LIC", kind="department", powers=["licence"], status="away")
    case = hall.case(request)
    assert case.state == "offered"
    hall.decide()
    assert hall.case(request).state == "unmatched"
    assert not any(hall.books[HOME].diary.of(m) for m in (lead, office, lab))


def test_6_firms_with_one_defect_become_a_campaign_served_by_one_roving_team(hall: Hall) -> None:
    teams = {
        hall.agency(name, "TST", kind="team", capacity=40, specialties=["brick"])
        for name in ("team-a", "team-b", "team-c")
    }
    served = set()
    for number in range(34):
        request = hall.submit(
            f"r{number}", "TST", enterprise_id=f"ent-{number}", channel="campaign",
            campaign_id="bricks",
            needs=[{"kinds": ["team"], "elements": ["TST"], "specialty": "brick"}],
        )  # fmt: skip
        served |= hall.members(request)
    assert len(served) == 1
    assert served < teams


def test_7_a_leader_asks_for_its_suppliers_by_private_children(hall: Hall) -> None:
    team = hall.agency("team", "QM", kind="team", capacity=48)
    leader = hall.submit("leader", "QM", enterprise_id="ent-leader")
    for number in range(48):
        child = hall.submit(
            f"supplier-{number}", "QM", enterprise_id=f"ent-{number}", parent_id=leader,
            private=True, minutes=5,
        )  # fmt: skip
        demand = hall.case(child).demand
        assert (demand.parent_id, demand.private) == (leader, True)
        assert hall.members(child) == {team}


def test_8_nobody_measures_at_the_station_so_the_city_is_asked(hall: Hall) -> None:
    hall.expert("tester", "TST")
    metrologist = hall.expert("metrologist", "MET", pool=CITY)
    request = hall.submit("r1", "MET")
    assert hall.case(request).state == "unmatched"
    assert hall.why(request).reasons == ("element_not_offered",)
    hall.later(minutes=10)
    assert hall.case(request).state == "escalated"
    assert hall.members(request) == {metrologist}
    hall.accept(request)
    case = hall.case(request)
    assert (case.state, case.performers, case.escalations) == ("committed", (metrologist,), 1)


def test_9_of_equal_bids_the_bonus_for_excellent_work_decides(hall: Hall) -> None:
    plain: dict[str, Any] = {"grades": [{"project": "p-1", "grade": "good"}]}
    hall.agency("a-first", "TEC", **plain)
    excellent: dict[str, Any] = {"grades": [{"project": "p-2", "grade": "excellent"}], "bonus": 5}
    best = hall.agency("b-second", "TEC", **excellent)
    request = hall.submit("r1", "TEC", mode="project", project_id="garments")
    assert hall.members(request) == {best}
    assert points(hall, request)["bonus"] > 0


def test_10_a_bidder_once_graded_fail_stays_eligible_unless_the_switch_is_on() -> None:
    failed: dict[str, Any] = {"grades": [{"project": "p-1", "grade": "fail"}]}
    hall = Hall()
    only = hall.agency("only", "TEC", **failed)
    assert hall.members(hall.submit("r1", "TEC")) == {only}
    strict = Hall(Rules(exclude_failed=True))
    strict.agency("only", "TEC", **failed)
    assert strict.case(strict.submit("r1", "TEC")).state == "unmatched"


def test_11_the_sole_device_lacks_calibration_and_the_special_steel_centre_would_do(
    hall: Hall,
) -> None:
    need = {"kinds": ["equipment"], "elements": ["TST"], "specialty": "steel"}
    hall.device(
        "tester", "TST", specialties=["steel"], place=STATION, calibration_until="2026-01-31"
    )
    centre = hall.device(
        "centre", "TST", specialties=["steel"], place=HOME, calibration_until="2027-01-31"
    )
    request = hall.submit("r1", "TST", needs=[need], within=STATION)
    why = hall.why(request)
    assert "equipment_unavailable" in why.reasons
    assert [(r.field, r.to) for r in why.relaxation] == [("within", "null")]
    assert why.would_fit == (centre,)


def test_12_the_best_expert_works_for_a_competitor_so_the_second_serves(hall: Hall) -> None:
    firm = enterprise(hall, "ent-gears", industry="gears")
    best = hall.expert(
        "best", "TEC", industries=["gears"], resident_at=[STATION], employer="ent-rival"
    )
    second = hall.expert("second", "TEC")
    request = hall.submit("r1", "TEC", enterprise_id=firm, conflicts=["ent-rival"])
    assert hall.members(request) == {second}
    assert [(p.id, p.reason) for p in hall.offer(request).passed] == [(best, "conflict")]


def bank(hall: Hall) -> str:
    return hall.agency("bank", "FIN", kind="bank", powers=["loan"])


LOAN = [{"kinds": ["bank"], "elements": ["FIN"], "power": "loan"}]


def test_13_a_little_giant_that_asks_for_60_million_may_have_50(hall: Hall) -> None:
    lender = bank(hall)
    firm = enterprise(hall, "ent-giant", categories=[{"category": "little_giant"}])
    loan = {"amount": 6000 * WAN_YUAN, "ground": "honour"}
    request = hall.submit("r1", "FIN", enterprise_id=firm, needs=LOAN, loan=loan)
    why = hall.why(request)
    assert why.reasons == ("ineligible",)
    assert [(r.field, r.to) for r in why.relaxation] == [("loan.amount", str(5000 * WAN_YUAN))]
    assert why.would_fit == (lender,)


def test_14_a_loan_without_a_ground_needs_certification_first(hall: Hall) -> None:
    lender = bank(hall)
    loan = {"amount": 500 * WAN_YUAN}
    request = hall.submit("r1", "FIN", needs=LOAN, loan=loan)
    why = hall.why(request)
    assert why.reasons == ("ineligible",)
    assert [(r.field, r.to) for r in why.relaxation] == [("loan.ground", '"certificate"')]
    assert why.would_fit == (lender,)


def test_15_a_walk_in_is_served_by_staff_at_once_and_counts_one_person(hall: Hall) -> None:
    hall.expert("expert", "POL")
    request = hall.submit("r1", "POL", channel="walk_in", mode="consultation")
    assert hall.case(request).state == "accepted"
    assert isinstance(hall.ask("service.started", request), Moved)
    assert isinstance(hall.ask("request.result_recorded", request), Moved)
    case = hall.case(request)
    assert (case.state, case.offers, case.assignment) == ("resulted", 0, None)
    stated = hall.stated(
        enterprise_id="ent-1", elements=("POL",), mode="consultation", persons=1,
        occurred_at=hall.now, request_id=request,
    )  # fmt: skip
    fact = ServiceDelivered.model_construct(
        **{name: f.default for name, f in ServiceDelivered.model_fields.items()} | stated
    )
    assert dict(counts("yizhan.service.delivered", fact).sums)["consult_person_times"] == 1


def test_16_two_decline_and_the_third_forgets_so_the_next_tier_is_asked(hall: Hall) -> None:
    asked = {hall.expert(name, "STD") for name in ("one", "two", "three")}
    city = hall.expert("city", "STD", pool=CITY)
    request = hall.submit("r1", "STD")
    for _ in range(2):
        (member,) = hall.members(request)
        which = hall.assigned(request)
        declined = hall.ask("offer.declined", which, "expert", resource=member, reason="busy")
        assert isinstance(declined, Moved)
    hall.later(minutes=75)
    case = hall.case(request)
    assert set(case.excluded) == asked
    assert hall.members(request) == {city}
    assert (case.state, case.reasons) == ("escalated", ("all_declined",))
    assert not any(hall.books[HOME].diary.of(expert) for expert in asked)


def test_17_six_counties_want_one_teacher_on_one_morning_and_one_gets_her(hall: Hall) -> None:
    teacher = hall.expert("teacher", "QM", pool=CITY)
    counties = [f"county-{n}" for n in range(6)]
    for county in counties:
        hall.register("node.opened", county, node_id=county, kind="area", tier="county",
                      parent=CITY, name=county)  # fmt: skip
    morning: dict[str, Any] = {
        "not_before": at(3, 8).isoformat(), "need_by": at(3, 12).isoformat(), "minutes": 240
    }  # fmt: skip
    requests = [
        hall.submit("r1", "QM", pool=county, node_id=county, mode="training", **morning)
        for county in counties
    ]
    hall.rules = replace(hall.rules, offer_for=timedelta(days=1))
    hall.later(minutes=11)
    booked = hall.books[CITY].diary.of(teacher)
    assert [(b.start, b.end) for b in booked] == [(at(3, 8), at(3, 12))]
    states = [hall.case(r).state for r in requests]
    assert states.count("escalated") == 1
    lost = [r for r in requests if hall.case(r).state == "unmatched"]
    assert len(lost) == 5
    assert all("no_slot_in_time" in hall.case(r).reasons for r in lost)


def test_18_the_staff_who_know_a_small_bakery_keep_the_case(hall: Hall) -> None:
    keeper = hall.expert("keeper", "STD", "TST", place=PROVINCE)
    first = hall.submit("r1", "STD", enterprise_id="ent-bakery", mode="training")
    serve(hall, first)
    hall.expert("nearer", "STD", "TST", resident_at=[STATION])
    second = hall.submit("r2", "STD", enterprise_id="ent-bakery")
    assert hall.members(second) == {keeper}
    assert points(hall, second)["knows"] > 0
    other = hall.submit("r3", "STD", enterprise_id="ent-other")
    assert hall.members(other) != {keeper}


def test_a_refusal_says_what_would_be_legal(hall: Hall) -> None:
    hall.expert("expert", "STD")
    request = hall.submit("r1", "STD")
    refused = hall.ask("request.confirmed", request, "enterprise")
    assert isinstance(refused, Refused)
    assert (refused.state, refused.cause) == ("offered", "state")
    assert refused.legal == legal("offered", ["enterprise"]) == ("request.cancelled",)
    assert hall.now == MORNING


def test_time_alone_opens_a_calendar_and_who_waits_above_the_highest_tier_is_served(
    hall: Hall,
) -> None:
    hall.expert("later", "MET", calendar=[span(at(20, 9), at(20, 12))])
    request = hall.submit("r1", "MET")
    hall.later(hours=1)
    assert hall.case(request).state == "unmatched"
    hall.later(days=5)
    assert hall.case(request).state != "closed"
    assert {"offered", "matching"} <= {
        e.data.state for e in hall.log[HOME] if isinstance(e.data, Moved)
    }
