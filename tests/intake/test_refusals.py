"""What is not right is refused by name, and no byte of it reaches the log."""

import asyncio
import json
from typing import Any

import pytest
from anyio import to_thread

from tests.intake.station import Clock, Station, rules, service

ID_NUMBER, MOBILE = "110101199003077758", "13812345678"


def raw(**replaced: str) -> str:
    """Return a service as JSON text in which the values of some fields are written by hand."""
    named = {**service(id="yinhu.svc-1"), **{name: f"@{name}@" for name in replaced}}
    text = json.dumps(named)
    for name, value in replaced.items():
        text = text.replace(f'"@{name}@"', value)
    return text


@pytest.mark.parametrize(
    ("body", "status", "rule"),
    [
        ("", 400, "json"),
        ("{", 400, "json"),
        ("[]", 400, "object"),
        ("null", 400, "object"),
        (raw(persons="NaN"), 400, "json"),
        (raw(persons="Infinity"), 400, "json"),
        (raw(persons="1e999"), 400, "json"),
        (raw(persons='1, "persons": 2'), 400, "duplicate_key"),
        (raw(payer='"\\ud800"'), 400, "json"),
        (raw(payer="[" * 60 + "]" * 60), 400, "json"),
        (raw(payer="[" * 100_000 + "]" * 100_000), 400, "json"),
        (raw(persons='"5"'), 422, "int_type"),
        (raw(persons="5.0"), 422, "int_type"),
        (raw(persons="true"), 422, "int_type"),
        (raw(persons="9" * 400), 422, "less_than_equal"),
        (raw(revision='"1"'), 422, "int_type"),
        (raw(revision="0"), 422, "greater_than_equal"),
        (raw(revision="1000001"), 422, "less_than_equal"),
        (raw(occurred_at='"2023-05-06T09:30:00"'), 422, "string_pattern_mismatch"),
        (raw(occurred_at="1690000000"), 422, "string_type"),
        (raw(occurred_at='"1690000000"'), 422, "string_pattern_mismatch"),
        (raw(mood='"good"'), 422, "extra_forbidden"),
        (raw(mode="null"), 422, "string_type"),
    ],
)
async def test_a_body_that_breaks_a_rule_is_refused(
    station: Station, body: str, status: int, rule: str
) -> None:
    answer = await station.post("/v1/services", body)
    found = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, found["status"]) == (status, status), answer.text
    assert rule in {error["rule"] for error in found["errors"]}, answer.text
    assert await station.events() == []


async def test_every_field_that_is_wrong_is_named_as_the_caller_wrote_it(station: Station) -> None:
    body = service(id="no subject", elements="STD", persons="5", mood="good")
    body["evidence"] = [f"电话{MOBILE}"]
    del body["enterprise_id"]
    answer = await station.post("/v1/services", body)
    assert answer.status_code == 422
    assert rules(answer) == {
        ("id", "string_pattern_mismatch"),
        ("elements", "tuple_type"),
        ("persons", "int_type"),
        ("mood", "extra_forbidden"),
        ("enterprise_id", "missing"),
        ("evidence.0", "personal_data"),
    }
    first = answer.json()["errors"][0]
    assert (answer.json()["field"], answer.json()["rule"]) == (first["field"], first["rule"])


@pytest.mark.parametrize("node", ["", "Yin Hu", "a" * 300, 5, None, ["yinhu"]])
async def test_a_node_that_is_none_spoils_no_other_field(station: Station, node: object) -> None:
    answer = await station.post("/v1/services", service(node_id=node), idempotency_key="one")
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"node_id"}


async def test_a_refusal_waits_for_no_thread(station: Station) -> None:
    threads = to_thread.current_default_thread_limiter()
    holders = [object() for _ in range(int(threads.total_tokens))]
    for holder in holders:
        threads.acquire_on_behalf_of_nowait(holder)
    try:
        async with asyncio.timeout(5):
            answer = await station.post("/v1/services", {})
            missing = await station.send("GET", "/v1/nothing")
    finally:
        for holder in holders:
            threads.release_on_behalf_of(holder)
    assert (answer.status_code, missing.status_code) == (400, 404)


async def test_a_node_nobody_registered_is_refused(station: Station) -> None:
    answer = await station.post("/v1/services", service(id="yinhu.a", node_id="nowhere"))
    assert answer.status_code == 422
    assert rules(answer) == {("node_id", "unknown_node")}
    assert await station.events() == []


