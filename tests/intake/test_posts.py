"""Single facts: what is posted is what lies in the log."""

import asyncio
import json

import pytest

from schemas.codec import encode
from schemas.topics import HEARTBEATS, RESULTS
from tests.intake.station import ACTOR, Station, rules, service

AT = "2023-05-06T09:30:00+08:00"
FIRM = {"enterprise_id": "ent-000001"}
WAYS = [
    ("services", "service.delivered", {**FIRM, "elements": ["STD"], "mode": "diagnosis"}),
    ("visits", "visit.completed", {**FIRM, "demands": ["检测"]}),
    ("problems", "problem.found", {"product": "caster"}),
    ("problems/yinhu.a/solve", "problem.solved", {}),
    ("activities", "activity.held", {"kind": "training", "sessions": 1, "persons": 30}),
    ("benefits", "benefit.claimed", {**FIRM, "kind": "direct", "amount": 5, "basis": "measured"}),
    ("benefits/yinhu.a/confirm", "benefit.confirmed", {}),
    ("benefits/yinhu.a/audit", "benefit.audited", {}),
    ("benefits/yinhu.a/withdraw", "benefit.withdrawn", {"reason": "重复"}),
    ("titles", "title.filed", {**FIRM, "title": "little_giant"}),
    ("titles/yinhu.a/grant", "title.granted", {**FIRM, "title": "little_giant"}),
    ("outcomes", "outcome.recorded", {**FIRM, "kind": "licence", "days": 12}),
    ("outputs", "output.produced", {"kind": "report", "qty": 88}),
]


@pytest.mark.parametrize(("path", "kind", "more"), WAYS, ids=[path for path, _, _ in WAYS])
async def test_each_path_makes_its_event(
    station: Station, path: str, kind: str, more: dict[str, object]
) -> None:
    data = {"revision": 1, "node_id": "yinhu", "occurred_at": AT, **ACTOR, **more}
    own = {} if "yinhu.a" in path else {"id": "yinhu.a"}
    answer = await station.post(f"/v1/{path}", {**data, **own})
    assert answer.status_code == 202, answer.text
    (event,) = await station.events()
    assert (event.kind.name, event.subject) == (f"yizhan.{kind}", "yinhu.a")
    assert event.data == event.kind.model.model_validate_json(encode(data))


async def test_the_answer_says_where_the_event_lies_and_where_its_verdict_will_be(
    station: Station,
) -> None:
    answer = await station.post("/v1/services", service(id="yinhu.svc-1"))
    (event,) = await station.events()
    position = answer.headers["yizhan-position"]
    topic, partition, offset = position.split(":")
    assert (topic, offset) == ("yizhan.results", "0")
    assert int(partition) == event.kind.topic.partition("yinhu.svc-1", 4)
    where = "/v1/facts/yizhan.service.delivered/yinhu.svc-1"
    assert answer.headers["location"] == f"{where}?after={position}"
    assert answer.json() == {
        "id": event.envelope.id,
        "subject": "yinhu.svc-1",
        "type": "yizhan.service.delivered",
        "revision": 1,
        "position": position,
        "unregistered": ["ent-000001"],
    }


async def test_a_registered_enterprise_is_not_marked(station: Station) -> None:
    firm = {"node_id": "yinhu", "occurred_at": AT, "name": "标杆企业", **ACTOR}
    await station.put("/v1/registry/enterprises/ent-000001", firm)
    await station.intake.door.view.current()
    answer = await station.post("/v1/services", service(id="yinhu.svc-1"))
    assert "unregistered" not in answer.json()


async def test_a_retry_under_the_same_key_has_the_same_subject_and_content(
    station: Station,
) -> None:
    for key in ("one", "one", "two"):
        answer = await station.post("/v1/services", service(), idempotency_key=key)
        assert answer.status_code == 202
    first, again, other = sorted(await station.events(), key=lambda e: e.envelope.id)
    assert (first.subject, first.content) == (again.subject, again.content)
    assert first.envelope.id != again.envelope.id
    assert other.subject != first.subject
    assert first.subject.startswith("yinhu.")


