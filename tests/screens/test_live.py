"""GET /v1/counters and /v1/live over a real log."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from bus.port import Bus, Partition, Record
from schemas.topics import RESULTS
from services.screens.patch import merge
from tests.screens.events import listening
from tests.screens.made import (
    NOW,
    TODAY,
    Served,
    audit,
    beat,
    enterprise,
    mark,
    node,
    row,
    service,
    serving,
    until,
)

AFTER = f"{RESULTS.name}:0:6"


async def fill(served: Served) -> None:
    heard = await served.publish(
        node("hub", None, kind="hub"),
        node("area", kind="area", flags=[]),
        node("s-1", "area", staff=13, flags=[{"flag": "online"}]),
        node("s-2", "hub", closed="2026-01-01"),
        enterprise("e-1", catchment=[{"node": "s-1", "kind": "inside"}], merged_into="e-2"),
        enterprise("e-2", catchment=[{"node": "s-1", "kind": "inside"}]),
        beat("s-1", NOW - timedelta(minutes=2), 3),
    )
    await served.publish(
        row("s-1", TODAY, 7, {"services_delivered": 2}, {"enterprises_served": ["e-1", "e-2"]}),
        row("s-2", "2025-05-05", 7, {"services_delivered": 5}, {"enterprises_served": ["e-3"]}),
        mark(7),
    )
    await served.get("/v1/counters", after=heard)


async def test_counters_are_what_the_rows_add_up_to(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await fill(served)
        whole = await served.get("/v1/counters", node="hub", period="all", after=AFTER)
        assert list(whole) == [
            *("node", "period", "as_of", "complete_to", "silent", "waiting", "drift"),
            *("audited_at", "measures", "indicators"),
        ]
        assert whole["as_of"] == "2026-11-21T10:30:00+08:00"
        assert whole["complete_to"] == "2026-11-21T10:28:00+08:00"
        assert (whole["silent"], whole["waiting"], whole["drift"]) == ([], 3, "unknown")
        assert whole["measures"]["services_delivered"] == {"value": 7, "unit": "次"}
        assert whole["measures"]["enterprises_served"] == {"value": 2, "unit": "家"}
        assert whole["measures"]["staff"]["value"] == 13
        assert whole["measures"]["enterprises_inside"]["value"] == 1
        assert whole["measures"]["nodes"] == {
            "value": 1, "unit": "个", "by": {"kind": {"station": 1}, "flag": {"online": 1}},
        }  # fmt: skip
        year = await served.get("/v1/counters", node="area", period="2026-02-03..2026-12-31")
        assert year["measures"]["services_delivered"]["value"] == 2
        await until(lambda: served.screens.ready() == {})


async def test_a_station_that_is_not_heard_for_five_minutes_is_silent(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await fill(served)
        await served.get("/v1/counters", after=AFTER)
        served.clock.pass_(seconds=300)
        whole = await served.get("/v1/counters")
        assert (whole["silent"], whole["complete_to"]) == (["s-1"], None)


async def test_the_root_is_there_before_anybody_registers_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.publish(node("s-1"), row("s-1", TODAY, 7, {"visits": 2}), mark(7))
        now = await served.get("/v1/counters", after=AFTER)
        then = await served.get("/v1/counters", as_of=(NOW + timedelta(hours=1)).isoformat())
        assert now["measures"]["nodes"] == then["measures"]["nodes"]
        assert now["measures"]["visits"]["value"] == 2


async def test_any_period_of_a_hundred_years_is_answered_and_none_beyond(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await fill(served)
        for wide in ("2000..2099", "2000-01-02..2099-12-30", "2099-12", "2099", "2000-01-01"):
            whole = await served.get("/v1/counters", period=wide, after=AFTER)
            expected = 7 if ".." in wide else 0
            assert whole["measures"]["services_delivered"]["value"] == expected
        for beyond in ("9999", "9999-12", "0001-01-01..9999-12-31"):
            assert (await served.get("/v1/counters", 422, period=beyond))["rule"] == "range"


async def test_errors_are_problems_that_name_the_field(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        missing = await served.get("/v1/counters", 404, node="nowhere")
        assert missing["rule"] == "unknown_node"
        assert (await served.get("/v1/counters", 422, period="2026-13"))["field"] == "period"
        assert (await served.get("/v1/counters", 422, after="x"))["field"] == "after"
        assert (await served.get("/v1/counters", 422, as_of="today"))["field"] == "as_of"
        for beyond in (
            "0001-01-01T00:00:00+08:00",
            "9999-12-31T23:59:59-08:00",
            "1999-12-31T23:59:59+08:00",
            "2100-01-01T00:00:00+08:00",
        ):
            far = await served.get("/v1/counters", 422, as_of=beyond)
            assert (far["field"], far["rule"]) == ("as_of", "range")
        for within in ("2000-01-01T00:00:00+08:00", "2099-12-31T23:59:59+08:00"):
            await served.get("/v1/counters", as_of=within)
        assert (await served.get("/v1/counters", 422, wait="long"))["field"] == "wait"
        late = await served.get("/v1/counters", 504, after=AFTER, wait=0)
        assert late["rule"] == "behind"
        answer = await served.http.get("/v1/live", params={"node": "nowhere"})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_after_waits_for_the_flush_mark_beyond_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.publish(node("hub", None, kind="hub"), mark(6))
        asked = asyncio.create_task(served.get("/v1/counters", after=AFTER, wait=20))
        await served.get("/v1/counters", after=f"{RESULTS.name}:0:5")
        await served.publish(mark(9, Partition(RESULTS.name, 1)))
        await served.get("/v1/counters", after=f"{RESULTS.name}:1:8")
        assert not asked.done()
        await served.publish(row("hub", TODAY, 7, {"visits": 1}), mark(7))
        assert (await asked)["measures"]["visits"]["value"] == 1


async def test_a_catalogue_that_is_set_back_shows_nothing_and_says_so(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.publish(
            node("hub", None, kind="hub"),
            row("hub", TODAY, 7, {"visits": 2}, catalogue=2),
            mark(7, catalogue=2),
        )
        await served.get("/v1/counters", after=AFTER)
        await until(lambda: served.screens.ready() == {})
        other = await served.publish(
            row("hub", TODAY, 8, {"visits": 1}, catalogue=1),
            row("hub", "2026-11-20", 9, {"visits": 4}, catalogue=1),
            mark(9, catalogue=1),
        )
        whole = await served.get("/v1/counters", after=other)
        assert whole["measures"]["visits"]["value"] == 2
        await served.get("/v1/counters", 504, after=f"{RESULTS.name}:0:8", wait=0)
        assert served.screens.ready() == {
            "counters": f"{RESULTS.name}:0 is stated by catalogue 1, older than 2 that shows"
        }
        await served.publish(row("hub", TODAY, 9, {"visits": 6}, catalogue=2), mark(9, catalogue=2))
        whole = await served.get("/v1/counters", after=f"{RESULTS.name}:0:8")
        assert whole["measures"]["visits"]["value"] == 6
        assert served.screens.ready() == {}


async def test_a_snapshot_and_its_changes_make_the_next_snapshot(tmp_path: Path) -> None:
    async with serving(tmp_path, port=True, live_every=0.01) as served:
        await fill(served)
        await served.get("/v1/counters", after=AFTER)
        async with listening(served) as events:
            kind, last, document = await events.next()
            assert (kind, document["resumed"]) == ("snapshot", False)
            assert document["all"]["services_delivered"]["value"] == 7
            assert document["stations"]["s-1"]["parent_name"] == "Area"
            await served.publish(row("s-1", TODAY, 8, {"services_delivered": 33}), mark(8))
            await served.publish(audit(8), beat("s-1", NOW))
            while document["drift"] != "none" or document["complete_to"] != NOW.isoformat():
                kind, last, patch = await events.next()
                assert kind == "change"
                document = merge(document, patch)
            async with listening(served) as others:
                assert (await others.next()) == ("snapshot", last, document)
            assert document["today"]["services_delivered"]["value"] == 33
            assert document["today"]["enterprises_served"]["value"] == 0
            assert document["ranking"] == [{"id": "s-1", "name": "S-1", "value": 33, "share": 1.0}]


async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(tmp_path: Path) -> None:
    async with serving(tmp_path, port=True, live_every=0.01, live_ring=2) as served:
        await served.publish(node("hub", None, kind="hub"), node("s-1"))

        async def step(position: int) -> None:
            await served.publish(row("s-1", TODAY, position, {"visits": position}), mark(position))

        async with listening(served) as events:
            _, first, document = await events.next()
            seen: list[tuple[str, str, Any]] = []
            while len(seen) < 3:
                await step(len(seen) + 1)
                seen.append(await events.next())
        async with listening(served, last_id=seen[0][1]) as events:
            assert [await events.next(), await events.next()] == seen[1:]
        async with listening(served, last_id=seen[-1][1]) as events:
            await step(9)
            kind, _, patch = await events.next()
            assert (kind, patch["all"]) == ("change", {"visits": {"value": 9}})
        endless = first.rpartition("-")[0] + "-" + "7" * 4400
        for lost in (first, "somebody-else-1", "7", endless):
            async with listening(served, last_id=lost) as events:
                kind, _, document = await events.next()
                assert (kind, document["resumed"]) == ("snapshot", False)


def moved(id_: str, *parents: tuple[str, str], **more: Any) -> Record:
    found = [{"parent": parent, "from": since} for parent, since in parents]
    return node(id_, None, parents=found, **more)


async def test_a_fact_of_a_past_day_shows_on_the_wall_of_whom_its_node_is_below_today(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, port=True, live_every=0.01) as served:
        await served.publish(
            *(node(place, kind="area") for place in ("old", "new")),
            moved("s-1", ("old", "2020-01-01"), ("new", "2026-11-20")),
        )
        await served.get("/v1/counters", node="new")
        async with listening(served, "new") as events:
            _, _, document = await events.next()
            await served.publish(row("s-1", "2026-03-01", 7, {"services_delivered": 4}), mark(7))
            while not document["stations"]["s-1"]["all"]:
                _, _, patch = await events.next()
                document = merge(document, patch)
        assert document["stations"]["s-1"]["all"] == 4
        assert document["all"]["services_delivered"]["value"] == 0


async def test_a_fact_of_a_week_ago_shows_on_the_wall_of_whom_its_node_was_below_then(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, port=True, live_every=0.01) as served:
        await served.publish(
            *(node(place, kind="area") for place in ("old", "new")),
            moved("s-1", ("old", "2020-01-01"), ("new", "2026-11-20")),
        )
        await served.get("/v1/counters", node="old")
        await until(lambda: served.screens.ready() == {})
        async with listening(served, "old") as events:
            _, _, document = await events.next()
            await served.publish(service("s-1.a", at=NOW - timedelta(days=7)))
            while not sum(document["trend"]["before"]):
                _, _, patch = await events.next()
                document = merge(document, patch)
        assert document["trend"]["before"][10] == 1


async def test_enterprises_that_merge_after_they_were_counted_are_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.publish(
            node("hub", None, kind="hub"),
            row("hub", TODAY, 7, {}, {"enterprises_served": ["e-1", "e-2", "e-3"]}),
            mark(7),
        )

        async def served_at(after: str) -> Any:
            whole = await served.get("/v1/counters", after=after)
            return whole["measures"]["enterprises_served"]["value"]

        assert await served_at(AFTER) == 3
        assert await served_at(await served.publish(enterprise("e-1", merged_into="e-2"))) == 2
        assert await served_at(await served.publish(enterprise("e-2", merged_into="e-3"))) == 1
        assert await served_at(await served.publish(enterprise("e-2", 2))) == 2


async def test_a_wall_holds_neither_enterprises_nor_persons(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await fill(served)
        whole = await served.http.get("/v1/counters", params={"after": AFTER})
        for secret in ("e-1", "e-2", "s-17"):
            assert secret not in whole.text


class Silent:
    """A log that does not say how much it holds until it is asked to, and all else of it."""

    def __init__(self, real: Bus) -> None:
        self._real, self.speaks = real, asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def highwater(self, partition: Partition) -> int:
        await self.speaks.wait()
        return await self._real.highwater(partition)


async def test_before_the_log_is_read_there_are_no_numbers(tmp_path: Path) -> None:
    silent: list[Silent] = []

    def before(real: Bus) -> Silent:
        silent.append(Silent(real))
        return silent[0]

    async with serving(tmp_path, through=before) as served:
        assert served.screens.ready() == dict.fromkeys(
            ["counters", "facts", "requests"], "the log was not read yet"
        )
        early = await served.http.get("/v1/counters", params={"wait": 0})
        assert early.status_code == 503
        assert early.headers["retry-after"] == "1"
        silent[0].speaks.set()
        await served.publish(node("hub", None, kind="hub"))
        await served.get("/v1/counters")
