"""A key writes below its scope, by its role, and nowhere else."""

import pytest

from bus.keys import Role
from tests.intake.station import Station, node, service

FACT = "/v1/facts/service.delivered/yinhu.a"


@pytest.mark.parametrize("token", ["", "wrong", "yz_aaaaaaaaaaaa_bbbb"])
async def test_without_a_valid_key_nothing_opens(station: Station, token: str) -> None:
    station.token = token
    for method, path in (
        ("POST", "/v1/services"), ("PUT", FACT), ("DELETE", FACT), ("POST", "/v1/events"),
        ("POST", "/v1/heartbeats"), ("PUT", "/v1/registry/nodes/new"),
        ("GET", "/v1/registry/nodes/yinhu"),
    ):  # fmt: skip
        answer = await station.send(method, path, b"{}")
        assert (answer.status_code, answer.json()["status"]) == (401, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert await station.events() == []


async def test_a_revoked_key_ends_at_once(station: Station) -> None:
    held = station.holding("yinhu")
    assert (await held.post("/v1/services", service(id="yinhu.a"))).status_code == 202
    station.keys.revoke(held.token.split("_")[1])
    assert (await held.post("/v1/services", service(id="yinhu.b"))).status_code == 401


async def test_a_reader_cannot_write(station: Station) -> None:
    reader = station.holding("hub", Role.READER)
    assert (await reader.post("/v1/services", service(id="yinhu.a"))).status_code == 403
    assert (await reader.post("/v1/events", b"[]")).status_code == 403
    assert (await reader.send("GET", "/v1/registry/nodes/yinhu")).status_code == 200


@pytest.mark.parametrize(
    ("scope", "subject", "place", "status"),
    [
        ("hub", "yinhu.a", "yinhu", 202),
        ("county", "yinhu.a", "yinhu", 202),
        ("yinhu", "yinhu.a", "yinhu", 202),
        ("chengbei", "yinhu.a", "yinhu", 403),
        ("yinhu", "yinhu.a", "county", 403),
        ("yinhu", "yinhu.a", "chengbei", 403),
        ("chengbei", "yinhu.a", "chengbei", 403),
        ("county", "yinhu.a", "chengbei", 202),
        ("nowhere", "yinhu.a", "yinhu", 403),
    ],
)
async def test_the_scope_must_cover_the_origin_and_the_node(
    station: Station, scope: str, subject: str, place: str, status: int
) -> None:
    held = station.holding(scope)
    body = service(node_id=place)
    answers = [
        await held.post("/v1/services", {**body, "id": subject}),
        await held.put(f"/v1/facts/service.delivered/{subject}", body, if_match="1"),
        await held.send(
            "DELETE", f"/v1/facts/service.delivered/{subject}",
            {"reason": "x", "node_id": place}, if_match="2",
        ),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [status] * 3
    assert len(await station.events()) == (3 if status == 202 else 0)


async def move(station: Station) -> None:
    """Let yinhu lie below county until 2021, and below other from 2022 on."""
    assert (await station.put("/v1/registry/nodes/other", node("other", "hub"))).is_success
    moved = node("yinhu", None, parents=[
        {"parent": "county", "from": "2020-01-01"}, {"parent": "other", "from": "2022-01-01"},
    ])  # fmt: skip
    assert (await station.put("/v1/registry/nodes/yinhu", moved, if_match="1")).is_success


@pytest.mark.parametrize(
    ("scope", "before", "after"),
    [("county", 403, 403), ("other", 403, 202), ("yinhu", 202, 202), ("hub", 202, 202)],
)
async def test_a_scope_must_cover_on_the_day_of_the_fact_and_today(
    station: Station, scope: str, before: int, after: int
) -> None:
    await move(station)
    held = station.holding(scope)
    for at, status in (("2021-05-06T09:30:00+08:00", before), (service()["occurred_at"], after)):
        fact = service(occurred_at=at)
        void = {"reason": "x", "occurred_at": at}
        answers = [
            await held.post("/v1/services", {**fact, "id": "yinhu.a"}),
            await held.put(FACT, fact, if_match="1"),
            await held.send("DELETE", FACT, void, if_match="2"),
        ]
        assert [answer.status_code for answer in answers] == [status] * 3


async def test_a_former_parent_cannot_take_a_node_back_by_a_date_in_the_past(
    station: Station,
) -> None:
    await move(station)
    taken = node("yinhu", "county", occurred_at="2021-05-06T09:30:00+08:00")
    for scope, status in (("county", 403), ("other", 403), ("hub", 202)):
        held = station.holding(scope, Role.ADMIN)
        answer = await held.put("/v1/registry/nodes/yinhu", taken, if_match="2")
        assert answer.status_code == status


async def test_a_heartbeat_is_of_a_node_below_the_scope(station: Station) -> None:
    beat = {"node_id": "yinhu", "complete_to": "2023-05-06T09:30:00+08:00", "waiting": 0}
    assert (await station.holding("yinhu").post("/v1/heartbeats", beat)).status_code == 202
    assert (await station.holding("chengbei").post("/v1/heartbeats", beat)).status_code == 403


@pytest.mark.parametrize(
    ("scope", "role", "parent", "status"),
    [
        ("county", Role.ADMIN, "county", 202),
        ("county", Role.ADMIN, "yinhu", 202),
        ("county", Role.ADMIN, "hub", 403),
        ("yinhu", Role.ADMIN, "county", 403),
        ("hub", Role.WRITER, "county", 403),
    ],
)
async def test_a_node_is_registered_by_an_admin_above_its_parent(
    station: Station, scope: str, role: Role, parent: str, status: int
) -> None:
    held = station.holding(scope, role)
    answer = await held.put("/v1/registry/nodes/new", node("new", parent))
    assert answer.status_code == status, answer.text


async def test_moving_a_node_takes_a_key_above_where_it_was(station: Station) -> None:
    await station.put("/v1/registry/nodes/other", node("other", "hub"))
    taken = node("yinhu", "other", revision=2)
    held = station.holding("other", Role.ADMIN)
    assert (await held.put("/v1/registry/nodes/yinhu", taken)).status_code == 403


async def test_the_root_is_written_with_a_key_to_everything(station: Station) -> None:
    root = node("hub", None, kind="hub")
    held = station.holding("county", Role.ADMIN)
    assert (await held.put("/v1/registry/nodes/hub", root)).status_code == 403
    assert (await station.put("/v1/registry/nodes/hub", root)).status_code == 202


async def test_an_enterprise_belongs_to_who_registered_it(station: Station) -> None:
    firm = {k: service()[k] for k in ("node_id", "occurred_at", "actor_role", "actor_ref")}
    path = "/v1/registry/enterprises/ent-1"
    assert (await station.holding("yinhu").put(path, firm)).status_code == 202
    taken = {**firm, "node_id": "chengbei"}
    answer = await station.holding("chengbei").put(path, taken, if_match="1")
    assert answer.status_code == 403
    assert (await station.holding("county").put(path, taken, if_match="1")).status_code == 202
    assert (await station.holding("yinhu").send("GET", path)).status_code == 403
