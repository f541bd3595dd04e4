"""Asks: each path makes its ask, for the pool that judges it, and a retry is a repeat."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bus import sqlite
from bus.keys import Keys
from bus.port import Bus
from schemas.codec import Event
from schemas.lifecycle import TABLE
from schemas.topics import HEARTBEATS, REGISTRY, REQUESTS, RESULTS
from schemas.types import ASKS, TYPES
from services.intake import Settings
from services.intake.asks import ANSWERS, MOVES
from tests.intake.county import (
    AT,
    EXPERT,
    NOBODY,
    OFFER,
    ORDER,
    REQUEST,
    asks,
    move,
    offer,
    settle,
    submit,
)
from tests.intake.station import BATCH, Clock, Station, event, open_station, rules

MORE: dict[str, dict[str, Any]] = {
    "return": {"reason": "材料不全"},
    "block": {"reason": "sample_in_transit"},
    "dispute": {"reason": "数据不符"},
    "evaluate": {"score": 5},
    "reopen": {"reason": "复发"},
    "accept": {"due_at": AT},
}
BY = {row.ask: min(row.by) for row in TABLE}
BY |= {name: "staff" for name in BY if any("staff" in r.by for r in TABLE if r.ask == name)}


@pytest.fixture(autouse=True)
async def county(station: Station) -> None:
    await settle(station)


async def last(station: Station) -> Event:
    """Return the ask with the youngest event."""
    return max(await asks(station), key=lambda e: e.envelope.id)


async def test_a_request_is_submitted_to_the_pool_of_its_node(station: Station) -> None:
    answer = await station.post("/v1/requests", ORDER, idempotency_key="one")
    assert answer.status_code == 202, answer.text
    (ask,) = await asks(station)
    assert (ask.kind.name, ask.data.revision) == ("yizhan.request.submitted", 1)
    assert ask.subject.startswith("county.")
    position = answer.headers["yizhan-position"]
    assert int(position.split(":")[1]) == REQUESTS.partition("county", 4)
    assert answer.headers["location"] == (
        f"/v1/requests/{ask.subject}/asks/{ask.subject}?after={position}"
    )
    assert answer.json()["unregistered"] == ["ent-1"]


@pytest.mark.parametrize(
    ("own", "wrong"),
    [("county.r-1", None), ("yinhu.r-1", "pool"), ("hub.r-1", "pool"),
     ("r-1", "string_pattern_mismatch"), ("county.r.1", "misnamed"), ("county.r.10", None),
     (f"county.{'r' * 63}", "misnamed"), (f"county.{'r' * 62}", None)],
)  # fmt: skip
async def test_an_own_id_names_the_pool_that_serves_the_node_and_is_no_referrals(
    station: Station, own: str, wrong: str | None
) -> None:
    answer = await station.post("/v1/requests", {**ORDER, "id": own})
    assert answer.status_code == (422 if wrong else 202), answer.text
    assert wrong is None or rules(answer) == {("id", wrong)}


async def test_a_request_keeps_its_id_when_its_node_gets_another_pool(station: Station) -> None:
    await submit(station)
    area = {k: v for k, v in ORDER.items() if k not in ("enterprise_id", "demand")}
    area |= {"kind": "area", "tier": "county", "name": "x", "parent": "county"}
    assert (await station.put("/v1/registry/nodes/yinhu", area, if_match="1")).is_success
    await submit(station)
    other = await station.post("/v1/requests", {**ORDER, "id": "county.r-2"})
    assert rules(other) == {("id", "pool")}


async def test_without_an_id_and_without_a_key_nothing_is_asked(station: Station) -> None:
    await submit(station)
    for path, body in (("/v1/requests", ORDER), (f"/v1/requests/{REQUEST}/accept", {})):
        answer = await station.post(path, body)
        assert (answer.status_code, answer.json()["rule"]) == (400, "idempotency_key")
    assert len(await asks(station)) == 1


async def test_free_texts_hold_no_personal_data_and_within_is_a_node(station: Station) -> None:
    demand = {**ORDER["demand"], "about": "请联系 138 1234 5678", "consent_ref": "13812345678"}
    answer = await station.post("/v1/requests", {**ORDER, "id": REQUEST, "demand": demand})
    assert rules(answer) == {
        ("demand.about", "personal_data"), ("demand.consent_ref", "personal_data"),
    }  # fmt: skip
    demand = {**ORDER["demand"], "within": "nowhere"}
    answer = await station.post("/v1/requests", {**ORDER, "id": REQUEST, "demand": demand})
    assert rules(answer) == {("demand.within", "unknown_node")}
    assert await asks(station) == []


@pytest.mark.parametrize(("verb", "name"), MOVES, ids=[m.verb for m in MOVES])
async def test_each_path_makes_its_ask_of_the_request(
    station: Station, verb: str, name: str
) -> None:
    await submit(station)
    more = MORE.get(verb, {}) | {"actor_role": BY[name]}
    answer = await station.post(f"/v1/requests/{REQUEST}/{verb}", more, idempotency_key="one")
    assert answer.status_code == 202, answer.text
    ask = await last(station)
    assert ask.kind.name == f"yizhan.{name}"
    assert (ask.data.request_id, ask.data.node_id) == (REQUEST, "yinhu")
    assert ask.subject.startswith("county.")
    assert ask.data.occurred_at == station.intake.door.clock()
    assert answer.headers["location"].startswith(f"/v1/requests/{REQUEST}/asks/{ask.subject}?")


@pytest.mark.parametrize(("verb", "name"), ANSWERS, ids=[m.verb for m in ANSWERS])
async def test_each_answer_to_an_offer_goes_to_the_pool_that_made_it(
    station: Station, verb: str, name: str
) -> None:
    await submit(station)
    await offer(station, EXPERT, id_="hub.a-9")
    body = {"actor_role": "expert", "resource": EXPERT, "id": "hub.k-1"}
    answer = await station.post(f"/v1/offers/hub.a-9/{verb}", body)
    assert answer.status_code == 202, answer.text
    ask = await last(station)
    assert (ask.kind.name, ask.subject) == (f"yizhan.{name}", "hub.k-1")
    assert (ask.data.assignment_id, ask.data.node_id) == ("hub.a-9", "hub")
    assert answer.headers["location"].startswith(f"/v1/requests/{REQUEST}/asks/hub.k-1?after=")


def test_every_ask_has_a_path() -> None:
    named = {"request.submitted", *(name for _, name in (*MOVES, *ANSWERS))}
    assert {f"yizhan.{name}" for name in named} == {kind.name for kind in ASKS}


async def test_who_asks_is_the_holder_of_the_key_as_staff_unless_said(station: Station) -> None:
    order = {k: v for k, v in ORDER.items() if not k.startswith("actor")}
    await station.post("/v1/requests", {**order, "id": REQUEST})
    await station.post(f"/v1/requests/{REQUEST}/accept", {"id": "county.k-1"})
    for ask in await asks(station):
        assert ask.data.actor_role == "staff"
        assert ask.data.actor_ref == station.token.split("_")[1]


@pytest.mark.parametrize(("verb", "name"), MOVES, ids=[m.verb for m in MOVES])
async def test_a_role_that_can_never_ask_this_is_told_who_can(
    station: Station, verb: str, name: str
) -> None:
    await submit(station)
    legal = frozenset[str]().union(*(row.by for row in TABLE if row.ask == name))
    for role in ("citizen", "staff", "enterprise", "expert", "head"):
        body = MORE.get(verb, {}) | {"actor_role": role, "id": f"county.k-{role}"}
        answer = await station.post(f"/v1/requests/{REQUEST}/{verb}", body)
        assert answer.is_success == (role in legal), answer.text
        if role not in legal:
            assert rules(answer) == {("actor_role", "role")}
            assert all(one in answer.json()["detail"] for one in legal)


async def test_a_body_may_not_contradict_its_path(station: Station) -> None:
    await submit(station)
    body = {"request_id": "county.r-2", "id": "county.k-1"}
    answer = await station.post(f"/v1/requests/{REQUEST}/accept", body)
    assert rules(answer) == {("request_id", "path")}


async def test_an_ask_has_an_id_of_its_own_in_the_pool_of_what_it_is_about(
    station: Station,
) -> None:
    await submit(station)
    await offer(station, EXPERT)
    for path in (f"/v1/requests/{REQUEST}/start", f"/v1/offers/{OFFER}/accept"):
        body = {"actor_role": "expert"}
        itself = path.split("/")[3]
        assert rules(await station.post(path, {**body, "id": itself})) == {("id", "own_id")}
        assert rules(await station.post(path, {**body, "id": "hub.k-1"})) == {("id", "pool")}


async def test_what_nobody_knows_is_not_found(station: Station) -> None:
    await submit(station)
    await offer(station, EXPERT)
    for path, rule in (
        (f"/v1/requests/{NOBODY}/accept", "unknown_request"),
        ("/v1/requests/nowhere/accept", "unknown_request"),
        (f"/v1/requests/{OFFER}/accept", "unknown_request"),
        (f"/v1/offers/{NOBODY}/accept", "unknown_assignment"),
        (f"/v1/offers/{REQUEST}/decline", "unknown_assignment"),
    ):
        answer = await station.post(path, {"actor_role": "expert"}, idempotency_key="one")
        assert (answer.status_code, answer.json()["rule"]) == (404, rule)
        assert answer.headers["content-type"] == "application/problem+json"
    assert len(await asks(station)) == 1


async def test_what_another_pool_asks_for_is_no_request_that_can_be_asked_about(
    station: Station,
) -> None:
    await move(station, "county.r-1.1", kind="referral")
    answer = await station.post("/v1/requests/county.r-1.1/accept", {"id": "county.k-1"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("scope", "status"), [("hub", 202), ("county", 202), ("yinhu", 202), ("chengbei", 403)]
)
async def test_a_key_asks_about_the_requests_of_nodes_below_its_scope(
    station: Station, scope: str, status: int
) -> None:
    await submit(station)
    held = station.holding(scope)
    body = {"id": "county.k-1"}
    assert (await held.post(f"/v1/requests/{REQUEST}/accept", body)).status_code == status
    placed = {**body, "id": "county.k-2", "node_id": "chengbei"}
    answer = await held.post(f"/v1/requests/{REQUEST}/accept", placed)
    assert answer.status_code == (202 if scope in ("hub", "county") else 403)
    order = {**ORDER, "id": "county.r-2"}
    assert (await held.post("/v1/requests", order)).status_code == status


@pytest.mark.parametrize(("scope", "status"), [("hub", 202), ("county", 202), ("yinhu", 403)])
async def test_a_key_answers_the_offers_of_pools_below_its_scope(
    station: Station, scope: str, status: int
) -> None:
    await submit(station)
    await offer(station, EXPERT)
    body = {"id": "county.k-1", "actor_role": "expert", "resource": EXPERT}
    answer = await station.holding(scope).post(f"/v1/offers/{OFFER}/accept", body)
    assert answer.status_code == status


async def test_a_retry_is_a_repeat_whenever_it_comes(station: Station, clock: Clock) -> None:
    await submit(station)
    for _ in range(3):
        answer = await station.post(f"/v1/requests/{REQUEST}/accept", {}, idempotency_key="one")
        assert answer.status_code == 202, answer.text
        clock.now += timedelta(hours=3)
    await station.post(f"/v1/requests/{REQUEST}/accept", {}, idempotency_key="two")
    _, first, *again, other = sorted(await asks(station), key=lambda e: e.envelope.id)
    assert [(e.subject, e.content) for e in again] == [(first.subject, first.content)] * 2
    assert other.subject != first.subject
    assert other.data.occurred_at - first.data.occurred_at == timedelta(hours=9)


async def test_a_retry_after_a_restart_is_a_repeat(
    log: Bus, keys: Keys, station: Station, clock: Clock
) -> None:
    await submit(station)
    path = f"/v1/requests/{REQUEST}/accept"
    assert (await station.post(path, {}, idempotency_key="one")).is_success
    clock.now += timedelta(hours=3)
    async with open_station(log, keys, clock) as again:
        again.token = station.token
        assert (await again.post(path, {}, idempotency_key="one")).is_success
    assert len({(e.subject, e.content) for e in (await asks(station))[1:]}) == 1


async def test_a_retry_at_another_intake_is_a_repeat_however_soon_it_comes(
    keys: Keys, station: Station, clock: Clock, tmp_path: Path
) -> None:
    await submit(station)
    path = f"/v1/requests/{REQUEST}/accept"
    async with (
        sqlite.connect(str(tmp_path / "log.db")) as same,
        open_station(same, keys, clock) as other,
    ):
        other.token = station.token
        await other.caught_up()
        for number in range(10):
            for one in (station, other):
                clock.now += timedelta(hours=3)
                assert (await one.post(path, {}, idempotency_key=f"{number}")).is_success
    assert len({(e.subject, e.content) for e in (await asks(station))[1:]}) == 10


async def test_a_refused_post_leaves_no_time_behind(station: Station, clock: Clock) -> None:
    await submit(station)
    path = f"/v1/requests/{REQUEST}/return"
    assert (await station.post(path, {}, idempotency_key="one")).status_code == 422
    clock.now += timedelta(hours=3)
    assert (await station.post(path, {"reason": "x"}, idempotency_key="one")).is_success
    assert (await last(station)).data.occurred_at == clock.now


async def test_the_times_of_the_last_asks_are_remembered_and_no_more(
    log: Bus, keys: Keys, station: Station, clock: Clock
) -> None:
    await submit(station)
    async with open_station(log, keys, clock, Settings(asks_remembered=4)) as held:
        path = f"/v1/requests/{REQUEST}/accept"
        for number in range(9):
            answer = await held.post(path, {"id": f"county.k-{number}"})
            assert answer.is_success
        await held.caught_up()
        remembered = [held.intake.door.cases._asked.get(f"county.k-{n}") for n in range(9)]
        assert remembered[0] is None
        assert all(remembered[5:])


async def test_a_request_submitted_at_another_intake_is_known_at_once(
    log: Bus, keys: Keys, station: Station, clock: Clock
) -> None:
    async with open_station(log, keys, clock) as other:
        for number in range(20):
            await submit(station, f"county.r-{number}")
            body = {"id": f"county.k-{number}"}
            answer = await other.post(f"/v1/requests/county.r-{number}/accept", body)
            assert answer.status_code == 202, answer.text


async def test_what_matching_says_of_a_request_stands_above_how_it_was_submitted(
    station: Station,
) -> None:
    await submit(station)
    await move(station, node_id="chengbei")
    await station.caught_up()
    assert (await station.post(f"/v1/requests/{REQUEST}/accept", {"id": "county.k-1"})).is_success
    assert (await last(station)).data.node_id == "chengbei"


async def test_asks_come_in_batches_and_see_the_requests_before_them(station: Station) -> None:
    data = {k: ORDER[k] for k in ("node_id", "occurred_at", "actor_role", "actor_ref")}
    accepted = event("request.accepted", "county.k-1", {**data, "request_id": REQUEST})
    offered = event("offer.accepted", "county.k-2", {**data, "assignment_id": OFFER})
    items = [
        accepted,
        event("request.submitted", REQUEST, ORDER),
        accepted,
        event("request.submitted", "yinhu.r-2", ORDER),
        {**accepted, "subject": "hub.k-1"},
        offered,
        {**offered, "data": {**offered["data"], "actor_role": "expert"}},
    ]
    answer = await station.post("/v1/events", json.dumps(items), content_type=BATCH)
    found = [(item["status"], item.get("problem", {}).get("rule")) for item in answer.json()]
    assert found == [
        (404, "unknown_request"), (202, None), (202, None), (422, "pool"), (422, "pool"),
        (422, "role"), (404, "unknown_assignment"),
    ]  # fmt: skip


async def test_only_what_people_say_is_taken_from_outside(station: Station) -> None:
    items = [event(name.removeprefix("yizhan."), "county.x", {}) for name in TYPES]
    answer = await station.post("/v1/events", json.dumps(items), content_type=BATCH)
    ours = {
        name
        for name, item in zip(TYPES, answer.json(), strict=True)
        if ("type", "type") in {(e["field"], e["rule"]) for e in item["problem"]["errors"]}
    }
    theirs = (REQUESTS, RESULTS, REGISTRY, HEARTBEATS)
    assert ours == {name for name, kind in TYPES.items() if kind.topic not in theirs}
