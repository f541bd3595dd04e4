"""Who sees which request: keys that reach its node, and keys that speak for who has to do with it.

Also with a scope of everything a key that speaks for somebody sees what concerns them only.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.screens.decided import Pool, submitted
from tests.screens.made import Served, node
from tests.screens.office import holds, office, taken

R, LIST, OFFER = "/v1/requests/area.r", "/v1/requests", "/v1/offers/area.r-1"
VERDICT, PAGE = f"{R}/asks/area.r", "/v1/enterprises/e-1/requests"


async def fill(served: Served, **demand: Any) -> Pool:
    """One request of e-1 at s-1, offered to area.li and city.lab; the parent's is of e-2."""
    pool = Pool()
    await taken(served, pool, submitted("area.p", "e-2", "s-2"))
    await taken(served, pool, submitted("area.r", "e-1", "s-1", **demand))
    after = await served.publish(
        pool.offer("area.r", "area.li", "city.lab"),
        pool.move("area.r", "offered", assignment="area.r-1"),
    )
    await served.get(R, after=after)
    return pool


async def sees(served: Served, *paths: str) -> list[int]:
    return [(await served.http.get(path)).status_code for path in paths]


async def listed(served: Served) -> list[str]:
    return [row["id"] for row in (await served.get(LIST))["requests"]]


@pytest.mark.parametrize(
    ("key", "found", "rows"),
    [
        (("hub", None), (200, 200, 200), ["area.r", "area.p"]),
        (("area", None), (200, 200, 200), ["area.r", "area.p"]),
        (("s-1", None), (200, 200, 200), ["area.r"]),
        (("s-2", None), (403, 403, 403), ["area.p"]),
        (("hub", "e-1"), (200, 200, 200), ["area.r"]),
        (("s-2", "e-1"), (200, 200, 200), ["area.r"]),
        (("hub", "e-2"), (403, 403, 403), ["area.p"]),
        (("s-2", "area.li"), (200, 200, 403), ["area.r"]),
        (("hub", "city.lab"), (200, 200, 403), ["area.r"]),
        (("hub", "area.x"), (403, 403, 403), []),
    ],
)
async def test_a_request_is_seen_from_its_node_upwards_and_by_who_has_to_do_with_it(
    tmp_path: Path, key: tuple[str, str | None], found: tuple[int, int, int], rows: list[str]
) -> None:
    async with office(tmp_path) as served:
        await fill(served)
        holds(served, *key)
        one, offer, page = found
        assert await sees(served, R, VERDICT, OFFER, PAGE) == [one, one, offer, page]
        assert await listed(served) == rows


@pytest.mark.parametrize(
    ("key", "found", "rows"),
    [
        (("s-1", None), (200, 200), ["area.r"]),
        (("s-2", None), (403, 403), ["area.p"]),
        (("hub", "e-1"), (200, 200), ["area.r"]),
        (("hub", "e-2"), (200, 403), ["area.r", "area.p"]),
        (("hub", "area.li"), (403, 200), []),
    ],
)
async def test_a_private_demand_is_seen_by_both_enterprises_and_not_by_who_serves(
    tmp_path: Path, key: tuple[str, str | None], found: tuple[int, int], rows: list[str]
) -> None:
    """Whom it was offered to sees the offer, and the verdict on an answer to it."""
    async with office(tmp_path) as served:
        await fill(served, private=True, parent_id="area.p")
        holds(served, *key)
        assert await sees(served, R, OFFER) == list(found)
        assert await listed(served) == rows


async def test_who_is_asked_no_more_sees_the_request_no_more(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        pool = await fill(served)
        after = await served.publish(
            pool.settle("area.r-1", "expired"), pool.move("area.r", "matching", assignment=None)
        )
        await served.get(R, after=after)
        holds(served, "hub", "area.li")
        assert await sees(served, R, OFFER) == [403, 200]
        assert await listed(served) == []


async def test_offers_are_listed_to_whom_they_are_made_and_from_their_node_upwards(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as served:
        await fill(served)

        async def offers(scope: str, subject: str | None = None) -> Any:
            holds(served, scope, subject)
            answer = await served.http.get("/v1/offers", params={"resource": "area.li"})
            return answer.status_code, len(answer.json().get("offers", []))

        assert await offers("hub") == (200, 1)
        assert await offers("s-1") == (200, 1)
        assert await offers("s-2") == (200, 0)
        assert await offers("s-2", "area.li") == (200, 1)
        assert await offers("hub", "city.lab") == (403, 0)
        assert await offers("hub", "e-1") == (403, 0)


@pytest.mark.parametrize("who", [None, "e-1", "area.li"])
async def test_who_else_might_have_served_and_why_not_is_told_to_no_key_that_speaks_for_somebody(
    tmp_path: Path, who: str | None
) -> None:
    async with office(tmp_path) as served:
        pool = await fill(served)
        holds(served, "hub", who)
        told = [await served.get(OFFER), (await served.get(R))["offer"]]
        if who == "area.li":
            told += (await served.get("/v1/offers"))["offers"]
        found = [bool(offer[name]) for offer in told for name in ("passed", "alternatives")]
        assert set(found) == {who is None}
        records = pool.nobody("area.r", "conflict"), pool.move("area.r", "unmatched")
        after = await served.publish(*records)
        unmatched = (await served.get(R, after=after))["unmatched"]
        assert unmatched["reasons"] == ["conflict"]
        assert {bool(unmatched[name]) for name in ("passed", "would_fit")} == {who is None}


async def test_a_key_that_reaches_one_station_cannot_list_another(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        await fill(served)
        holds(served, "s-2")
        await served.get(LIST, 403, node="s-1")
        await served.get(LIST, 403, node="hub")


async def test_what_counts_is_where_a_node_lies_today(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        await fill(served)
        parents = [
            {"parent": "area", "from": "2020-01-01"},
            {"parent": "s-2", "from": "2026-11-22"},
        ]
        moved = node("s-1", None, 2, parents=parents)
        await served.get("/v1/counters", after=await served.publish(moved))
        holds(served, "s-2")
        assert await sees(served, R) == [403]
        served.clock.pass_(days=1)
        assert await sees(served, R) == [200]
        assert await listed(served) == ["area.r", "area.p"]
