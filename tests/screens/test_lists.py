"""Requests of a node, of an enterprise, offers of a resource: pages, filters, waiting for news."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.screens.decided import Pool, submitted
from tests.screens.made import NOW, Served, enterprise
from tests.screens.office import asks, holds, judged, office, taken

LISTED = "/v1/requests"


async def ids(served: Served, path: str = LISTED, **query: Any) -> list[str]:
    return [row["id"] for row in (await served.get(path, **query))["requests"]]


async def many(served: Served, pool: Pool) -> None:
    """Five requests, a minute apart; the last two at s-2 and for e-2."""
    for n in range(5):
        node, of = ("s-1", "e-1") if n < 3 else ("s-2", "e-2")
        await taken(served, pool, submitted(f"area.r{n}", of, node))
        served.clock.pass_(minutes=1)


async def test_requests_are_listed_by_node_state_and_enterprise_the_newest_first(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as served:
        pool = Pool(now=lambda: served.clock.now)
        await many(served, pool)
        after = await served.publish(
            pool.move("area.r0", "accepted"), pool.move("area.r3", "cancelled")
        )
        await served.get("/v1/requests/area.r3", after=after)
        assert await ids(served) == [f"area.r{n}" for n in (4, 3, 2, 1, 0)]
        assert await ids(served, node="area") == await ids(served, node="hub")
        assert await ids(served, node="s-2") == ["area.r4", "area.r3"]
        assert await ids(served, node="area", state="accepted,cancelled") == ["area.r3", "area.r0"]
        assert await ids(served, enterprise="e-2", open=True) == ["area.r4"]
        assert await ids(served, open=False) == ["area.r3"]
        assert await ids(served, late=True) == []
        await served.get(LISTED, 404, node="nowhere")
        assert (await served.get(LISTED, 422, state="asleep"))["field"] == "state"
        assert (await served.get(LISTED, 422, cursor="x"))["field"] == "cursor"
        (row,) = (await served.get(LISTED, state="accepted"))["requests"]
        whole = await served.get("/v1/requests/area.r0")
        assert row == {k: v for k, v in whole.items() if k not in {"timeline", "offer"}}


async def test_pages_of_requests_hold_each_of_them_once(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        await taken(served, Pool(), *(submitted(f"area.r{n}") for n in range(7)))  # all at once
        found: list[str] = []
        cursor: dict[str, Any] = {}
        while True:
            page = await served.get(LISTED, limit=3, **cursor)
            found += [row["id"] for row in page["requests"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert sorted(found) == [f"area.r{n}" for n in range(7)]


async def wakes(served: Served, path: str, change: Callable[[], Any], **query: Any) -> Any:
    """Return the answer of a long poll that ends when something changes, and not before."""
    version = (await served.get(path, **query))["version"]
    polling = asyncio.create_task(served.get(path, version=version, wait=20, **query))
    await served.get(path, version=version, wait=0.05, **query)
    assert not polling.done()
    await change()
    async with asyncio.timeout(10):
        answer = await polling
    assert answer["version"] > version
    return answer


async def test_a_list_waits_until_something_of_its_scope_has_changed(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        await taken(served, pool, submitted("area.r"))
        version = (await served.get(LISTED, node="s-1"))["version"]
        other = asyncio.create_task(served.get(LISTED, node="s-1", version=version, wait=20))
        answer = await wakes(
            served, LISTED, lambda: taken(served, pool, submitted("area.q", node="s-2")), node="s-2"
        )
        assert [row["id"] for row in answer["requests"]] == ["area.q"]
        assert not other.done()  # what happens at s-2 is nothing to s-1
        later = await wakes(
            served, LISTED, lambda: served.publish(pool.move("area.r", "accepted")), node="area"
        )
        assert later["requests"][0]["state"] == "accepted"
        assert (await other)["requests"][0]["state"] == "accepted"
        for strange in (0, 10**15):  # of another process: what has changed since nobody knows
            await asyncio.wait_for(served.get(LISTED, version=strange, wait=20), 10)


async def test_who_waits_is_answered_when_the_process_ends(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        version = (await served.get(LISTED))["version"]
        polling = asyncio.create_task(served.get(LISTED, version=version, wait=50))
        await served.get(LISTED, version=version, wait=0.05)
    assert (await asyncio.wait_for(polling, 5))["requests"] == []


async def test_offers_are_told_to_whom_they_are_made_with_the_reasons(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        await taken(served, pool, submitted("area.r", urgent=True, minutes=90))
        holds(served, "s-2", "area.li")
        answer = await wakes(
            served,
            "/v1/offers",
            lambda: served.publish(
                pool.offer("area.r", "area.li"),
                pool.move("area.r", "offered", assignment="area.r-1"),
            ),
        )
        (offer,) = answer["offers"]
        position = str(served.last[0])
        assert offer == {
            "request_id": "area.r", "enterprise_id": "e-1", "outcome": "offered",
            "elements": ["STD"], "mode": "diagnosis", "score": 28, "reason": None, "member": None,
            "parts": [{"name": "resident", "points": 30}, {"name": "load", "points": -2}],
            "alternatives": [], "passed": [],
            "assignment": "area.r-1", "node": "s-1", "node_name": "S-1",
            "enterprise_name": "Secret Ltd", "about": "the secret recipe", "minutes": 90,
            "urgent": True,
            "members": [
                {
                    "kind": "expert", "id": "area.li", "label": "Li of the county",
                    "start": "2026-11-21T10:30:00+08:00", "end": "2026-11-21T12:30:00+08:00",
                    "answer": None,
                }
            ],
            "offered_at": "2026-11-21T10:30:00+08:00", "expires_at": "2026-11-21T12:30:00+08:00",
            "state": "offered", "position": position,
        }  # fmt: skip
        assert await served.get("/v1/offers/area.r-1", after=position) == offer
        await served.get("/v1/offers/area.none", 404)
        moved = await wakes(
            served, "/v1/offers", lambda: served.publish(pool.move("area.r", "committed"))
        )  # the request moves, the offer is as it was
        assert moved["offers"][0]["state"] == "committed"


async def test_an_offer_is_open_until_it_is_over_or_its_work_is_done(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool = Pool(now=lambda: served.clock.now)
        await taken(served, pool, submitted("area.a"), submitted("area.b"))
        for name in "ab":
            served.clock.pass_(minutes=1)
            await served.publish(
                pool.offer(f"area.{name}", "area.li"),
                pool.move(f"area.{name}", "offered", assignment=f"area.{name}-1"),
            )

        async def offers() -> list[list[str]]:
            answers = [
                await served.get("/v1/offers", resource="area.li", open=is_open)
                for is_open in (True, False)
            ]
            return [[offer["assignment"] for offer in found["offers"]] for found in answers]

        await served.get("/v1/requests/area.b", after=str(served.last[-1]))
        assert await offers() == [["area.b-1", "area.a-1"], []]
        after = await served.publish(
            pool.settle("area.a-1", "expired"),
            pool.settle("area.b-1", "committed"),
            pool.move("area.b", "in_service"),
        )
        await served.get("/v1/requests/area.b", after=after)
        assert await offers() == [["area.b-1"], ["area.a-1"]]
        after = await served.publish(
            pool.move("area.b", "resulted", served_at="2026-03-02T09:00:00+08:00")
        )
        await served.get("/v1/requests/area.b", after=after)
        assert await offers() == [[], ["area.b-1", "area.a-1"]]
        assert (await served.get("/v1/offers", 422))["field"] == "resource"


async def test_an_offer_of_a_higher_revision_replaces_the_lower(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        await taken(served, pool, submitted("area.r"))
        first, last = pool.offer("area.r", "area.li"), pool.settle("area.r-1", "declined")
        after = await served.publish(last, first, last)
        found = await served.get("/v1/offers/area.r-1", after=after)
        assert (found["outcome"], found["position"]) == ("declined", str(served.last[0]))


async def test_an_enterprise_sees_its_requests_also_those_of_what_it_was_merged_with(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as served:
        pool = Pool(now=lambda: served.clock.now)
        await many(served, pool)
        path = "/v1/enterprises/e-2/requests"
        found = await served.get(path)
        assert (found["enterprise_id"], found["name"]) == ("e-2", "Other Ltd")
        assert [row["id"] for row in found["requests"]] == ["area.r4", "area.r3"]
        assert [e["cause"] for e in found["requests"][0]["timeline"]] == ["request.submitted"]
        merged = enterprise("e-1", 2, name="Secret Ltd", merged_into="e-2")
        await served.get("/v1/counters", after=await served.publish(merged))
        assert len((await served.get(path))["requests"]) == 5
        await served.get("/v1/enterprises/e-9/requests", 404)


async def test_a_request_that_becomes_late_is_found_by_that(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        due = (NOW + timedelta(hours=1)).isoformat()
        record = submitted("area.r")
        await taken(served, pool, record, submitted("area.q"))
        places = await asks(served, submitted("area.p"))
        await judged(served, pool, places, pool.move("area.r", "accepted", due_at=due))
        await served.get("/v1/requests/area.r", after=str(places[0]))
        assert await ids(served, late=True) == []
        served.clock.pass_(hours=2)
        assert await ids(served, late=True) == ["area.r"]
        assert await ids(served, late=False) == ["area.q"]


async def test_a_stations_key_gets_its_own_requests_of_an_enterprise_however_many_others_have(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        own, *others = [submitted(f"area.{n:03}", "e-1", "s-2" if n else "s-1") for n in range(101)]
        await served.publish(pool.submit(own))
        after = await served.publish(*map(pool.submit, others))
        await served.get("/v1/requests/area.100", after=after)
        path = "/v1/enterprises/e-1/requests"
        assert len((await served.get(path))["requests"]) == 100
        holds(served, "s-1")
        assert [row["id"] for row in (await served.get(path))["requests"]] == ["area.000"]
