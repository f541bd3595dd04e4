"""Rows that are too large for one record: parts of one position, united at the flush mark."""

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.days import ALL, Period
from schemas.reports import CountersFlushed, CounterUpdated
from schemas.topics import RESULTS
from services.screens.counters import Counters
from tests.screens.made import TODAY, mark, node, row, serving

DAY = "2026-01-01"
PLACES = ["s-1", "s-2"]
MEMBERS = [f"e-{n}" for n in range(8)]

statements = st.tuples(
    st.sampled_from(PLACES),
    st.integers(0, 3),  # services
    st.lists(st.lists(st.sampled_from(MEMBERS), max_size=3), min_size=1, max_size=4),
)


def parts(place: str, position: int, services: int, members: list[list[str]]) -> Any:
    return [
        CounterUpdated(
            topic="t", partition=0, catalogue=1, position=position, node=place, day=DAY,
            sums={"services": services} if part == 0 else {}, sets={"served": tuple(some)},
            part=part, parts=len(members),
        )
        for part, some in enumerate(members)
    ]  # fmt: skip


def mark_at(position: int) -> CountersFlushed:
    return CountersFlushed(topic="t", partition=0, catalogue=1, position=position)


def counters() -> Counters:
    return Counters(lambda node, _: [node], lambda enterprise: enterprise)


@settings(max_examples=300, deadline=None)
@given(st.lists(statements, min_size=1, max_size=6), st.data())
def test_a_place_holds_its_last_statement_whatever_older_parts_are_left(
    history: list[tuple[str, int, list[list[str]]]], data: st.DataObject
) -> None:
    """Of every key its last record is there, of the older ones any, in any order with any marks."""
    records = [
        record
        for position, (place, services, members) in enumerate(history, 1)
        for record in parts(place, position, services, members)
    ]
    keyed = sorted(records, key=attrgetter("node", "part", "position"))
    kept: list[Any] = []
    for _, group in groupby(keyed, key=attrgetter("node", "part")):
        *older, last = group
        kept += [last, *(record for record in older if data.draw(st.booleans()))]
    marks = [mark_at(n) for n in range(1, len(history))]
    view, seen = counters(), []
    for record in [*data.draw(st.permutations(kept + marks)), mark_at(len(history))]:
        if isinstance(record, CounterUpdated):
            view.update(record)
            seen.append(record)
        else:
            view.flush(record)
            assert shown(view) == {place: content(seen, place) for place in PLACES}
    last_of = {place: (services, members) for place, services, members in history}
    for place, (services, members) in last_of.items():
        served = {member for some in members for member in some}
        assert content(seen, place) == (services, len(served))


def shown(view: Counters) -> dict[str, tuple[int, int]]:
    found = {place: view.read(place, Period.parse(ALL)) for place in PLACES}
    return {place: (n.get("services", 0), n.get("served", 0)) for place, n in found.items()}


def content(records: list[CounterUpdated], place: str) -> tuple[int, int]:
    """Return what a place holds by the rule itself: part 0, and the parts of its version.

    Only the highest version of each part is known: a log keeps no more of a key.
    """
    mine = sorted((r for r in records if r.node == place), key=attrgetter("position"))
    newest = {r.part: r for r in mine}
    if (first := newest.get(0)) is None:
        return 0, 0
    belonging = [newest[n] for n in range(first.parts) if n in newest]
    served = {
        member for r in belonging if r.position == first.position for member in r.sets["served"]
    }
    return first.sums["services"], len(served)


def test_parts_beyond_those_of_part_0_are_leftovers_even_at_its_own_position() -> None:
    view = counters()
    for record in parts("s-1", 7, 1, [["e-1"], ["e-2"], ["e-3"]]):
        view.update(record)
    for record in parts("s-1", 7, 1, [["e-1"], ["e-4"]]):
        view.update(record)
    view.flush(mark_at(7))
    assert view.read("s-1", Period.parse(ALL)) == {"services": 1, "served": 2}


async def test_a_row_in_parts_shows_as_one_number(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        sums = {"services_delivered": 3}
        names = [["e-1", "e-2"], ["e-2", "e-3"], ["e-4"]]
        await served.publish(
            node("hub", None, kind="hub"),
            node("s-1"),
            *(
                row("s-1", TODAY, 7, {} if n else sums, {"enterprises_served": some}, part=n,
                    parts=3)
                for n, some in enumerate(names)
            ),
            mark(7),
        )  # fmt: skip
        whole = await served.get("/v1/counters", after=f"{RESULTS.name}:0:6")
        assert whole["measures"]["services_delivered"]["value"] == 3
        assert whole["measures"]["enterprises_served"]["value"] == 4
        await served.publish(row("s-1", TODAY, 8, sums, {"enterprises_served": ["e-9"]}), mark(8))
        whole = await served.get("/v1/counters", after=f"{RESULTS.name}:0:7")
        assert whole["measures"]["enterprises_served"]["value"] == 1
