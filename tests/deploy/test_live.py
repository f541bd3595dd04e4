"""Live traffic, minute by minute, without a clock."""

import itertools
from collections import Counter
from datetime import datetime, timedelta
from functools import cache

from deploy.demo import edge
from deploy.demo.edge import Edge
from deploy.demo.event import Event, dice
from deploy.demo.firms import firms
from deploy.demo.history import facts
from deploy.demo.live import BY_DAY, BY_NIGHT, Traffic
from deploy.demo.places import STATIONS
from schemas.codec import Flaw, decode, encode
from schemas.days import SHANGHAI

MORNING = datetime(2026, 11, 21, 9, tzinfo=SHANGHAI)
HOUR = 3600


@cache
def hour(start: datetime = MORNING) -> tuple[Event, ...]:
    """An hour of all stations, a second at a time."""
    traffic = Traffic(dice("test"), firms())
    seconds = (start + timedelta(seconds=n) for n in range(HOUR))
    return tuple(one for now in seconds for one in traffic.step(now, 1.0))


def of(kind: str) -> list[Event]:
    return [one for one in hour() if one["type"] == f"yizhan.{kind}"]


def test_every_station_states_several_facts_a_minute_by_day_and_fewer_by_night() -> None:
    minutes = HOUR / 60 * len(STATIONS)
    night = hour(MORNING.replace(hour=23))
    assert BY_DAY * 0.9 < len(hour()) / minutes < BY_DAY * 1.2
    assert BY_NIGHT * 0.8 < len(night) / minutes < BY_NIGHT * 1.3
    assert {edge.origin(one) for one in hour()} == {station.id for station in STATIONS}


def test_the_same_chance_and_times_make_the_same_facts_and_all_can_be_read() -> None:
    again = Traffic(dice("test"), firms())
    assert again.step(MORNING, 1.0) == [
        one for one in hour() if one["time"] == MORNING.isoformat(timespec="milliseconds")
    ]
    assert not [found for one in hour() if isinstance(found := decode(encode(one)), Flaw)]
    assert len({one["id"] for one in hour()}) == len(hour())


def test_all_is_dated_now_and_touches_nothing_of_the_replay() -> None:
    replayed = {one["subject"] for one in facts()}
    for one in hour():
        assert one["data"]["occurred_at"].startswith("2026-11-21T09")
        assert one["subject"] not in replayed


def test_corrections_moves_and_voids_are_the_next_revision_of_what_stands() -> None:
    revisions: Counter[tuple[str, str]] = Counter()
    nodes: dict[str, str] = {}
    moved = 0
    for one in hour():
        kind = one["data"].get("target_type", one["type"])
        revisions[kind, one["subject"]] += 1
        assert one["data"]["revision"] == revisions[kind, one["subject"]]
        if one["type"] == "yizhan.service.delivered":
            moved += (
                nodes.setdefault(one["subject"], one["data"]["node_id"]) != one["data"]["node_id"]
            )
            nodes[one["subject"]] = one["data"]["node_id"]
    assert moved
    assert of("record.voided")
    assert max(revisions.values()) > 1


def test_what_is_voided_is_never_stated_again() -> None:
    voided: set[str] = set()
    for one in hour():
        assert one["subject"] not in voided
        if one["type"] == "yizhan.record.voided":
            voided.add(one["subject"])


def test_problems_are_solved_after_they_were_found_and_once() -> None:
    found = {one["subject"]: one["data"]["occurred_at"] for one in of("problem.found")}
    solved = [one for one in of("problem.solved") if one["subject"] in found]
    assert len(solved) == len(of("problem.solved")) == len({one["subject"] for one in solved}) > 0
    assert all(one["data"]["occurred_at"] >= found[one["subject"]] for one in solved)


def test_old_enterprises_come_and_new_ones_are_registered_before() -> None:
    known = {firm for one in firms().values() for firm in one.all}
    new: set[str] = set()
    for one in hour():
        if one["type"] == "yizhan.enterprise.registered":
            new.add(one["subject"])
        elif firm := one["data"].get("enterprise_id"):
            assert firm in known | new
    used = {one["data"].get("enterprise_id") for one in hour()}
    assert new
    assert new <= used
    assert used & known


def test_a_lost_line_holds_back_one_stations_facts_and_heartbeats_and_loses_none() -> None:
    line, sent, heard = Edge(), [], []
    for second, one in enumerate(hour()):  # one fact a second is as good as any other pace
        heard += line.beats(MORNING + timedelta(seconds=second), second)
        out = line.send([one], second)
        if edge.lost(edge.QUIET, second) is not None:
            assert edge.QUIET not in {edge.origin(o) for o in out}
        sent += [(second, o) for o in out]
    after = int(edge.FIRST + edge.LONG)
    assert [o for _, o in sent[:1]] == [hour()[0]]
    assert {o["id"] for _, o in sent} | {o["id"] for o in line.waiting} == {o["id"] for o in hour()}
    assert len(sent) + len(line.waiting) == len(hour())
    assert any(second == after and edge.origin(o) == edge.QUIET for second, o in sent)
    assert any(beat.waiting for beat in heard)


def test_the_station_without_a_line_is_silent_long_enough_to_be_missed_and_the_others_never() -> (
    None
):
    line = Edge()
    heard: dict[str, list[datetime]] = {station.id: [] for station in STATIONS}
    for second in range(900):
        now = MORNING + timedelta(seconds=second)
        for beat in line.beats(now, second):
            assert beat.complete_to <= now
            heard[beat.node].append(now)
    longest = {
        node: max(late - early for early, late in itertools.pairwise(times))
        for node, times in heard.items()
    }
    assert longest.pop(edge.QUIET) > timedelta(minutes=5)
    assert max(longest.values()) <= timedelta(seconds=edge.BEAT)
