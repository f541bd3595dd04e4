"""A key that speaks for a resource or an enterprise says what they may say, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from bus import sqlite
from bus.keys import Keys
from tests.intake.county import (
    AT,
    EXPERT,
    LAB,
    OFFER,
    ORDER,
    REQUEST,
    STATED,
    asks,
    move,
    offer,
    settle,
    submit,
)
from tests.intake.station import BATCH, Clock, Station, event, open_station, rules, service

FIRM = "ent-1"
PERFORMED: dict[str, dict[str, Any]] = {
    "start": {}, "block": {"reason": "sample_in_transit"}, "unblock": {}, "result": {},
}  # fmt: skip
ORDERED: dict[str, dict[str, Any]] = {
    "cancel": {}, "confirm": {}, "dispute": {"reason": "x"}, "evaluate": {"score": 5},
    "reopen": {"reason": "x"},
}  # fmt: skip
STAFFED: dict[str, dict[str, Any]] = {
    "accept": {}, "return": {"reason": "x"}, "follow-up": {}, "escalate": {}, "close": {},
}  # fmt: skip


@pytest.fixture(autouse=True)
async def county(station: Station) -> None:
    await settle(station)
    await submit(station)
    await offer(station, EXPERT, LAB)


async def ask(held: Station, verb: str, body: dict[str, Any], folder: str = "requests") -> int:
    of = REQUEST if folder == "requests" else OFFER
    answer = await held.post(f"/v1/{folder}/{of}/{verb}", body, idempotency_key=verb)
    return answer.status_code


@pytest.mark.parametrize(("who", "role"), [(EXPERT, "expert"), (LAB, "lab")])
async def test_a_member_answers_and_works_as_itself(station: Station, who: str, role: str) -> None:
    held = station.holding("county", subject=who)
    found = [await ask(held, verb, {}, "offers") for verb in ("accept", "decline")]
    found += [await ask(held, verb, body) for verb, body in PERFORMED.items()]
    assert found == [202] * 6
    made = [e for e in await asks(station) if e.subject != REQUEST]
    assert {(e.data.resource, e.data.actor_role) for e in made} == {(who, role)}


@pytest.mark.parametrize("subject", [EXPERT, FIRM])
async def test_a_key_for_somebody_writes_no_facts_no_documents_and_no_heartbeats(
    station: Station, subject: str
) -> None:
    held = station.holding("hub", subject=subject)
    beat = {"node_id": "yinhu", "complete_to": AT, "waiting": 0}
    fact = service(id="yinhu.a")
    answers = [
        await held.post("/v1/services", fact),
        await held.put("/v1/facts/service.delivered/yinhu.a", service(), if_match="1"),
        await held.send("DELETE", "/v1/facts/service.delivered/yinhu.a?reason=x", if_match="1"),
        await held.post("/v1/heartbeats", beat),
        await held.put(f"/v1/registry/enterprises/{FIRM}", {**STATED, "node_id": "yinhu"}),
        await held.put(f"/v1/registry/experts/{EXPERT}", STATED, if_match="1"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 6
    item = event("service.delivered", "yinhu.a", service())
    batch = await held.post("/v1/events", json.dumps([item]), content_type=BATCH)
    assert [one["status"] for one in batch.json()] == [403]
    assert await station.events() == []


async def test_a_key_for_a_resource_says_nothing_that_is_for_others_to_say(
    station: Station,
) -> None:
    held = station.holding("hub", subject=EXPERT)
    for verb, body in (ORDERED | STAFFED).items():
        for role in ("enterprise", "head"):
            status = await ask(held, verb, {**body, "actor_role": role})
            assert status in {403, 422}, verb
    order = {**ORDER, "id": "county.r-2"}
    assert (await held.post("/v1/requests", order)).status_code == 403
    assert len(await asks(station)) == 1


async def test_a_key_for_a_resource_speaks_for_no_other_and_in_no_other_role(
    station: Station,
) -> None:
    held = station.holding("hub", subject=EXPERT)
    assert await ask(held, "start", {"resource": LAB}) == 403
    assert await ask(held, "start", {"actor_role": "staff"}) == 403
    assert await ask(held, "accept", {"resource": LAB}, "offers") == 403
    data = {**STATED, "node_id": "yinhu", "request_id": REQUEST, "actor_role": "expert"}
    item = event("service.started", "county.k-1", data)
    batch = await held.post("/v1/events", json.dumps([item]), content_type=BATCH)
    assert [one["status"] for one in batch.json()] == [403]
    assert len(await asks(station)) == 1


async def test_a_key_for_a_device_or_for_nobody_who_is_registered_asks_nothing(
    station: Station,
) -> None:
    for who in ("county.scale", "county.nobody"):
        held = station.holding("hub", subject=who)
        assert await ask(held, "start", {"actor_role": "expert"}) == 403


async def test_an_offer_is_answered_by_its_members_only_wherever_their_scope_is(
    station: Station,
) -> None:
    await station.put("/v1/registry/experts/hub.other", STATED)
    assert await ask(station.holding("hub", subject="hub.other"), "accept", {}, "offers") == 403
    await offer(station, EXPERT, "hub.other", id_="county.a-2")
    held = station.holding("chengbei", subject="hub.other")
    answer = await held.post("/v1/offers/county.a-2/accept", {}, idempotency_key="one")
    assert answer.status_code == 202, answer.text
    elsewhere = {"node_id": "hub"}
    answer = await held.post("/v1/offers/county.a-2/accept", elsewhere, idempotency_key="two")
    assert answer.status_code == 403


async def test_who_serves_a_request_may_ask_about_it_wherever_their_scope_is(
    station: Station,
) -> None:
    held = station.holding("chengbei", subject=EXPERT)
    assert await ask(held, "start", {}) == 403
    await move(station, performers=[EXPERT], state="committed")
    assert await ask(held, "start", {}) == 202


async def test_an_enterprise_orders_for_itself_and_has_its_say_about_its_own(
    station: Station,
) -> None:
    held = station.holding("hub", subject=FIRM)
    order = {k: ORDER[k] for k in ("node_id", "demand", "occurred_at")}
    answer = await held.post("/v1/requests", {**order, "id": "county.r-2"})
    assert answer.status_code == 202, answer.text
    assert [await ask(held, verb, body) for verb, body in ORDERED.items()] == [202] * 5
    made = [e for e in await asks(station) if e.subject != REQUEST]
    assert {e.data.actor_role for e in made} == {"enterprise"}
    assert [e.data.enterprise_id for e in made if e.subject == "county.r-2"] == [FIRM]
    cqo = {"actor_role": "enterprise_cqo", "id": "county.k-1"}
    answer = await held.post(f"/v1/requests/{REQUEST}/confirm", cqo)
    assert answer.status_code == 202


async def test_an_enterprise_says_nothing_for_others_and_nothing_that_staff_says(
    station: Station,
) -> None:
    other = station.holding("hub", subject="ent-2")
    assert [await ask(other, verb, body) for verb, body in ORDERED.items()] == [403] * 5
    order = {**ORDER, "id": "county.r-2", "actor_role": "enterprise"}
    assert (await other.post("/v1/requests", order)).status_code == 403
    held = station.holding("hub", subject=FIRM)
    for verb, body in (STAFFED | PERFORMED).items():
        assert await ask(held, verb, {**body, "actor_role": "head"}) == 403
        assert await ask(held, verb, body) in {403, 422}
    assert await ask(held, "cancel", {"actor_role": "staff"}) == 403
    assert len(await asks(station)) == 1


async def test_who_took_an_enterprise_over_speaks_for_it(station: Station) -> None:
    merged = {**STATED, "node_id": "yinhu", "merged_into": "ent-2"}
    assert (await station.put(f"/v1/registry/enterprises/{FIRM}", merged)).is_success
    assert await ask(station.holding("hub", subject="ent-2"), "confirm", {}) == 202


async def test_a_key_for_an_enterprise_reaches_no_further_than_its_scope(
    station: Station,
) -> None:
    held = station.holding("chengbei", subject=FIRM)
    assert await ask(held, "confirm", {}) == 403


async def test_a_key_for_nobody_states_the_role_it_asks_in(station: Station) -> None:
    held = station.holding("county")
    assert await ask(held, "confirm", {"actor_role": "enterprise"}) == 202
    answer = await held.post(f"/v1/requests/{REQUEST}/confirm", {}, idempotency_key="two")
    assert rules(answer) == {("actor_role", "role")}


async def test_a_bank_registered_at_another_intake_a_moment_ago_has_its_role(
    keys: Keys, station: Station, clock: Clock, tmp_path: Path
) -> None:
    bank = {**STATED, "kind": "bank"}
    async with (
        sqlite.connect(str(tmp_path / "log.db")) as same,
        open_station(same, keys, clock) as other,
    ):
        await other.caught_up()
        for i in range(10):
            assert (await station.put(f"/v1/registry/agencies/county.b{i}", bank)).is_success
            held = other.holding("county", subject=f"county.b{i}")
            assert await ask(held, "start", {}) == 202
    made = [e for e in await asks(station) if e.subject != REQUEST]
    assert {e.data.actor_role for e in made} == {"bank"}


async def test_a_key_that_speaks_for_somebody_reads_its_own_document_only(
    station: Station,
) -> None:
    for who, folder in ((EXPERT, "experts"), (LAB, "agencies")):
        held = station.holding("hub", subject=who)
        found = {
            name: (await held.send("GET", f"/v1/registry/{name}")).status_code
            for name in (f"experts/{EXPERT}", f"agencies/{LAB}", "nodes/county")
        }
        own = f"{folder}/{who}"
        assert found == {name: 200 if name == own else 403 for name in found}
