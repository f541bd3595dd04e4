"""Many events in one request: an answer for each, and the good ones are kept."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.keys import Keys
from bus.port import Bus
from schemas.codec import encode
from schemas.topics import HEARTBEATS
from services.intake import Settings
from services.intake.parse import split
from tests.intake.station import BATCH, Clock, Station, event, node, open_station, service

LINES, ONE = "application/x-ndjson", "application/cloudevents+json"


async def send(station: Station, *items: Any) -> httpx.Response:
    return await station.post("/v1/events", json.dumps(items).encode(), content_type=BATCH)


def statuses(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 207, answer.text
    assert [item["index"] for item in answer.json()] == list(range(len(answer.json())))
    return [item["status"] for item in answer.json()]


async def test_the_callers_envelope_is_kept(station: Station) -> None:
    sent = event(
        "service.delivered", "yinhu.a", service(),
        id="0199-x", correlationid="case-7", traceparent="00-ab-cd-01",
        time="2023-05-06T02:00:00Z", dataclassification="internal",
    )  # fmt: skip
    (item,) = (await send(station, sent)).json()
    assert (item["id"], item["subject"], item["revision"]) == ("0199-x", "yinhu.a", 1)
    (kept,) = await station.events()
    assert kept.envelope == type(kept.envelope).model_validate_json(encode(sent))


async def test_good_items_are_kept_and_each_bad_one_is_told_what_is_wrong(
    station: Station,
) -> None:
    answer = await send(
        station,
        event("service.delivered", "yinhu.a", service()),
        event("service.delivered", "yinhu.b", service(persons="5", mood="x")),
        event("nothing.done", "yinhu.c", service()),
        event("counter.updated", "yinhu.c", service()),
        event("service.delivered", "nowhere.d", service(node_id="nowhere")),
        "text",
        event("service.delivered", "yinhu.e", service(), extra="x"),
        event("record.voided", "yinhu.f", {}),
        event("service.delivered", "yinhu.g", service()),
    )
    assert statuses(answer) == [202, 422, 422, 422, 422, 400, 422, 422, 202]
    problems = [item.get("problem") for item in answer.json()]
    assert {e["field"] for e in problems[1]["errors"]} == {"data.persons", "data.mood"}
    assert problems[4]["rule"] == "unknown_node"
    assert problems[6]["field"] == "extra"
    assert {e.subject for e in await station.events()} == {"yinhu.a", "yinhu.g"}


@pytest.mark.parametrize(("wrong", "more"), [(10, None), (11, 1), (250, 240)])
async def test_an_item_is_told_ten_errors_and_how_many_more_there_are(
    station: Station, wrong: int, more: int | None
) -> None:
    item = event("service.delivered", "yinhu.a", service(**{f"x{i}": 1 for i in range(wrong)}))
    (answer,) = (await send(station, item)).json()
    assert len(answer["problem"]["errors"]) == 10
    assert answer["problem"].get("more") == more


async def test_the_answer_to_a_bad_batch_is_no_larger_than_the_batch(station: Station) -> None:
    item = event("service.delivered", "yinhu.a", service(**{f"x{i}": 1 for i in range(200)}))
    phones = {"n" * 5000: {f"x{i}": "13812345678" for i in range(20)}}
    long = event("service.delivered", "yinhu.b", service(**phones))
    sent = json.dumps([item, long] * 20)
    answer = await station.post("/v1/events", sent, content_type=BATCH)
    assert statuses(answer) == [422] * 40
    assert len(answer.content) < len(sent)


async def test_items_of_a_batch_see_the_registry_items_before_them(station: Station) -> None:
    answer = await send(
        station,
        event("service.delivered", "new.a", service(node_id="new")),
        event("node.opened", "new", node("new", "newer")),
        event("node.opened", "newer", node("newer", "county")),
        event("node.opened", "new", node("new", "newer")),
        event("service.delivered", "new.b", service(node_id="new")),
        event("node.moved", "newer", node("newer", "new", revision=2)),
        event("enterprise.registered", "ent-000001", {**node("yinhu", None), "kind": None}),
    )
    assert statuses(answer)[:6] == [422, 422, 202, 202, 202, 422]
    assert answer.json()[5]["problem"]["rule"] == "cycle"
    assert [e.subject for e in await station.events()] == ["new.b"]


async def test_a_station_key_gets_an_answer_of_its_own_for_what_it_may_not_write(
    station: Station,
) -> None:
    answer = await send(
        station.holding("yinhu"),
        event("service.delivered", "yinhu.a", service()),
        event("service.delivered", "chengbei.a", service(node_id="chengbei")),
        event("node.opened", "new", node("new", "yinhu")),
    )
    assert statuses(answer) == [202, 403, 403]


async def test_lines_are_judged_one_by_one_and_empty_ones_passed_over(station: Station) -> None:
    good = [json.dumps(event("service.delivered", f"yinhu.{i}", service())) for i in range(2)]
    twice = good[0].replace('"mode"', '"mode": "x", "mode"')
    body = "\n".join((good[0], "", "{broken", twice, good[1] + "\r", ""))
    answer = await station.post("/v1/events", body.encode(), content_type=LINES)
    assert statuses(answer) == [202, 400, 400, 202]
    assert answer.json()[2]["problem"]["rule"] == "duplicate_key"


async def test_a_key_twice_in_an_item_of_an_array_spoils_that_item_only(station: Station) -> None:
    good = json.dumps(event("service.delivered", "yinhu.a", service()))
    twice = good.replace('"mode"', '"mode": "x", "mode"')
    answer = await station.post("/v1/events", f"[{twice}, {good}]", content_type=BATCH)
    assert statuses(answer) == [400, 202]


async def test_one_event_is_answered_like_a_batch_of_one(station: Station) -> None:
    body = json.dumps(event("service.delivered", "yinhu.a", service()))
    assert statuses(await station.post("/v1/events", body, content_type=ONE)) == [202]
    assert statuses(await station.post("/v1/events", "{", content_type=ONE)) == [400]


async def test_heartbeats_may_come_along(station: Station) -> None:
    beat = {"node_id": "yinhu", "complete_to": "2023-05-06T09:30:00+08:00", "waiting": 1}
    item = event("heartbeat.sent", "yinhu", beat)
    del item["data"]["revision"]
    assert statuses(await send(station, item)) == [202]
    assert len(await station.events(HEARTBEATS)) == 1


async def test_repeats_and_revisions_in_any_order_are_welcome(station: Station) -> None:
    items = [event("service.delivered", "yinhu.a", service(revision=n)) for n in (3, 1, 1, 2)]
    assert statuses(await send(station, *items)) == [202] * 4
    assert [e.data.revision for e in await station.events()] == [3, 1, 1, 2]


async def test_an_empty_batch_has_no_answers(station: Station) -> None:
    assert statuses(await send(station)) == []


@pytest.mark.parametrize(
    "item",
    [
        r'{"type": "\ud800"}',
        '{"type": ' + "[" * 2000 + "]" * 2000 + "}",
        '{"type": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
        '{"type" "x", ["]\\\\", {}]}',
        '{"type": 01}',
        '{"type": "\x01"}',
        "NaN",
        "one two",
    ],
    ids=["surrogate", "deep", "deeper", "colon", "number", "control", "nan", "words"],
)
async def test_an_item_that_is_no_json_spoils_that_item_only(station: Station, item: str) -> None:
    one, other = (
        json.dumps(event("service.delivered", f"yinhu.{i}", service(evidence=['a "]", [,'])))
        for i in range(2)
    )
    answer = await station.post("/v1/events", f" [{one}, {item} ,{other}]\n", content_type=BATCH)
    assert statuses(answer) == [202, 400, 202]
    assert {problem["problem"]["rule"] for problem in answer.json() if "problem" in problem} == {
        "json"
    }
    assert {e.subject for e in await station.events()} == {"yinhu.0", "yinhu.1"}


async def test_bytes_that_are_no_text_spoil_their_item_only(station: Station) -> None:
    good = json.dumps(event("service.delivered", "yinhu.a", service())).encode()
    answer = await station.post(
        "/v1/events", b'[{"type": "\xff"},' + good + b"]", content_type=BATCH
    )
    assert statuses(answer) == [400, 202]


@given(st.lists(st.recursive(
    st.one_of(st.none(), st.integers(), st.text('ab"\\[]{},: ')),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text('"[,'), inner)),
)))  # fmt: skip
def test_an_array_is_split_alike_whether_or_not_an_item_is_bad(items: list[Any]) -> None:
    raw = json.dumps(items).encode()
    assert [json.loads(item) for item in split(raw)] == items
    bad = json.dumps([*items, "\ud800", *items]).encode()
    found = [json.loads(item) for item in split(bad)]
    assert found == [*items, "\ud800", *items]


@pytest.mark.parametrize(
    "body",
    ["", "{", "{}", "[1", "5", "[", "[01,]", "[,01]", "[01}", "[[01}]", '["01]', "[01]]", "[01],[]",
     "[" + "[]" * 600_000 + "]"],
)  # fmt: skip
async def test_what_is_no_array_at_all_is_refused_as_a_whole(station: Station, body: str) -> None:
    answer = await station.post("/v1/events", body, content_type=BATCH)
    assert (answer.status_code, answer.json()["rule"]) == (400, "json")


async def test_other_media_types_are_refused(station: Station) -> None:
    answer = await station.post("/v1/events", "[]", content_type="application/json")
    assert answer.status_code == 415
    assert BATCH in answer.json()["detail"]


async def test_too_many_or_too_much_is_refused_as_a_whole(
    log: Bus, keys: Keys, clock: Clock
) -> None:
    few = Settings(batch_items=2, batch_bytes=1000)
    async with open_station(log, keys, clock, few) as station:
        assert statuses(await send(station, {}, {})) == [422, 422]
        assert (await send(station, {}, {}, {})).json()["rule"] == "items"
        assert (await send(station, "x" * 1000)).json()["rule"] == "size"
