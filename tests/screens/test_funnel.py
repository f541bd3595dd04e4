"""The funnel of a wall: what its numbers are after a sequence of moves, and that they go out."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from schemas.lifecycle import ENDED
from services.screens.patch import merge
from services.screens.requests.funnel import Funnel
from services.screens.requests.stand import STATES, Made, Stand
from tests.screens.decided import Pool, submitted
from tests.screens.events import Events, listening
from tests.screens.made import NOW, TODAY, Served, node, serving
from tests.screens.office import office, taken

MINUTE = 60_000
START = int(NOW.timestamp() * 1000)


def counts(requests: dict[str, Any]) -> dict[str, int]:
    return {row["state"]: row["count"] for row in requests["funnel"] if row["count"]}


async def until_live(events: Events, document: dict[str, Any], wanted: dict[str, Any]) -> Any:
    """Follow a wall until its requests are like this; return the document."""
    while {key: document["requests"].get(key) for key in wanted} != wanted:
        _, _, patch = await events.next()
        document = merge(document, patch)
    return document


async def begin(served: Served, pool: Pool) -> None:
    await taken(served, pool, *(submitted(f"area.r{n}") for n in range(3)))
    await taken(served, pool, submitted("area.q", "e-2", "s-2"))


async def test_a_wall_counts_the_requests_of_its_node_and_below_as_they_move(
    tmp_path: Path,
) -> None:
    async with office(tmp_path, port=True) as served:
        pool = Pool(now=lambda: served.clock.now)
        await begin(served, pool)
        async with listening(served, "s-1") as events:
            _, _, document = await events.next()
            document = await until_live(events, document, {"open": 3})
            assert [row["state"] for row in document["requests"]["funnel"]] == list(STATES)
            assert counts(document["requests"]) == {"submitted": 3}
            served.clock.pass_(minutes=20)
            answered: dict[str, Any] = {"first_response_at": served.clock.now.isoformat()}
            await served.publish(
                pool.move("area.r0", "accepted", **answered),
                pool.move("area.r0", "matching"),
                pool.offer("area.r0", "area.li"),
                pool.move("area.r0", "offered", assignment="area.r0-1"),
                pool.move("area.r1", "accepted", **answered),
                pool.move("area.r1", "unmatched", reasons=["no_specialty", "conflict"]),
                pool.move("area.r2", "in_service"),
                pool.move("area.r2", "blocked", blocked_reason="licence_pending"),
                pool.move("area.q", "unmatched", reasons=["conflict"]),
            )
            document = await until_live(events, document, {"first_response_minutes": 20})
            requests = document["requests"]
            assert counts(requests) == {"unmatched": 1, "offered": 1, "blocked": 1}
            assert (requests["waiting"], requests["late"]) == (2, 0)
            assert {row["reason"]: row["count"] for row in requests["stuck"]} == {
                "no_specialty": 1, "conflict": 1, "licence_pending": 1,
            }  # fmt: skip
            assert {row["oldest"] for row in requests["stuck"]} == {"2026-11-21T10:50:00+08:00"}
            assert requests["offers"] == {
                "offered": 1, "committed": 0, "declined": 0, "expired": 0, "released": 0,
            }  # fmt: skip
        async with listening(served, "hub") as events:
            _, _, document = await events.next()
            assert counts(document["requests"])["unmatched"] == 2
            assert document["requests"]["stuck"][0]["reason"] == "conflict"
            await served.publish(
                pool.settle("area.r0-1", "expired"),
                pool.move("area.r0", "matching", assignment=None),
                pool.move("area.r1", "closed", reasons=[], outcome="unmet"),
                pool.move("area.q", "escalated", escalations=1, reasons=["conflict"]),
            )
            document = await until_live(events, document, {"unmet": 1, "escalated": 1})
            requests = document["requests"]
            assert counts(requests) == {"matching": 1, "closed": 1, "escalated": 1, "blocked": 1}
            assert (requests["open"], requests["offers"]["expired"]) == (3, 1)


async def test_a_request_that_becomes_late_by_time_alone_is_sent_out(tmp_path: Path) -> None:
    async with office(tmp_path, port=True) as served:
        pool = Pool()
        await begin(served, pool)
        due = (NOW + timedelta(minutes=5)).isoformat()
        async with listening(served, "s-1") as events:
            _, _, document = await events.next()
            await served.publish(
                pool.move("area.r0", "accepted", due_at=due),
                pool.move("area.r1", "accepted", due_at=due),
                pool.move("area.r2", "closed", outcome="unmet"),
            )
            document = await until_live(events, document, {"unmet": 1, "late": 0})
            served.clock.pass_(minutes=6)  # nothing is published any more
            document = await until_live(events, document, {"late": 2})
            await served.publish(
                pool.move("area.r0", "resulted", served_at="2026-03-02T09:00:00+08:00")
            )
            await until_live(events, document, {"late": 1})


async def test_a_referral_counts_at_home_and_nowhere_else(tmp_path: Path) -> None:
    async with office(tmp_path, port=True) as served:
        pool, city = Pool(), Pool("city")
        await begin(served, pool)
        home = {"pool": "area", "request_id": "area.r0"}
        after = await served.publish(
            city.move("area.r0.1", "matching", "referral", kind="referral", home=home)
        )
        await served.get("/v1/requests/area.r0.1", after=after)
        async with listening(served, "city") as events:
            _, _, document = await events.next()
            document = await until_live(events, document, {"open": 4})
            assert counts(document["requests"]) == {"submitted": 4}


async def test_a_funnel_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async with office(tmp_path, port=True) as served:
        pool = Pool()
        await begin(served, pool)
        due = (NOW - timedelta(minutes=5)).isoformat()
        await served.publish(
            pool.offer("area.r0", "area.li"),
            pool.move("area.r0", "offered", due_at=due, first_response_at=NOW.isoformat()),
            pool.move("area.r1", "closed", outcome="unmet", escalations=2),
            pool.move("area.r2", "unmatched", reasons=["ineligible"]),
        )
        async with listening(served) as events:
            _, _, document = await events.next()
            wanted = {"late": 1, "unmet": 1, "open": 3}
            before = (await until_live(events, document, wanted))["requests"]
    async with serving(tmp_path, port=True) as served, listening(served) as events:
        _, _, document = await events.next()
        after = await until_live(events, document, before)
        assert counts(after["requests"]) == counts(before)


def stand(request: int, state: str, **more: Any) -> Stand:
    plain = Stand(f"area.{request}", "s-1", state, None, 0, START, START, None, None, "")
    return plain._replace(**more)


def test_a_funnel_counts_what_stands_whatever_the_way_to_it() -> None:
    dice, told = Random(7), Counter[str]()
    funnel, standing = Funnel(told.update), dict[int, Stand]()
    funnel.begin(TODAY)
    for step in range(2000):
        request, now = dice.randrange(30), START + step * MINUTE
        after = stand(
            request,
            dice.choice(STATES),
            node=dice.choice(["s-1", "s-2"]),
            outcome=dice.choice([None, "unmet"]),
            escalations=dice.randrange(2),
            responded=dice.choice([None, START + dice.randrange(60) * MINUTE]),
            late_at=dice.choice([None, now + dice.randrange(-5, 40) * MINUTE]),
            stuck=dice.choice(["", "conflict", "no_specialty,conflict", "their_name"]),
        )
        funnel.change(standing.get(request), after)
        standing[request] = after
        funnel.ripen(now)
        for nodes in (["s-1"], ["s-2", "s-1", "s-3"]):
            there = [s for s in standing.values() if s.node in nodes]
            found = funnel.document(nodes, TODAY)
            assert counts(found) == Counter(s.state for s in there)
            assert found["open"] == sum(s.state not in ENDED for s in there)
            assert found["unmet"] == sum(s.outcome == "unmet" for s in there)
            assert found["escalated"] == sum(s.escalations for s in there)
            assert found["late"] == sum(s.late_at is not None and s.late_at < now for s in there)
            reasons = {row["reason"]: row["count"] for row in found["stuck"]}
            assert reasons.get("conflict", 0) == sum("conflict" in s.stuck for s in there)
            assert reasons.get("other", 0) == sum("name" in s.stuck for s in there)
            took = sorted(s.answered[1] for s in there if s.answered)
            median = found["first_response_minutes"]
            assert (median is None) == (not took)
            assert not took or took[0] <= median <= took[-1]
    assert told.keys() == {"s-1", "s-2"}


def test_what_counts_on_a_day_is_let_go_with_it() -> None:
    funnel = Funnel(lambda _: None)
    funnel.begin("2026-11-20")
    yesterday = Made("s-1", "2026-11-20", "offered")
    funnel.offer(None, yesterday)
    funnel.offer(None, Made("s-1", TODAY, "offered"))
    assert funnel.document(["s-1"], "2026-11-20")["offers"]["offered"] == 1
    funnel.begin(TODAY)
    funnel.offer(yesterday, yesterday._replace(outcome="expired"))
    assert sum(funnel.document(["s-1"], "2026-11-20")["offers"].values()) == 0
    assert funnel.document(["s-1"], TODAY)["offers"]["offered"] == 1


async def test_a_request_counts_where_its_station_lies_today(tmp_path: Path) -> None:
    async with office(tmp_path, port=True) as served:
        pool = Pool()
        await begin(served, pool)
        async with listening(served, "s-2") as events:
            _, _, document = await events.next()
            document = await until_live(events, document, {"open": 1})
            await served.publish(node("s-1", "s-2", 2))
            await until_live(events, document, {"open": 4})