async def test_what_happens_more_than_a_day_ahead_is_refused(
    station: Station, clock: Clock
) -> None:
    near, far = "2023-05-07T20:00:00+08:00", "2023-05-07T20:00:01+08:00"
    assert clock.now.isoformat() == "2023-05-06T12:00:00+00:00"
    assert (await station.post("/v1/services", service(id="yinhu.a", occurred_at=near))).is_success
    answer = await station.post("/v1/services", service(id="yinhu.a", occurred_at=far))
    assert rules(answer) == {("occurred_at", "future")}
    beat = {"node_id": "yinhu", "complete_to": far, "waiting": 0}
    assert rules(await station.post("/v1/heartbeats", beat)) == {("complete_to", "future")}


@pytest.mark.parametrize(
    "text",
    [
        MOBILE,
        f"王工 {MOBILE}",
        f"电话{MOBILE}。",
        "+86 138 1234 5678",
        "138-1234-5678",
        f"0086{MOBILE}",
        "138.1234.5678",
        "138 - 1234 - 5678",
        "138–1234—5678",
        "138·1234·5678",
        "138/1234/5678",
        "138_1234_5678",
        "(138)12345678",
        "138\u00a01234\u20055678",
        "138\u200b1234\u200b5678",
        "+86.138.1234.5678",
        "（86）138１２３４－5678",
        "110101 19900307 7758",
        "110101-19900307-775x",
        "１３８１２３４５６７８",
        ID_NUMBER,
        f"身份证号{ID_NUMBER}",
        "11010119900307775X",
        "11010119900307775x,",
    ],
)
async def test_texts_with_an_id_or_mobile_number_are_refused(station: Station, text: str) -> None:
    visit = {k: v for k, v in service().items() if k not in ("elements", "mode")}
    visit |= {"id": "yinhu.v-1", "demands": ["检测", text]}
    answer = await station.post("/v1/visits", visit)
    assert rules(answer) == {("demands.1", "personal_data")}
    assert text not in answer.text
    assert await station.events() == []


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x7f", "\x9b", "\u2028", "\u202e", "\u2066"])
async def test_texts_and_references_hold_nothing_that_a_terminal_obeys(
    station: Station, sign: str
) -> None:
    visit = {k: v for k, v in service().items() if k not in ("elements", "mode")}
    visit |= {"id": "yinhu.v-1", "demands": ["检测", f"a{sign}[2J"], "actor_ref": f"s{sign}17"}
    answer = await station.post("/v1/visits", visit)
    wrong = {("demands.1", "control_character"), ("actor_ref", "control_character")}
    assert rules(answer) == wrong
    assert sign not in answer.text
    assert await station.events() == []


async def test_a_text_of_several_lines_is_taken(station: Station) -> None:
    visit = {k: v for k, v in service().items() if k not in ("elements", "mode")}
    visit |= {"id": "yinhu.v-1", "demands": ["检测\t一\r\n　二"]}
    answer = await station.post("/v1/visits", visit)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    "text",
    [
        "1699999999999",
        "合同 20230506001",
        "0199f0a3-7000-7abc-9def-a13812345678",
        "9f86d081884c7d659a2feaa0c55ad01513812345678f4f1b2b0b822cd15d6c15",
        "110101199003077758000",
        "1234567",
        "提升 15.2 2023-05-06",
        "1998-2023 100 家",
        "13800 1234 56",
        "192.168.1.1, 138.12.34.56",
    ],
)
async def test_other_numbers_are_taken(station: Station, text: str) -> None:
    visit = {k: v for k, v in service().items() if k not in ("elements", "mode")}
    visit |= {"id": "yinhu.v-1", "demands": [text]}
    answer = await station.post("/v1/visits", visit)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("field", ["request_id", "evidence", "campaign_id", "project_id"])