async def test_a_key_means_something_else_on_another_path_and_for_another_principal(
    station: Station,
) -> None:
    firm = {**FIRM, "title": "little_giant", "node_id": "yinhu", "occurred_at": AT, **ACTOR}
    problem = {name: firm[name] for name in ("node_id", "occurred_at", *ACTOR)}
    other = station.holding("yinhu")
    answers = [
        await station.post("/v1/titles", firm, idempotency_key="one"),
        await station.post("/v1/problems", problem, idempotency_key="one"),
        await other.post("/v1/titles", firm, idempotency_key="one"),
    ]
    assert len({answer.json()["subject"] for answer in answers}) == 3


async def test_without_an_id_and_without_a_key_nothing_is_written(station: Station) -> None:
    answer = await station.post("/v1/services", service())
    assert (answer.status_code, answer.json()["rule"]) == (400, "idempotency_key")
    assert await station.events() == []


async def test_a_correction_is_the_revision_after_the_one_that_was_seen(station: Station) -> None:
    for kind in ("service.delivered", "yizhan.service.delivered"):
        answer = await station.put(
            f"/v1/facts/{kind}/yinhu.svc-1", service(persons=3), if_match='"4"'
        )
        assert answer.json()["revision"] == 5
    assert [event.data.revision for event in await station.events()] == [5, 5]


async def test_a_delete_is_a_void_of_the_type_in_the_path(station: Station) -> None:
    path = "/v1/facts/service.delivered/yinhu.svc-1"
    for _ in range(2):
        answer = await station.send("DELETE", path, {"reason": "重复登记"}, if_match="1")
        assert answer.status_code == 202, answer.text
        assert answer.headers["location"].startswith("/v1/facts/yizhan.service.delivered/yinhu")
    void, again = await station.events()
    assert void.kind.name == "yizhan.record.voided"
    assert (void.slot, void.subject) == ("yizhan.service.delivered", "yinhu.svc-1")
    assert (void.data.revision, void.data.reason) == (2, "重复登记")
    assert void.content == again.content


async def test_a_delete_without_a_body_takes_its_reason_from_the_query(station: Station) -> None:
    path = "/v1/facts/service.delivered/yinhu.svc-1?reason=double"
    assert (await station.send("DELETE", path, if_match="1")).status_code == 202
    assert [event.data.reason for event in await station.events()] == ["double"]


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 428), ({"if_match": "new"}, 400), ({"if_match": "1000000"}, 422)]
)
async def test_a_correction_needs_a_revision_that_was_seen(
    station: Station, headers: dict[str, str], status: int
) -> None:
    path = "/v1/facts/service.delivered/yinhu.svc-1"
    assert (await station.put(path, service(), **headers)).status_code == status
    body = {"reason": "double"}
    assert (await station.send("DELETE", path, body, **headers)).status_code == status
    assert await station.events() == []


async def test_a_body_may_not_contradict_its_path(station: Station) -> None:
    path = "/v1/facts/service.delivered/yinhu.svc-1"
    other = await station.put(path, service(id="yinhu.svc-2"), if_match="1")
    assert rules(other) == {("id", "path")}
    later = await station.put(path, service(revision=7), if_match="1")
    assert later.json()["field"] == "revision"
    void = {"reason": "double", "target_type": "yizhan.visit.completed"}
    assert rules(await station.send("DELETE", path, void, if_match="1")) == {
        ("target_type", "path")
    }


async def test_a_heartbeat_goes_to_its_own_topic(station: Station) -> None:
    beat = {"node_id": "yinhu", "complete_to": AT, "waiting": 2}
    answer = await station.post("/v1/heartbeats", beat)
    assert answer.status_code == 202, answer.text
    (event,) = await station.events(HEARTBEATS)
    assert (event.subject, event.data.waiting) == ("yinhu", 2)


async def test_many_concurrent_posts_each_get_the_position_of_their_own_record(
    station: Station,
) -> None:
    names = [f"yinhu.svc-{i}" for i in range(200)]
    answers = await asyncio.gather(
        *(station.post("/v1/services", service(id=name)) for name in names)
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["position"] for answer in answers}) == 200
    assert {event.subject for event in await station.events()} == set(names)


async def test_bytes_in_the_log_are_the_canonical_encoding(station: Station) -> None:
    body = json.dumps(service(id="yinhu.svc-1"), indent=4, ensure_ascii=True)
    await station.post("/v1/services", body)
    async with station.log.subscribe(None, [RESULTS], lambda _: 0) as reading:
        (batch,) = await reading.poll(0)
    value = batch.records[0].value or b""
    assert encode(json.loads(value)) == value
