"""Facts, what numbers consist of, and what was known at an earlier time."""

import asyncio
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bus.keys import Role
from schemas.measures import NAMED, Kind
from schemas.types import TARGETS
from services.screens.patch import merge
from tests.histories import History, record
from tests.screens.events import listening
from tests.screens.made import (
    NOW,
    TODAY,
    Served,
    enterprise,
    fact,
    node,
    service,
    serving,
    stated,
    void,
)

FACT = "/v1/facts/yizhan.service.delivered/s-1.a"


def holds(served: Served, scope: str = "hub", subject: str | None = None) -> None:
    token = served.keys.issue(scope, Role.READER, subject=subject)
    served.http.headers["Authorization"] = f"Bearer {token}"


async def stations(served: Served) -> None:
    await served.publish(
        node("hub", None, kind="hub"), node("area", kind="area"), node("s-1", "area"), node("s-2")
    )


async def test_the_highest_revision_stands_and_each_other_says_what_it_lost_to(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as served:
        holds(served)
        await stations(served)
        first, other = service("s-1.a", "e-1", 2), service("s-1.a", "e-2", 2)
        late, third = service("s-1.a", "e-3", 1), service("s-1.a", "e-4", 3, "s-2")
        after = await served.publish(first, first, other, late, third)
        found = await served.get(FACT, after=after)
        assert (found["stands"], found["revision"], found["position"]) == (True, 3, after)
        assert found["data"]["enterprise_id"] == "e-4"
        assert found["verdict"] == found["timeline"][-1]
        places = [str(p) for p in served.last]
        two, three = ({"revision": r, "position": places[at]} for r, at in ((2, 0), (3, 4)))
        assert [(e["revision"], e["verdict"], e["lost_to"]) for e in found["timeline"]] == [
            (2, "superseded", three),
            (2, "repeat", two),
            (2, "conflict", two),
            (1, "superseded", three),
            (3, "stands", None),
        ]


@pytest.mark.parametrize("who", ["e-1", "s-1.expert"])
async def test_a_key_that_speaks_for_somebody_reads_no_facts_whatever_its_scope(
    tmp_path: Path, who: str
) -> None:
    async with serving(tmp_path) as served:
        holds(served)
        await stations(served)
        after = await served.publish(service("s-1.a", "e-1"))
        paths = (FACT, "/v1/counters/s-1/all/services_delivered/facts")
        for path in paths:
            await served.get(path, after=after)
        holds(served, "hub", who)
        for path in paths:
            await served.get(path, 403)


async def test_a_voided_fact_does_not_stand_and_can_be_stated_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        holds(served)
        await stations(served)
        after = await served.publish(service("s-1.a"), void("s-1.a", 2))
        found = await served.get(FACT, after=after)
        assert (found["stands"], found["revision"], found["data"]) == (False, 2, None)
        assert found["voided"]["reason"] == "wrong"
        after = await served.publish(service("s-1.a", revision=3))
        assert (await served.get(FACT, after=after))["stands"]


async def test_a_part_of_a_life_cycle_says_what_it_waits_for(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        holds(served)
        await stations(served)
        after = await served.publish(fact("benefit.audited", "s-1.b", stated("s-1")))
        found = await served.get("/v1/facts/benefit.audited/s-1.b", after=after)
        assert found["pending"] == ["yizhan.benefit.claimed", "yizhan.benefit.confirmed"]


async def test_facts_take_a_key_that_covers_their_node(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await stations(served)
        after = await served.publish(service("s-1.a"))
        parts = "/v1/counters/s-1/all/services_delivered/facts"
        for path in (FACT, parts):
            served.http.headers.pop("Authorization", None)
            await served.get(path, 401, after=after)
            holds(served, "s-2")
            await served.get(path, 403, after=after)
            holds(served, "area")
            await served.get(path, after=after)
        assert (await served.get("/v1/facts/service.delivered/s-1.b", 404))["status"] == 404
        assert (await served.get("/v1/facts/node.opened/s-1.a", 404))["rule"] == "unknown_type"
        await served.get("/v1/facts/service.delivered/s-2.b", 403)
        for unknown in ("nothing", "services_delivered;element", ";", "nothing;element=STD"):
            await served.get(f"/v1/counters/s-1/all/{unknown}/facts", 404)


async def test_a_question_waits_until_the_index_has_passed_the_position(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        holds(served)
        await stations(served)
        after = await served.publish(service("s-1.a"))
        topic, partition, offset = after.split(":")
        coming = f"{topic}:{partition}:{int(offset) + 1}"
        assert (await served.get(FACT, after=after))["revision"] == 1
        assert (await served.get(FACT, 504, after=coming, wait=0))["rule"] == "behind"
        asked = asyncio.create_task(served.get(FACT, after=coming, wait=20))
        assert (await served.get(FACT, after=after))["position"] == after
        assert not asked.done()
        await served.publish(service("s-1.a", revision=2))
        assert (await asked)["revision"] == 2


async def pages(served: Served, path: str, **query: Any) -> list[dict[str, Any]]:
    rows, cursor = [], None
    while True:
        page = await served.get(path, **query, **({"cursor": cursor} if cursor else {}))
        rows += page["facts"]
        if (cursor := page["next"]) is None:
            return rows


async def test_a_number_consists_of_its_facts_page_by_page(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        holds(served)
        await stations(served)
        await served.publish(enterprise("e-1", merged_into="e-2"))
        await served.publish(
            *(service(f"s-1.{n}", f"e-{n % 3}") for n in range(7)),
            void("s-1.6", 2),
            service("s-1.5", "e-5", 2, "s-2"),
        )
        for after in {p.partition: p for p in served.last}.values():  # the last of each partition
            await served.get("/v1/counters/hub/all/visits/facts", after=str(after))
        rows = await pages(served, "/v1/counters/area/2026-11/services_delivered/facts", limit=2)
        assert [row["subject"] for row in rows] == [f"s-1.{n}" for n in range(5)]
        assert sum(row["counts"] for row in rows) == 5
        sliced = "/v1/counters/hub/all/services_delivered;element=STD/facts"
        assert len(await pages(served, sliced)) == 6
        groups = await pages(served, "/v1/counters/hub/all/enterprises_served/facts", limit=1)
        assert {g["enterprise_id"]: [f["subject"] for f in g["facts"]] for g in groups} == {
            "e-0": ["s-1.0", "s-1.3"],
            "e-2": ["s-1.1", "s-1.2", "s-1.4"],
            "e-5": ["s-1.5"],
        }


async def test_as_of_tells_what_was_known_then(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        holds(served)
        await stations(served)
        yesterday = NOW - timedelta(days=1)
        after = await served.publish(service("s-1.a", "e-1", at=yesterday))
        await served.get(FACT, after=after)
        then = NOW.isoformat()
        served.clock.pass_(hours=1)
        await served.publish(
            service("s-1.a", "e-1", 2, "s-2", at=yesterday),
            service("s-1.b", "e-2", at=yesterday),
            enterprise("e-1", merged_into="e-2"),
            node("s-3"),
        )
        later = served.clock.now.isoformat()

        async def services(place: str, at: str) -> tuple[int, int]:
            whole = await served.get("/v1/counters", node=place, period="2026-11-20", as_of=at)
            found = whole["measures"]
            return found["services_delivered"]["value"], found["enterprises_served"]["value"]

        assert [await services(place, then) for place in ("hub", "s-1", "s-2")] == [
            (1, 1), (1, 1), (0, 0),
        ]  # fmt: skip
        assert [await services(place, later) for place in ("hub", "s-1", "s-2")] == [
            (2, 1), (1, 1), (1, 1),
        ]  # fmt: skip
        assert (await served.get(FACT, as_of=then))["revision"] == 1
        assert (await served.get(FACT, as_of=later))["revision"] == 2
        await served.get("/v1/counters", 404, node="s-3", as_of=then)
        old = "/v1/counters/s-1/all/services_delivered/facts"
        assert [r["subject"] for r in await pages(served, old, as_of=then)] == ["s-1.a"]


async def test_what_requests_count_is_told_as_of_now_only_and_consists_of_no_facts(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as served:
        holds(served)
        await served.publish(node("hub", None, kind="hub"))
        served.clock.pass_(hours=1)
        then = await served.get("/v1/counters", as_of=served.clock.now.isoformat())
        for name, measure in NAMED.items():
            if measure.fact not in TARGETS:
                assert then["measures"][name] == {"value": None, "unit": measure.unit}
                assert (await served.get("/v1/counters"))["measures"][name]["value"] == 0
                await served.get(f"/v1/counters/hub/all/{name}/facts", 404)


@pytest.mark.parametrize("seed", range(6))
async def test_any_history_adds_up_from_the_index(tmp_path: Path, seed: int) -> None:
    history = History("h", Random(seed), records=40)
    async with serving(tmp_path, index_batch=7) as served:
        holds(served)
        await served.publish(node("hub", None, kind="hub"), *map(node, history.stations))
        await served.publish(*map(record, history.events))
        served.clock.pass_(hours=1)
        at = served.clock.now.isoformat()
        for place in history.stations:
            whole = await served.get("/v1/counters", node=place, as_of=at, period="2024")
            for name, measure in NAMED.items():
                if measure.total and measure.fact in TARGETS:
                    found = whole["measures"][name]["value"]
                    members = history.expected.sets.get((place, name), set())
                    assert found == history.expected.sums.get((place, name), 0) + len(members)
            for name in ("services_delivered", "enterprises_served", "activity_enterprises"):
                rows = await pages(served, f"/v1/counters/{place}/2024/{name}/facts", limit=3)
                whole_value = whole["measures"][name]["value"]
                assert sum(row.get("counts", 1) for row in rows) == whole_value
                grouped = NAMED[name].kind is Kind.SET
                assert all(("facts" in row) is grouped for row in rows)
        slices = {
            f"benefit;basis={s['basis']};kind={s['kind']};state={s['state']}": s["value"] * 10**6
            for s in (await served.get("/v1/counters", as_of=at))["measures"]["benefit"].get(
                "slices", []
            )
        }
        expected: dict[str, int] = {}
        for (_, key), amount in history.expected.sums.items():
            if key.startswith("benefit"):
                expected[key] = expected.get(key, 0) + amount
        assert slices == pytest.approx(expected)


async def test_an_index_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        holds(served)
        await stations(served)
        after = await served.publish(service("s-1.a"))
        await served.get(FACT, after=after)
    async with serving(tmp_path, port=True) as served:
        holds(served)
        found = await served.get(FACT, after=after)
        assert [e["verdict"] for e in found["timeline"]] == ["stands"]
        async with listening(served, "s-1") as events:
            _, _, document = await events.next()
            while not document["ticker"] or not sum(document["trend"]["today"][:11]):
                _, _, patch = await events.next()
                document = merge(document, patch)
            assert document["trend"]["today"][10:12] == [1, None]


async def test_a_wall_tells_the_news_and_the_hours_without_names(tmp_path: Path) -> None:
    async with serving(tmp_path, port=True, live_every=0.01) as served:
        await stations(served)
        await served.publish(enterprise("e-secret", name="Secret Ltd"))
        week = NOW - timedelta(days=7)
        await served.publish(
            service("s-1.a", "e-secret", at=week, actor_ref="p-4711"),
            service("s-1.b", "e-secret", elements=["STD", "TST"]),
            service("s-1.b", "e-secret", 2, at=NOW - timedelta(hours=2)),
            service("s-2.c", "e-secret"),
            void("s-2.c", 2),
        )
        async with listening(served) as events:
            _, _, document = await events.next()
            while len(document["ticker"]) < 5 or not document["trend"]["today"][8]:
                _, _, patch = await events.next()
                document = merge(document, patch)
        assert document["trend"]["before_day"] == "2026-11-14"
        assert document["trend"]["before"][10] == 1
        assert document["trend"]["today"] == [0] * 8 + [1, 0, 0] + [None] * 13
        assert document["day"] == TODAY
        notes = [row.get("note") for row in document["ticker"]]
        assert sorted(map(str, notes)) == ["None", "None", "None", "correction", "void"]
        assert document["ticker"][0].keys() <= {
            *("at", "node", "name", "type", "elements", "mode", "kind", "note"),
        }
        for secret in ("e-secret", "Secret Ltd", "p-4711", "s-1.a"):
            assert secret not in str(document)
