"""GET /v1/requests/{id}: a request is what the highest revision of its moves says."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bus.port import Record
from schemas.lifecycle import ENTERPRISE, HEAD, PERFORMER, STAFF, legal
from schemas.topics import ASSIGNMENTS, REQUESTS
from tests.screens.decided import Pool, ask, said, submitted
from tests.screens.made import NOW, Served, node, serving
from tests.screens.office import asks, holds, judged, office, taken

R = "/v1/requests/area.r"


async def test_a_request_is_told_whole_with_its_names_and_what_may_be_asked(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        await taken(served, pool, submitted("area.r", channel="visit"))
        offer = pool.offer("area.r", "area.li")
        after = await served.publish(
            offer,
            pool.move(
                "area.r", "offered", "matched", assignment="area.r-1", offers=1,
                first_response_at=NOW.isoformat(), due_at=(NOW + timedelta(days=2)).isoformat(),
            ),
            pool.settle("area.r-1", "committed"),
            pool.move("area.r", "committed", "offer.accepted", performers=["area.li"]),
        )  # fmt: skip
        found = await served.get(R, after=after)
        assert list(found) == [
            "id", "state", "revision", "node", "node_name", "enterprise_id", "enterprise_name",
            "kind", "demand", "channel", "submitted_at", "since", "first_response_at", "due_at",
            "served_at", "late", "blocked_seconds", "blocked_reason", "assignment", "performers",
            "level",
            "escalations", "child", "reasons", "unmatched", "score", "outcome", "legal",
            "position", "version", "offer", "timeline",
        ]  # fmt: skip
        assert (found["state"], found["revision"], found["position"]) == ("committed", 3, after)
        assert (found["node_name"], found["enterprise_name"]) == ("S-1", "Secret Ltd")
        assert (found["channel"], found["demand"]["about"]) == ("visit", "the secret recipe")
        assert found["due_at"] == "2026-11-23T10:30:00+08:00"
        assert found["performers"] == [
            {"id": "area.li", "kind": "expert", "label": "Li of the county"}
        ]
        assert found["legal"] == {
            "staff": list(legal("committed", STAFF)),
            "head": list(legal("committed", HEAD)),
            "enterprise": list(legal("committed", ENTERPRISE)),
            "performer": list(legal("committed", PERFORMER)),
        }
        assert found["offer"]["outcome"] == "committed"
        assert [(e["type"], e["state"], e["cause"]) for e in found["timeline"]] == [
            ("request.moved", "submitted", "request.submitted"),
            ("match.offered", None, "offered"),
            ("request.moved", "offered", "matched"),
            ("match.committed", None, "committed"),
            ("request.moved", "committed", "offer.accepted"),
        ]
        assert found["timeline"][0]["by"] == "staff"
        assert found["timeline"][-1]["position"] == after


async def test_only_the_highest_revision_stands_and_repeats_change_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool, other = Pool(), Pool()
        asked = submitted("area.r")
        first, second = pool.submit(asked), pool.move("area.r", "accepted")
        third = pool.move("area.r", "matching")
        other.submit(asked)
        other.move("area.r", "returned")
        late = ask("request.closed", "area.late", "area.r")
        conflict = other.move("area.r", "closed", "", late)  # of the same revision as the third
        after = await served.publish(first, second, second, third, second, first, third, conflict)
        found = await served.get(R, after=after)
        assert (found["state"], found["revision"]) == ("matching", 3)
        assert found["position"] == str(served.last[3])
        assert [e["revision"] for e in found["timeline"]] == [1, 2, 3]
        await served.get(f"{R}/asks/area.late", 404)


async def test_a_request_waits_until_a_position_of_requests_is_decided(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool, record = Pool(), submitted("area.r")
        places = await asks(served, record)
        await served.get(R, 504, after=str(places[0]), wait=0.05)
        await served.get(R, 404)
        coming = asyncio.create_task(served.get(R, after=str(places[0]), wait=20))
        moved = await served.publish(pool.submit(record))
        assert (await served.get(R, after=moved))["state"] == "submitted"
        assert not coming.done()
        await served.publish(pool.advanced(places[0].partition, places[0]))
        assert (await coming)["state"] == "submitted"
        unfit = await served.get(R, 422, after="yizhan.results:0:0")
        assert unfit["field"] == "after"


async def test_the_verdict_on_an_ask_is_pending_until_matching_has_moved_or_refused(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        await taken(served, pool, submitted("area.r"))
        accept, close = (
            ask(kind, f"area.{kind[-3:]}", "area.r")
            for kind in ("request.accepted", "request.closed")
        )
        places = await asks(served, accept, close)
        path = f"{R}/asks/area.ted"
        pending = await served.get(path, after=str(places[0]), wait=0.5)
        assert pending == {
            "ask": "area.ted", "request_id": "area.r", "verdict": "pending", "cause": None,
            "detail": None, "state": None, "revision": None, "position": None, "legal": [],
        }  # fmt: skip
        waiting = (await served.get(R))["timeline"][-2:]
        assert [(e["type"], e["pending"], e["by"]) for e in waiting] == [
            ("request.accepted", True, "staff"), ("request.closed", True, "staff"),
        ]  # fmt: skip
        coming = asyncio.create_task(served.get(path, after=str(places[1]), wait=20))
        await judged(
            served,
            pool,
            places,
            pool.move("area.r", "accepted", "", accept),
            pool.refuse(close, detail="first it must be served"),
        )
        moved = await coming
        assert (moved["verdict"], moved["state"], moved["revision"]) == ("moved", "accepted", 2)
        assert (moved["cause"], moved["position"]) == ("request.accepted", str(served.last[0]))
        assert moved["legal"] == list(legal("accepted"))
        refused = await served.get(f"{R}/asks/area.sed", after=str(places[1]))
        assert (refused["verdict"], refused["cause"], refused["state"]) == (
            "refused", "state", "accepted",
        )  # fmt: skip
        assert (refused["detail"], refused["legal"]) == (
            "first it must be served", ["request.cancelled"],
        )  # fmt: skip
        entry = (await served.get(R))["timeline"][-1]
        assert (entry["type"], entry["note"]) == ("request.refused", "first it must be served")
        await served.get(f"{R}/asks/area.none", 404)
        await served.get("/v1/requests/area.q/asks/area.ted", 404)


async def test_the_first_verdict_on_an_ask_remains_and_who_asked_otherwise_has_lost(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        await taken(served, pool, submitted("area.r"))
        first = ask("request.accepted", "area.a", "area.r")
        other = ask("request.accepted", "area.a", "area.r", due_at=NOW.isoformat())
        start = ask("service.started", "area.a", "area.r")  # of another type: another ask
        places = await asks(served, first, first, other, start)
        await judged(
            served,
            pool,
            places,
            pool.move("area.r", "accepted", "", first),
            pool.refuse(other, "conflict"),
            pool.refuse(start, "role"),
        )
        await judged(served, pool, places, pool.refuse(first, "role", revision=2))
        told = [await served.get(f"{R}/asks/area.a", after=str(place)) for place in places]
        assert [(t["verdict"], t["cause"]) for t in told] == [
            ("moved", "request.accepted"),
            ("moved", "request.accepted"),
            ("refused", "conflict"),
            ("refused", "role"),
        ]


async def test_who_asks_under_the_id_of_an_ask_about_another_request_has_lost(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        await taken(served, pool, submitted("area.r"), submitted("area.q"))
        first = ask("request.cancelled", "area.a", "area.q")
        other = ask("request.cancelled", "area.a", "area.r")
        places = await asks(served, first, other)
        await judged(served, pool, places, pool.move("area.q", "cancelled", "", first))
        lost = await served.get(f"{R}/asks/area.a", after=str(places[1]))
        assert (lost["verdict"], lost["cause"]) == ("refused", "conflict")
        assert (lost["state"], lost["position"]) == (None, str(served.last[0]))
        won = await served.get("/v1/requests/area.q/asks/area.a", after=str(places[0]))
        assert (won["verdict"], won["state"]) == ("moved", "cancelled")


async def test_a_submission_that_was_refused_is_told_to_who_asked(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool, record = Pool(), submitted("area.r", "e-2")
        places = await asks(served, record)
        await judged(served, pool, places, pool.refuse(record, "id", request_id=None))
        path = f"{R}/asks/area.r"
        # Without the request's id the verdict belongs to what was stated under it.
        assert (await served.get(path, after=str(places[0])))["verdict"] == "refused"
        holds(served, "s-1", "e-2")
        assert (await served.get(path, after=str(places[0])))["cause"] == "id"
        holds(served, "s-1", "e-1")
        await served.get(path, 403)
        await served.get(R, 404)


async def test_an_ask_that_is_not_read_yet_is_not_said_to_be_unknown(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        await taken(served, pool, submitted("area.r"))
        path = f"{R}/asks/area.next"
        coming = f"yizhan.requests:{served.last[0].partition}:1000000"
        await served.get(path, 504, after=coming, wait=0.05)
        await served.get(path, 404, wait=0.05)


async def test_an_answer_to_an_offer_is_an_ask_about_its_request(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        await taken(served, pool, submitted("area.r"))
        await served.publish(pool.offer("area.r", "area.li"), pool.move("area.r", "offered"))
        answer = ask(
            "offer.declined", "area.no", assignment_id="area.r-1", resource="area.li",
            actor_role="expert", reason="ill",
        )  # fmt: skip
        places = await asks(served, answer)
        pending = await served.get(f"{R}/asks/area.no", after=str(places[0]), wait=0.05)
        assert pending["verdict"] == "pending"
        entry = (await served.get(R))["timeline"][-1]
        assert (entry["type"], entry["assignment"], entry["note"], entry["request_id"]) == (
            "offer.declined", "area.r-1", "ill", "area.r",
        )  # fmt: skip
        await judged(
            served, pool, places, pool.settle("area.r-1", "declined"),
            pool.move("area.r", "matching", "", answer),
        )  # fmt: skip
        holds(served, "area", "area.li")  # who has declined sees what became of it, no more
        told = await served.get(f"{R}/asks/area.no", after=str(places[0]))
        assert (told["verdict"], told["state"]) == ("moved", "matching")
        await served.get(R, 403)


async def test_a_request_says_why_nobody_serves_while_nobody_does(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        await taken(served, pool, submitted("area.r"))
        after = await served.publish(
            pool.nobody("area.r", "no_specialty", "conflict"),
            pool.move("area.r", "unmatched", "nobody", reasons=["no_specialty", "conflict"]),
        )
        found = await served.get(R, after=after)
        assert found["unmatched"] == {
            "reasons": ["no_specialty", "conflict"],
            "passed": [{"id": "area.x", "reason": "no_specialty"}],
            "relaxation": [{"field": "need_by", "to": "null", "resource": None}],
            "would_fit": ["area.x"],
        }
        after = await served.publish(pool.move("area.r", "matching", "supply", reasons=[]))
        assert (await served.get(R, after=after))["unmatched"] is None


async def test_what_happened_at_other_pools_is_in_the_timeline_of_home(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool, city = Pool(), Pool("city")
        await taken(served, pool, submitted("area.r"))
        await served.publish(
            pool.escalate("area.r", "city"),
            pool.move("area.r", "escalated", "delay", child="area.r.1", level=1, escalations=1),
        )
        home = {"pool": "area", "request_id": "area.r"}
        after = await served.publish(
            city.move("area.r.1", "matching", "referral", kind="referral", home=home, level=1)
        )
        await served.get("/v1/requests/area.r.1", after=after)
        after = await served.publish(
            city.offer("area.r.1", "city.lab"),
            city.move("area.r.1", "offered", "matched", assignment="city.r.1-1"),
            city.settle("city.r.1-1", "committed"),
            city.move("area.r.1", "committed", "offer.accepted", performers=["city.lab"]),
        )
        await served.get("/v1/requests/area.r.1", after=after)
        after = await served.publish(
            pool.move(
                "area.r", "committed", "referred", assignment="city.r.1-1",
                performers=["city.lab"],
            )
        )  # fmt: skip
        found = await served.get(R, after=after)
        assert (found["child"], found["level"], found["escalations"]) == ("area.r.1", 1, 1)
        assert found["performers"] == [{"id": "city.lab", "kind": "lab", "label": "City lab"}]
        assert (found["offer"]["assignment"], found["offer"]["request_id"]) == (
            "city.r.1-1", "area.r.1",
        )  # fmt: skip
        assert {e["request_id"] for e in found["timeline"]} == {"area.r", "area.r.1"}
        assert {
            ("request.escalated", "area.r"), ("match.committed", "area.r.1"),
            ("request.moved", "area.r.1"),
        } <= {(e["type"], e["request_id"]) for e in found["timeline"]}  # fmt: skip
        child = await served.get("/v1/requests/area.r.1")
        assert child["kind"] == "referral"
        assert child["legal"]["staff"] == []
        listed = await served.get("/v1/requests")
        assert [row["id"] for row in listed["requests"]] == ["area.r"]


async def test_a_request_is_late_when_its_time_is_over_but_not_while_it_is_blocked(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as served:
        pool = Pool(now=lambda: served.clock.now)
        await taken(served, pool, submitted("area.r"))
        due = (NOW + timedelta(hours=1)).isoformat()

        async def late(state: str, **more: Any) -> bool:
            after = await served.publish(pool.move("area.r", state, **more))
            found = await served.get(R, after=after)
            rows = (await served.get("/v1/requests", late=found["late"]))["requests"]
            assert [row["id"] for row in rows] == ["area.r"]
            return bool(found["late"])

        assert not await late("in_service", due_at=due)
        served.clock.pass_(minutes=30)
        assert not await late("blocked", blocked_reason="sample_in_transit")
        served.clock.pass_(hours=5)
        assert not (await served.get(R))["late"]
        moved_on = (datetime.fromisoformat(due) + timedelta(hours=5)).isoformat()
        assert not await late("in_service", due_at=moved_on, blocked_seconds=18_000)
        served.clock.pass_(minutes=31)
        assert (await served.get(R))["late"]
        assert await late("blocked", blocked_reason="sample_in_transit")
        assert not await late("resulted", served_at="2026-03-02T09:00:00+08:00")


@pytest.mark.parametrize("state", ["matching", "blocked"])
async def test_a_request_is_late_past_need_by_whatever_stands_still(
    tmp_path: Path, state: str
) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        by = (NOW + timedelta(hours=1)).isoformat()
        await taken(served, pool, submitted("area.r", need_by=by))
        after = await served.publish(pool.move("area.r", state))
        assert not (await served.get(R, after=after))["late"]
        served.clock.pass_(hours=1, seconds=1)
        assert (await served.get(R))["late"]


async def test_what_was_read_is_known_again_after_a_restart(tmp_path: Path) -> None:
    record = submitted("area.r")
    async with office(tmp_path) as served:
        pool = Pool()
        place = await taken(served, pool, record)
        before = await served.get(R)
    async with serving(tmp_path) as served:
        holds(served)
        after = await served.get(R, after=str(place), wait=0.5)  # decided is known, too
        assert after | {"version": 0} == before | {"version": 0}
        moved = await served.publish(pool.move("area.r", "accepted"))
        assert len((await served.get(R, after=moved))["timeline"]) == 2


async def test_what_cannot_be_used_is_passed_over(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool = Pool()
        place = await taken(served, pool, submitted("area.r"))
        bad = Record(ASSIGNMENTS, place.partition, b"x", b"garbage")
        worse = Record(REQUESTS, place.partition, b"x", None)
        positions = {"yizhan.requests:x": 7, "yizhan.requests": 7}
        mark = {"partition": place.partition, "positions": positions, "now": NOW.isoformat()}
        odd = said("pool.advanced", "advanced", mark)
        await served.publish(bad, worse, odd)
        after = await served.publish(pool.move("area.r", "accepted"))
        assert (await served.get(R, after=after))["state"] == "accepted"


async def test_resources_in_the_registry_are_no_enterprises(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        after = await served.publish(node("s-3"))
        whole = await served.get("/v1/counters", node="s-3", after=after)
        assert whole["measures"]["nodes"]["value"] == 1


async def test_without_a_key_there_are_no_requests(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        del served.http.headers["Authorization"]
        for path in (R, f"{R}/asks/area.a", "/v1/requests", "/v1/offers?resource=area.li"):
            assert (await served.http.get(path)).status_code == 401
        await _unauthorized(served, "/v1/enterprises/e-1/requests", "/v1/offers/area.r-1")


async def _unauthorized(served: Served, *paths: str) -> None:
    for path in paths:
        assert (await served.http.get(path)).status_code == 401
