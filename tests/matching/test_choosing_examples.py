"""Choosing by example: which of two is better, what blocks, what would help, whose turn it is."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.days import SHANGHAI
from services.matching.choice import Candidate, Choice, Nobody
from services.matching.choose import choose, greedy, rank
from services.matching.diary import Diary
from services.matching.rules import WAN_YUAN, Rules
from services.matching.score import WEIGHTS
from services.matching.supply import Supply
from services.matching.value import value
from tests.matching.made_supply import (
    ENTERPRISES,
    MORNING,
    Json,
    at,
    booked,
    case,
    day,
    span,
    supply,
)

RULES = Rules(notice=timedelta(0))


def made(**experts: Json) -> Supply:
    """Experts of the county for STD, by name."""
    return supply(
        [("expert", f"county.{name}", {"elements": ["STD"]} | data)
         for name, data in experts.items()],
        ENTERPRISES,
    )  # fmt: skip


def nobody(of: Supply, diary: Diary | None = None, **wish: Any) -> Nobody:
    answer = choose([case("r", **wish)], of, diary or Diary(), MORNING, RULES)["county.r"]
    assert isinstance(answer, Nobody)
    return answer


def chosen(of: Supply, diary: Diary | None = None, **wish: Any) -> Choice:
    answer = choose([case("r", **wish)], of, diary or Diary(), MORNING, RULES)["county.r"]
    assert isinstance(answer, Choice)
    return answer


# From the lightest to the heaviest; each has all that is lighter, too, and still loses.
LADDER: list[tuple[str, Json]] = [
    ("load", {}),
    ("bonus", {"bonus": 20}),
    ("near", {"place": "yinhu"}),
    ("resident", {"resident_at": ["yinhu"]}),
    ("industry", {"industries": ["steel"]}),
    ("continuity", {}),
    ("knows", {}),
]


@pytest.mark.parametrize("step", range(1, len(LADDER)))
def test_one_heavier_part_outweighs_all_lighter_ones_together(step: int) -> None:
    lighter: Json = {key: v for _, data in LADDER[:step] for key, v in data.items()}
    heavier = LADDER[step][1]
    if "bonus" in heavier:
        heavier = {"bonus": 1}
    if "place" in heavier:
        lighter, heavier = lighter | {"place": "other"}, {"place": "county"}
    of = supply(
        [("agency", "county.light", {"elements": ["STD"]} | lighter),
         ("agency", "county.heavy", {"elements": ["STD"]} | heavier)],
        ENTERPRISES,
    )  # fmt: skip
    diary = booked("county.heavy", *((100 + n, 101 + n) for n in range(30)))
    names = [name for name, _ in LADDER]
    diary.campaigns["county.light", "bricks"] = step > names.index("continuity")
    diary.known["county.heavy", "ent-1"] = names[step] == "knows"
    diary.campaigns["county.heavy", "bricks"] = names[step] == "continuity"
    got = chosen(of, diary, campaign_id="bricks")
    assert got.candidate.ids == ("county.heavy",)
    assert [part.name for part in got.candidate.parts] == [names[step]]


def test_what_is_urgent_is_served_sooner_rather_than_by_who_knows_it() -> None:
    of = made(known={"busy": [span(0, 1)]}, free={})
    diary = Diary()
    diary.known["county.known", "ent-1"] = 1
    assert chosen(of, diary).candidate.ids == ("county.known",)
    assert chosen(of, diary, urgent=True).candidate.ids == ("county.free",)


def test_weights_are_listed_from_the_heaviest_to_the_lightest() -> None:
    assert list(WEIGHTS) == ["soon", *(name for name, _ in reversed(LADDER))]
    assert sorted(WEIGHTS.values(), reverse=True) == list(WEIGHTS.values())


def test_of_equals_the_earlier_one_serves_then_the_first_by_id() -> None:
    of = made(a={"busy": [span(0, 1)]}, b={}, c={})
    ranked = rank(case("r"), of, Diary(), MORNING, RULES)
    assert [c.ids for c in ranked] == [("county.b",), ("county.c",), ("county.a",)]


def test_a_slot_starts_with_the_next_five_minutes_or_where_something_begins_or_ends() -> None:
    of = made(open={}, late={"calendar": [span(2.13, 4)]})
    starts = [c.members[0].start for c in rank(case("r"), of, booked("county.open", (0, 0.7)),
              datetime(2026, 3, 2, 9, 1, tzinfo=SHANGHAI), RULES)]  # fmt: skip
    assert sorted(starts) == [MORNING + timedelta(hours=0.7), MORNING + timedelta(hours=2.13)]
    early = rank(case("r"), made(open={}), Diary(), MORNING + timedelta(seconds=1), RULES)
    assert early[0].members[0].start == MORNING + timedelta(minutes=5)


def test_one_resource_serves_several_cases_of_a_window_one_after_another() -> None:
    of = made(only={"calendar": [span(0, 3)]})
    waiting = [case(f"r{n}", need_by=at(3)) for n in range(4)]
    found = choose(waiting, of, Diary(), MORNING, RULES)
    served = [c.candidate.members[0] for c in found.values() if isinstance(c, Choice)]
    assert sorted((m.start - MORNING) / timedelta(hours=1) for m in served) == [0, 1, 2]
    (lost,) = [c for c in found.values() if isinstance(c, Nobody)]
    assert lost.reasons == ("no_slot_in_time",)


def test_who_waits_longest_is_served_when_there_is_room_for_one_and_urgent_ones_before() -> None:
    of = made(only={"calendar": [span(0, 1)]})
    short = case("short", submitted_at=at(-1))
    long = case("long", submitted_at=at(-5))
    found = choose([short, long], of, Diary(), MORNING, RULES)
    assert isinstance(found["county.long"], Choice)
    haste = case("haste", submitted_at=at(-0.5), urgent=True)
    found = choose([short, long, haste], of, Diary(), MORNING, RULES)
    assert isinstance(found["county.haste"], Choice)


def test_a_window_serves_both_where_one_after_another_serves_one() -> None:
    of = made(wanted={"specialties": ["steel"], "resident_at": ["yinhu"]}, plain={})
    steel = [{"specialty": "steel"}]
    waiting = [
        case("first", need_by=at(1), submitted_at=at(-5)),
        case("steel", need_by=at(1), needs=steel),
    ]
    simple = greedy(waiting, of, Diary(), MORNING, RULES)
    assert set(simple) == {"county.first"}
    found = choose(waiting, of, Diary(), MORNING, RULES)
    served = {name: c.candidate for name, c in found.items() if isinstance(c, Choice)}
    assert {name: c.ids for name, c in served.items()} == {
        "county.first": ("county.plain",), "county.steel": ("county.wanted",)
    }  # fmt: skip
    assert value(waiting, served) > value(waiting, simple)


def test_who_gives_way_in_a_window_still_begins_as_early_as_can_be() -> None:
    of = made(wanted={"specialties": ["steel"], "resident_at": ["yinhu"]}, plain={})
    steel = [{"specialty": "steel"}]
    waiting = [case("first", need_by=at(1)), case("steel", need_by=at(1), needs=steel)]
    waiting += [case(f"more{n}", need_by=at(9), elements=["STD"]) for n in range(4)]
    found = choose(waiting, of, Diary(), MORNING, RULES)
    served = [c.candidate.members[0] for c in found.values() if isinstance(c, Choice)]
    begins = {name: sorted((m.start - MORNING) / timedelta(hours=1) for m in served if m.id == name)
              for name in ("county.wanted", "county.plain")}  # fmt: skip
    assert begins == {"county.wanted": [0, 1, 2, 3, 4], "county.plain": [0]}


def test_bundles_and_times_that_overlap_in_part_are_solved_together_as_well() -> None:
    of = made(wanted={"specialties": ["steel"], "resident_at": ["yinhu"]}, plain={}, third={})
    pair = [{"specialty": "steel"}, {}]
    waiting = [
        case("first", need_by=at(1), minutes=45, submitted_at=at(-5)),
        case("pair", need_by=at(1), minutes=60, needs=pair),
    ]
    assert set(greedy(waiting, of, Diary(), MORNING, RULES)) == {"county.first"}
    found = choose(waiting, of, Diary(), MORNING, RULES)
    assert all(isinstance(answer, Choice) for answer in found.values())


def test_the_cap_on_open_assignments_holds_within_a_window() -> None:
    of = made(only={"cap": 2})
    waiting = [case(f"r{n}") for n in range(3)]
    found = choose(waiting, of, Diary(), MORNING, RULES)
    (lost,) = [c for c in found.values() if isinstance(c, Nobody)]
    assert lost.reasons == ("no_capacity",)


def test_the_capacity_is_how_many_may_book_at_the_same_time() -> None:
    of = made(hall={"capacity": 3, "calendar": [span(0, 1)]})
    diary = booked("county.hall", (0, 1))
    found = choose([case(f"r{n}") for n in range(3)], of, diary, MORNING, RULES)
    assert sum(isinstance(answer, Choice) for answer in found.values()) == 2


def test_a_referral_gets_only_those_who_are_shared() -> None:
    of = made(own={"shared": False})
    assert chosen(of).candidate.ids == ("county.own",)
    assert nobody(of, kind="referral").reasons == ("element_not_offered",)


def test_a_case_is_served_only_from_its_own_pool() -> None:
    of = supply([("expert", "other.e", {"elements": ["STD"]})])
    assert nobody(of).reasons == ("element_not_offered",)


def test_an_enterprise_is_not_served_by_its_own_people_even_after_a_merger() -> None:
    of = made(inside={"employer": "ent-old"})
    assert nobody(of, enterprise_id="ent-1").reasons == ("conflict",)
    assert nobody(of, enterprise_id="ent-1").relaxation == ()
    assert chosen(of, enterprise_id="ent-2").candidate.ids == ("county.inside",)


def test_who_was_asked_in_vain_is_out_and_that_is_said_first() -> None:
    of = made(asked={}, busy={"busy": [span(0, 1000)]})
    answer = nobody(of, excluded=["county.asked"])
    assert answer.reasons == ("all_declined", "no_slot_in_time")


def test_nobody_blocks_for_what_someone_else_would_have_lifted() -> None:
    """Who lacks the element is not why: another offers it, and is busy."""
    of = made(busy={"busy": [span(0, 1000)]}, other={"elements": ["TST"]})
    assert nobody(of).reasons == ("no_slot_in_time",)


def test_the_earliest_time_that_would_do_is_exact() -> None:
    of = made(a={"busy": [span(0, 5)]}, b={"busy": [span(0, 4.25)]})
    answer = nobody(of, need_by=at(2))
    assert [(r.field, r.to) for r in answer.relaxation] == [("need_by", f'"{at(5.25)}"')]
    assert answer.would_fit == ("county.b",)


def test_the_earliest_time_is_exact_also_where_people_would_get_notice() -> None:
    of, noticed = made(a={}), Rules(notice=timedelta(hours=3))
    answer = choose([case("r", need_by=at(0.5))], of, Diary(), MORNING, noticed)["county.r"]
    assert isinstance(answer, Nobody)
    assert [(r.field, r.to) for r in answer.relaxation] == [("need_by", f'"{at(1)}"')]


def test_a_budget_rises_to_the_least_fee() -> None:
    of = supply(
        [("agency", f"county.a{n}", {"elements": ["STD"], "fee": fee})
         for n, fee in enumerate((300, 200, 250))]
    )  # fmt: skip
    answer = nobody(of, budget=100)
    assert answer.reasons == ("fee_not_agreed",)
    assert [(r.field, r.to) for r in answer.relaxation] == [("budget", "200")]
    assert answer.would_fit == ("county.a1",)


def test_a_bundle_may_cost_no_more_than_the_budget_together() -> None:
    of = supply(
        [("agency", f"county.a{n}", {"elements": ["STD"], "fee": fee, "bonus": fee // 20})
         for n, fee in enumerate((300, 200, 100))]
    )  # fmt: skip
    pair: list[Json] = [{}, {}]
    assert set(chosen(of, needs=pair, budget=400).candidate.ids) == {"county.a0", "county.a2"}
    answer = nobody(of, needs=pair, budget=250)
    assert answer.reasons == ("fee_not_agreed",)
    assert [(r.field, r.to) for r in answer.relaxation] == [("budget", "300")]


def test_a_loan_needs_its_amount_its_ground_and_a_consent_each_named() -> None:
    bank = {"elements": ["FIN"], "kind": "bank", "powers": ["loan"]}
    of = supply([("agency", "county.bank", bank)], ENTERPRISES)
    wish: Json = {"elements": ["FIN"], "needs": [{"kinds": ["bank"], "power": "loan"}]}
    most = Rules().loan_caps[2]
    loan = {"amount": most + WAN_YUAN}
    answer = nobody(of, loan=loan, **wish)
    assert answer.reasons == ("ineligible",)
    assert {r.field: r.to for r in answer.relaxation} == {
        "loan.amount": str(most), "loan.ground": '"certificate"'
    }  # fmt: skip
    granted: Json = {"loan": {"amount": most, "ground": "honour"}, "consent": "needed"}
    answer = nobody(of, **granted, **wish)
    assert answer.reasons == ("consent_missing",)
    assert {r.field: r.to for r in answer.relaxation} == {"consent_ref": '"given"'}
    assert chosen(of, **granted, consent_ref="c-1", **wish).candidate.ids == ("county.bank",)


def test_only_the_law_keeps_others_from_what_an_authority_must_do() -> None:
    agency = {"elements": ["LIC"], "kind": "agency"}
    of = supply([("agency", "county.able", agency)])
    wish: Json = {"elements": ["LIC"], "needs": [{"elements": ["LIC"], "power": "licence"}]}
    answer = nobody(of, **wish)
    assert answer.reasons == ("authority_only",)
    assert answer.relaxation == ()


def test_a_device_out_of_calibration_would_do_once_it_is_calibrated_for_that_day() -> None:
    device = {"elements": ["TST"], "specialties": ["steel"], "calibration_until": day(-30)}
    of = supply([("equipment", "county.device", device)])
    need = {"kinds": ["equipment"], "specialty": "steel"}
    answer = nobody(of, elements=["TST"], needs=[need])
    assert answer.reasons == ("equipment_unavailable",)
    (change,) = answer.relaxation
    assert (change.field, change.resource) == ("calibration_until", "county.device")
    assert change.to == f'"{day(0)}"'


def test_an_expired_qualification_is_named_with_the_day_that_would_do() -> None:
    held = [{"name": "assessor", "to": day(-1)}]
    of = made(expert={"qualifications": held})
    answer = nobody(of, needs=[{"qualification": "assessor"}])
    assert answer.reasons == ("qualification_expired",)
    (change,) = answer.relaxation
    assert (change.field, change.resource) == ("qualifications", "county.expert")
    assert day(0) in change.to


def test_elements_are_dropped_only_when_nothing_else_helps() -> None:
    answer = nobody(made(expert={}), elements=["STD", "MET"])
    assert answer.reasons == ("element_not_offered",)
    assert [(r.field, r.to) for r in answer.relaxation] == [("elements", '["STD"]')]


def test_two_changes_are_named_when_no_single_one_is_enough() -> None:
    of = made(expert={"busy": [span(0, 4)], "place": "far"})
    answer = nobody(of, need_by=at(2), within="yinhu")
    assert {r.field: r.to for r in answer.relaxation} == {
        "need_by": f'"{at(5)}"', "within": "null"
    }  # fmt: skip


def test_a_pool_of_a_thousand_is_ranked_in_a_few_milliseconds() -> None:
    of = supply(
        [("expert", f"county.e{n}", {"elements": [f"E{'ABCDEFG'[n % 7]}"], "place": "yinhu"})
         for n in range(1000)]
    )  # fmt: skip
    took, found = [], list[Candidate]()
    for _ in range(5):
        began = time.process_time()
        found = rank(case("r", elements=["EA"]), of, Diary(), MORNING, RULES)
        took.append(time.process_time() - began)
    assert len(found) == RULES.candidates
    assert min(took) < 0.03