@pytest.mark.parametrize(
    ("reference", "status"),
    [
        (MOBILE, 422),
        (f"tel-{MOBILE}.jpg", 422),
        (f"+86{MOBILE}", 422),
        ("11010519491231002X", 422),
        ("id_440524188001010014", 202),  # born before anybody alive
        ("id_11010519491231002X", 422),
        ("202305060012345678", 202),
        ("420600202305060001", 202),  # its check digit is right, but it says when it was given out
        ("175928847299117063", 202),
        ("150-2023-0506", 202),
        ("yinhu.req-000123", 202),
        ("01HF13812345678ABCDEFGHJKM", 202),
        ("mmexport1699999999999.jpg", 202),
    ],
)
async def test_a_reference_to_a_thing_may_be_any_serial_number_but_a_persons(
    station: Station, field: str, reference: str, status: int
) -> None:
    value = [reference] if field == "evidence" else reference
    answer = await station.post("/v1/services", service(id="yinhu.a", **{field: value}))
    assert answer.status_code == status, answer.text
    if status == 422:
        assert {rule for _, rule in rules(answer)} == {"personal_data"}


@pytest.mark.parametrize("field", ["actor_ref", "performers"])
@pytest.mark.parametrize("reference", [MOBILE, "138.1234.5678", ID_NUMBER])
async def test_a_reference_to_a_person_holds_no_number_of_theirs(
    station: Station, field: str, reference: str
) -> None:
    value = [reference] if field == "performers" else reference
    answer = await station.post("/v1/services", service(id="yinhu.a", **{field: value}))
    assert {rule for _, rule in rules(answer)} == {"personal_data"}


async def test_a_credit_code_of_digits_only_is_no_id_number(station: Station) -> None:
    firm = {k: service()[k] for k in ("node_id", "occurred_at", "actor_role", "actor_ref")}
    firm["uscc"] = "911101081234567890"
    assert (await station.put("/v1/registry/enterprises/ent-1", firm)).status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/services", 405),
        ("POST", "/v1/nothing", 404),
        ("PUT", "/v1/facts/nothing.done/yinhu.a", 404),
        ("PUT", "/v1/facts/record.voided/yinhu.a", 404),
        ("PUT", "/v1/facts/node.opened/yinhu.a", 404),
    ],
)
async def test_what_is_not_there_is_told_as_a_problem(
    station: Station, method: str, path: str, status: int
) -> None:
    answer = await station.send(method, path, b"{}", if_match="1")
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.json()["rule"] in {"method_not_allowed", "not_found", "type"}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/services", "POST"),
        ("/v1/facts/service.delivered/yinhu.a", "DELETE, PUT"),
        ("/v1/registry/nodes/yinhu", "GET, PUT"),
    ],
)
async def test_all_methods_of_a_path_are_named_where_another_is_tried(
    station: Station, path: str, methods: str
) -> None:
    answer = await station.send("PATCH", path, b"{}")
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)


@pytest.mark.parametrize(
    "headers", [{"content_type": "text/plain"}, {"content_type": ""}, {"content_encoding": "gzip"}]
)
async def test_other_media_types_are_refused(station: Station, headers: dict[str, str]) -> None:
    answer = await station.post("/v1/services", b"{}", **headers)
    assert (answer.status_code, answer.json()["status"]) == (415, 415)


async def test_a_body_over_the_limit_is_refused_whether_or_not_it_says_so(
    station: Station,
) -> None:
    async def endless() -> Any:
        while True:
            yield b" " * 100_000

    headers = {"authorization": f"Bearer {station.token}", "content-type": "application/json"}
    said = await station.post("/v1/services", b" " * 1_000_001)
    unsaid = await station.client.post("/v1/services", content=endless(), headers=headers)
    for answer in (said, unsaid):
        assert (answer.status_code, answer.json()["rule"]) == (413, "size")


async def test_an_event_larger_than_its_topic_takes_is_refused(station: Station) -> None:
    # Escaped in the body it would be larger still; canonical UTF-8 is what must fit.
    firms = ["e" * 60 + f"{i:04}" for i in range(9_999)] + ["e" * 64]
    held = {k: service()[k] for k in ("node_id", "occurred_at", "actor_role", "actor_ref")}
    body = json.dumps(
        {**held, "id": "yinhu.a", "kind": "training", "sessions": 1, "enterprises": firms}
    )
    assert len(body) < 1_000_000
    assert (await station.post("/v1/activities", body)).status_code == 202
    most = {**held, "id": "yinhu.v", "enterprise_id": "ent-1", "demands": ["检" * 2000] * 100}
    assert (
        await station.post("/v1/visits", json.dumps(most, ensure_ascii=False))
    ).status_code == 202
    over = {**most, "demands": ["检" * 2000] * 170}
    answer = await station.post("/v1/visits", json.dumps(over, ensure_ascii=False))
    assert answer.status_code == 413
