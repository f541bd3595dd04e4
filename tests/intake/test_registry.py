"""Documents of the registry: revisions, what changed, circles, and reading them back."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from schemas.fields import Day
from schemas.topics import REGISTRY
from schemas.types import TYPES
from services.intake.rules import DAYS
from tests.intake.station import ACTOR, Station, node, rules, service

FIRM = {"node_id": "yinhu", "occurred_at": "2023-05-06T09:30:00+08:00", **ACTOR}
NODE, ENTERPRISE = "/v1/registry/nodes/yinhu", "/v1/registry/enterprises/ent-1"


async def test_a_new_document_is_the_first_revision_and_if_match_makes_the_next(
    station: Station,
) -> None:
    first = await station.put(ENTERPRISE, FIRM)
    second = await station.put(ENTERPRISE, FIRM, if_match="1")
    assert [a.json()["revision"] for a in (first, second)] == [1, 2]
    assert first.headers["location"].startswith(f"{ENTERPRISE}?after=yizhan.registry:0:")


async def test_a_document_that_is_there_is_not_overwritten_unseen(station: Station) -> None:
    answer = await station.put(NODE, node("yinhu", "county"))
    assert (answer.status_code, answer.json()["rule"]) == (428, "if_match")
    assert (await station.put(NODE, node("yinhu", "county", revision=2))).status_code == 202
    both = await station.put(NODE, node("yinhu", "county", revision=2), if_match="2")
    assert rules(both) == {("revision", "if_match")}


async def test_what_was_put_can_be_read_back_at_once(station: Station) -> None:
    await station.put(ENTERPRISE, {**FIRM, "name": "龙头企业"})
    answer = await station.send("GET", ENTERPRISE)
    assert answer.json() == {
        "id": "ent-1", "revision": 1, "data": {**FIRM, "revision": 1, "name": "龙头企业"},
    }  # fmt: skip
    assert (await station.send("GET", "/v1/registry/nodes/nowhere")).status_code == 404


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"flags": [{"flag": "online"}]}, "node.flags_changed"),
        ({"parent": "hub"}, "node.moved"),
        ({"parents": [{"parent": "hub", "from": "2023-01-01"}]}, "node.moved"),
        ({"closed": "2023-05-01"}, "node.closed"),
    ],
)
async def test_the_type_of_a_node_says_what_changed_and_a_retry_says_the_same(
    station: Station, change: dict[str, Any], kind: str
) -> None:
    before = len(await station.nodes())
    for _ in range(2):
        answer = await station.put(NODE, node("yinhu", "county") | change, if_match="1")
        assert answer.json()["type"] == f"yizhan.{kind}", answer.text
    first, again = (await station.nodes())[before:]
    assert first.content == again.content


async def test_the_type_of_an_enterprise_says_what_changed(station: Station) -> None:
    sme = {"category": "sme", "from": "2020-01-01"}
    steps: list[dict[str, Any]] = [
        {},
        {"categories": [sme]},
        {"categories": [{**sme, "to": "2023-01-01"}]},
        {"categories": []},
        {"name": "x"},
        {"name": "x", "merged_into": "ent-2"},
        {"name": "x"},
    ]
    kinds = [
        (await station.put(ENTERPRISE, {**FIRM, **step, "revision": number})).json()["type"]
        for number, step in enumerate(steps, 1)
    ]
    assert [kind.removeprefix("yizhan.enterprise.") for kind in kinds] == [
        "registered", "category_granted", "category_ended", "category_ended", "registered",
        "merged_into", "registered",
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", [5, "x", {"category": 1}, [5], [{"category": 5}]])
async def test_a_document_of_the_wrong_shape_is_refused(station: Station, wrong: object) -> None:
    for number in ("1", "2"):
        answer = await station.put(ENTERPRISE, {**FIRM, "categories": wrong}, if_match=number)
        assert answer.status_code == 422
        await station.put(ENTERPRISE, {**FIRM, "revision": 1})


@pytest.mark.parametrize("day", ["2023-02-31", "2023-02-29", "2099-02-30", "2023-04-31"])
async def test_a_day_that_no_calendar_has_is_refused(station: Station, day: str) -> None:
    closed = node("yinhu", "county", closed=day, flags=[{"flag": "online", "from": day}])
    parents = [{"parent": "county", "from": "2020-02-29"}, {"parent": "county", "from": day}]
    categories = [{"category": "sme", "to": day}]
    for path, document, fields in (
        (NODE, closed, {"closed", "flags.0.from"}),
        (NODE, node("yinhu", None, parents=parents), {"parents.1.from"}),
        (ENTERPRISE, {**FIRM, "categories": categories}, {"categories.0.to"}),
    ):
        answer = await station.put(path, document, if_match="1")
        assert rules(answer) == {(field, "day") for field in fields}
    assert (await station.put(NODE, node("yinhu", "county", closed="2024-02-29"), if_match="1")
    ).is_success  # fmt: skip


def test_every_day_in_a_document_is_looked_at() -> None:
    form = TypeAdapter(Day).json_schema()["pattern"]

    def named(part: Any, name: str = "") -> set[str]:
        if isinstance(part, list):
            return {found for one in part for found in named(one, name)}
        if not isinstance(part, dict):
            return set()
        own = {name} if part.get("pattern") == form else set()
        return own.union(*(named(value, name if key == "anyOf" else key)
                           for key, value in part.items()))  # fmt: skip

    models = {kind.model for kind in TYPES.values() if kind.topic is REGISTRY}
    assert {one for model in models for one in named(model.model_json_schema())} == DAYS


async def test_the_document_of_a_node_is_about_the_node_in_the_path(station: Station) -> None:
    answer = await station.put(NODE, node("chengbei", "county"), if_match="1")
    assert rules(answer) == {("node_id", "subject")}
    unnamed = node("yinhu", "county")
    del unnamed["node_id"]
    assert (await station.put(NODE, unnamed, if_match="1")).status_code == 202


async def test_a_parent_nobody_registered_is_refused(station: Station) -> None:
    answer = await station.put("/v1/registry/nodes/new", node("new", "nowhere"))
    assert rules(answer) == {("parent", "unknown_node")}
    intervals = [{"parent": "county", "from": "2020-01-01"}, {"parent": "no", "from": "2021-01-01"}]
    answer = await station.put("/v1/registry/nodes/new", node("new", None, parents=intervals))
    assert rules(answer) == {("parents.1.parent", "unknown_node")}


async def test_a_node_cannot_lie_below_itself(station: Station) -> None:
    answer = await station.put("/v1/registry/nodes/county", node("county", "yinhu"), if_match="1")
    assert rules(answer) == {("parent", "cycle")}
    itself = await station.put(NODE, node("yinhu", "yinhu"), if_match="1")
    assert rules(itself) == {("parent", "cycle")}


async def test_two_nodes_may_change_places_but_not_lie_below_each_other_on_any_day(
    station: Station,
) -> None:
    def since(*parents: str) -> list[dict[str, str]]:
        return [{"parent": p, "from": f"202{i}-01-01"} for i, p in enumerate(parents)]

    swapped = node("yinhu", None, parents=since("county", "hub"))
    assert (await station.put(NODE, swapped, if_match="1")).status_code == 202
    path = "/v1/registry/nodes/county"
    below = node("county", None, parents=since("hub", "yinhu"))
    assert (await station.put(path, below, if_match="1")).status_code == 202
    early = node("county", None, parents=[*since("hub"), {"parent": "yinhu", "from": "2020-06-01"}])
    answer = await station.put(path, early, if_match="2")
    assert {rule for _, rule in rules(answer)} == {"cycle"}
    assert "2020-06-01" in answer.json()["detail"]


async def test_an_enterprise_is_not_merged_into_itself(station: Station) -> None:
    for name, into in (("ent-1", "ent-2"), ("ent-2", "ent-3")):
        answer = await station.put(
            f"/v1/registry/enterprises/{name}", {**FIRM, "merged_into": into}
        )
        assert answer.status_code == 202
    answer = await station.put("/v1/registry/enterprises/ent-3", {**FIRM, "merged_into": "ent-1"})
    assert rules(answer) == {("merged_into", "cycle")}


async def test_a_service_at_a_node_put_a_moment_ago_is_taken(station: Station) -> None:
    for i in range(20):
        await station.put(f"/v1/registry/nodes/n{i}", node(f"n{i}", "county"))
        held = station.holding(f"n{i}")
        answer = await held.post("/v1/services", service(id=f"n{i}.a", node_id=f"n{i}"))
        assert answer.status_code == 202, answer.text
