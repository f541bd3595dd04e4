"""What anybody may see, and what takes a key: slices that could point to few enterprises."""

from pathlib import Path
from typing import Any

import pytest

from bus.keys import Role
from schemas.measures import key
from schemas.topics import RESULTS
from services.screens.patch import merge
from tests.screens.decided import Pool, submitted
from tests.screens.events import listening
from tests.screens.made import NOW, TODAY, Served, fact, mark, node, row, serving, stated
from tests.screens.office import office, taken

FOUND = key("problems_found", product="socks")
BENEFIT = key("benefit", basis="measured", kind="direct", state="claimed")
EARLIER = NOW.replace(hour=23).isoformat()


async def fill(served: Served) -> None:
    found = stated("s-1") | {"product": "socks"}
    after = await served.publish(
        node("hub", None, kind="hub"), node("area", kind="area"), node("s-1", "area"), node("s-2"),
        row("s-1", TODAY, 1, {"problems_found": 1, FOUND: 1, BENEFIT: 5_000_000}), mark(1),
        fact("problem.found", "s-1.p", found),
    )  # fmt: skip
    await served.get("/v1/counters", after=f"{RESULTS.name}:0:0")
    assert after.startswith(RESULTS.name)


def shows(measures: dict[str, Any]) -> bool:
    assert measures["problems_found"]["value"] == 1
    return bool(measures["problems_found"].get("by"))


def carry(served: Served, scope: str | None, subject: str | None = None) -> None:
    served.http.headers.pop("Authorization", None)
    if scope is not None:
        token = served.keys.issue(scope, Role.READER, subject=subject)
        served.http.headers["Authorization"] = f"Bearer {token}"


@pytest.mark.parametrize(
    ("scope", "subject", "whole"),
    [
        (None, None, False), ("s-2", None, False), ("area", None, True), ("hub", None, True),
        ("hub", "e-1", False),
    ],
)  # fmt: skip
async def test_slices_by_product_take_a_key_that_covers_the_node(
    tmp_path: Path,
    scope: str | None,
    subject: str | None,
    whole: bool,  # noqa: FBT001
) -> None:
    async with serving(tmp_path, port=True) as served:
        await fill(served)
        async with listening(served, "area") as others:  # whoever follows without a key
            assert not shows((await others.next())[2]["all"])
            carry(served, scope, subject)
            now = (await served.get("/v1/counters", node="area"))["measures"]
            assert shows(now) is whole
            assert now["benefit"]["slices"] == [
                {"basis": "measured", "kind": "direct", "state": "claimed", "value": 5}
            ]
            then = (await served.get("/v1/counters", node="area", as_of=EARLIER))["measures"]
            assert shows(then) is whole
            async with listening(served, "area") as events:
                _, _, document = await events.next()
                assert (shows(document["all"]), shows(document["today"])) == (whole, whole)
            await served.publish(row("s-1", TODAY, 2, {"problems_found": 1, FOUND: 4}), mark(2))
            _, _, patch = await others.next()
            assert "socks" not in str(patch)


async def test_a_key_that_is_not_valid_is_said_to_be_so(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await fill(served)
        served.http.headers["Authorization"] = "Bearer yz_0_0"
        await served.get("/v1/counters", 401)
        await served.get("/v1/live", 401)
        served.http.headers["Authorization"] = "Basic d2FsbDp3YWxs"
        await served.get("/v1/counters")


async def test_a_funnel_says_nothing_of_enterprises_persons_or_what_was_written(
    tmp_path: Path,
) -> None:
    async with office(tmp_path, port=True) as served:
        pool = Pool()
        await taken(served, pool, *(submitted(f"area.r{n}") for n in range(3)))
        await taken(served, pool, submitted("area.q", "e-2", "s-2"))
        await served.publish(
            pool.offer("area.r0", "area.li", reason="Li is ill"),
            pool.move("area.r0", "offered", note="Ask Wang"),
            pool.nobody("area.r1", "conflict"),
            pool.move("area.r1", "unmatched", reasons=["conflict"]),
            pool.move("area.r2", "blocked", blocked_reason="secret_ltd_did_not_pay"),
        )
        secrets = (
            "e-1", "e-2", "Secret", "secret", "Other Ltd", "area.li", "area.r", "Li of", "Li is",
            "Wang", "s-1.", "recipe",
        )  # fmt: skip
        for scope in (None, "hub"):
            carry(served, scope)
            async with listening(served, "area") as events:
                _, _, document = await events.next()
                while "other" not in str(document["requests"]["stuck"]):
                    document = merge(document, (await events.next())[2])
                reasons = {row["reason"]: row["count"] for row in document["requests"]["stuck"]}
                assert reasons == {"conflict": 1, "other": 1}
                for secret in secrets:
                    assert secret not in str(document)
