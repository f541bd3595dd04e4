"""The sample's figures, counted from its events in the plainest way there is."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from deploy.demo import history
from deploy.demo.event import Event
from schemas.codec import Flaw, decode, encode
from schemas.days import SHANGHAI, business_day

FIRST, LAST = "2023-01-01", "2024-07-18"
WAN = 10_000 * 100
NOW = datetime(2026, 11, 21, 12, tzinfo=SHANGHAI)


@cache
def replay() -> tuple[Event, ...]:
    return tuple(history.facts())


@cache
def documents() -> dict[str, dict[str, Any]]:
    return {event["subject"]: event["data"] for event in history.registry()}


def day(data: dict[str, Any]) -> str:
    return business_day(datetime.fromisoformat(data["occurred_at"]))


def standing(kind: str, **where: str) -> list[tuple[str, dict[str, Any]]]:
    """What stands in the end in the slots of one type: the highest revision, unless voided."""
    slots: dict[tuple[str, str], Event] = {}
    for event in replay():
        of = event["data"].get("target_type", event["type"])
        there = slots.get((of, event["subject"]))
        if there is None or there["data"]["revision"] < event["data"]["revision"]:
            slots[of, event["subject"]] = event
    return [
        (event["subject"], event["data"])
        for event in slots.values()
        if event["type"] == f"yizhan.{kind}"
        if all(event["data"].get(name) == value for name, value in where.items())
    ]


def yinhu_2023(kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [one for one in standing(kind, node_id="yinhu") if day(one[1]).startswith("2023")]


def enterprises(facts: Iterable[tuple[str, dict[str, Any]]]) -> set[str]:
    return {data["enterprise_id"] for _, data in facts}


def test_yinhu_in_2023() -> None:
    assert len(enterprises(yinhu_2023("visit.completed"))) == 600
    assert len(yinhu_2023("service.delivered")) == 800
    assert len(yinhu_2023("problem.solved")) == 600
    assert sum(data["sessions"] for _, data in yinhu_2023("activity.held")) == 30


def test_every_problem_is_found_before_it_is_solved() -> None:
    found = {subject: data["occurred_at"] for subject, data in standing("problem.found")}
    solved = standing("problem.solved")
    assert solved
    assert all(found[subject] < data["occurred_at"] for subject, data in solved)


def test_all_stations_together_and_the_one_enterprise_that_uses_two() -> None:
    services = standing("service.delivered")
    served = defaultdict(set)
    for _, data in services:
        served[data["node_id"]].add(data["enterprise_id"])
    assert len(services) == 15_400
    assert len(set.union(*served.values())) == 2_400
    assert sum(map(len, served.values())) == 2_401
    assert len(served) == 15


def test_titles_are_filed_and_gained_by_different_enterprises() -> None:
    filed = Counter(data["title"] for _, data in standing("title.filed"))
    assert filed == {"city_quality_award": 9, "hidden_champion": 2, "little_giant": 5}
    assert len(enterprises(standing("title.filed"))) == 16
    assert len(enterprises(standing("title.granted", title="above_scale"))) == 11
    assert len(standing("title.granted")) == 11


def test_one_enterprise_makes_silicone_rubber_and_its_benefit_is_claimed_and_confirmed() -> None:
    claims = standing("benefit.claimed")
    amounts = {data["kind"]: data["amount"] for _, data in claims}
    assert amounts == {"direct": 5_700 * WAN, "indirect": 12_000 * WAN}
    assert {s for s, _ in claims} == {s for s, _ in standing("benefit.confirmed")}
    assert not standing("benefit.audited")
    (maker,) = enterprises(claims)
    assert documents()[maker]["industry"] == "silicone_rubber"
    makers = [one for one in documents().values() if one.get("industry") == "silicone_rubber"]
    assert len(makers) == 1


def test_patents_and_the_certificate() -> None:
    outputs: Counter[str] = Counter()
    for _, data in standing("output.produced"):
        outputs[data["kind"]] += data["qty"]
    assert outputs["patent"] == 20
    assert outputs["certificate"] == 1


def test_one_agency_has_500_of_the_enterprises() -> None:
    with_it = enterprises(standing("service.delivered", agency_id="agency-hezhong"))
    assert len(with_it) == 500
    assert with_it < enterprises(standing("service.delivered"))


def test_the_fifteen_stations_and_what_yinhu_has() -> None:
    stations = [one for one in documents().values() if one.get("kind") == "station"]
    flags = Counter(flag["flag"] for one in stations for flag in one["flags"])
    assert len(stations) == 15
    assert flags == {"online": 7, "rank_applied": 4, "rank_provincial": 2}
    assert all(flag["from"] <= "2024-07-18" for one in stations for flag in one["flags"])
    assert [one["value"] for one in documents()["hub"]["indicators"]] == [20]
    assert documents()["yinhu"].items() >= {
        "heads": 1, "quality_officers": 1, "staff": 13, "floor_m2": 2600, "land_mu": 700,
        "funds_own": 30 * WAN, "funds_support": 200 * WAN, "agencies": 10,
    }.items()  # fmt: skip


def test_every_node_hangs_below_the_hub() -> None:
    nodes = [one for one in documents().values() if one.get("kind") in {"hub", "area", "station"}]
    parents = {one["node_id"]: one.get("parent") for one in nodes}
    assert all(
        one["kind"] == "hub" or parents[parents[one["node_id"]]] in {"hub", None} for one in nodes
    )


def test_yinhus_catchment() -> None:
    near = [
        catchment["kind"]
        for one in documents().values()
        for catchment in one.get("catchment", ())
        if catchment["node"] == "yinhu"
    ]
    assert Counter(near) == {"inside": 245, "radiated": 400}


def test_nothing_of_the_replay_lies_outside_its_days_and_no_station_has_a_metrology_room() -> None:
    data = [event["data"] for event in replay()]
    assert all(FIRST <= day(one) <= LAST for one in data)
    assert not any("MET" in one.get("elements", ()) for one in data)
    assert {e for one in data for e in one.get("elements", ())} == {
        "STD", "TST", "CER", "QM", "BRD", "IPR", "POL",
    }  # fmt: skip


def test_some_facts_are_corrected_moved_and_voided_on_the_way() -> None:
    stations: dict[str, set[str]] = defaultdict(set)
    for event in replay():
        if event["type"] == "yizhan.service.delivered":
            stations[event["subject"]].add(event["data"]["node_id"])
    assert sum(len(nodes) == 2 for nodes in stations.values()) == 15
    assert sum(event["type"] == "yizhan.record.voided" for event in replay()) == 15


def test_the_days_up_to_now_touch_no_printed_day_and_every_fact_of_them_is_new() -> None:
    recent = history.recent(NOW)
    days = {day(event["data"]) for event in recent}
    assert days == {f"2026-11-{n}" for n in range(14, 22)}
    assert all(event["data"]["occurred_at"] <= NOW.isoformat() for event in recent)
    subjects = {event["subject"] for event in replay()}
    assert not subjects & {event["subject"] for event in recent}
    assert not history.recent(datetime(2024, 7, 18, 20, tzinfo=SHANGHAI))


def test_a_moment_is_the_same_whenever_the_demo_starts() -> None:
    later = history.recent(NOW + timedelta(days=1, hours=3))
    shared = [event for event in history.recent(NOW) if day(event["data"]) > "2026-11-14"]
    known = {event["id"]: event for event in later}
    assert all(known[event["id"]] == event for event in shared)


def test_events_are_the_same_again_each_has_its_id_and_every_service_can_read_them() -> None:
    events = [*history.registry(), *replay(), *history.recent(NOW)]
    assert [*history.registry(), *history.facts()] == events[: -len(history.recent(NOW))]
    assert len({event["id"] for event in events}) == len(events)
    flaws = [found for event in events if isinstance(found := decode(encode(event)), Flaw)]
    assert flaws == []


def test_facts_come_in_the_order_in_which_they_were_sent_and_after_they_happened() -> None:
    times = [event["time"] for event in replay()]
    assert times == sorted(times)
    assert all(event["data"]["occurred_at"] < event["time"] for event in replay())
    assert times[-1].startswith(LAST)
