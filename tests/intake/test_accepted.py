"""Accepted means countable: what intake takes, the fold's decoder takes; and it never breaks."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import bidirectional, category

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bus.keys import Principal, Role
from schemas.codec import Event, content, decoder
from schemas.errors import Invalid, YizhanError
from schemas.topics import Topic
from schemas.tree import Registry
from schemas.types import ASKS, ENTERPRISES, FACTS, NODES, SUPPLY, EventType
from services.intake.check import Checks
from services.intake.draft import Draft, draft
from services.intake.parse import parse
from services.intake.scene import Assignment, Request
from tests.intake.station import BATCH, Station, event, service

NOW = datetime(2023, 5, 6, 12, tzinfo=UTC)
NASTY = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from(
            "\x00\x1f\x7f\u0085\u2028\u2029\ufeff\uffff\U0001f9d1\u200d\u0301\u202e０Ａ１ſﬀ"
        ),
    ),
    max_size=30,
)
NUMBERS = st.one_of(st.integers(), st.integers(1, 1000), st.floats(), st.booleans())
TEXTS = st.one_of(
    NASTY,
    st.sampled_from(
        ["hub", "ent-1", "STD", "diagnosis", "2023-05-06T09:30:00+08:00", "2023-05-06", "direct"]
    ),
)
ANYTHING = st.recursive(
    st.one_of(st.none(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)
RIGHT: dict[str, Any] = {
    "revision": 1, "node_id": "hub", "enterprise_id": "ent-1", "elements": ["STD"],
    "mode": "diagnosis", "occurred_at": "2023-05-06T09:30:00+08:00", "actor_role": "staff",
    "actor_ref": "s-17", "kind": "direct", "amount": 5, "basis": "measured", "sessions": 1,
    "title": "sme", "qty": 1, "target_type": "yizhan.visit.completed", "reason": "double",
    "name": "x", "parent": "hub", "demand": {"elements": ["STD"], "mode": "testing"}, "score": 5,
    "request_id": "hub.r", "assignment_id": "hub.o",
}  # fmt: skip
TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
KINDS = [*FACTS, *NODES, *ENTERPRISES, *SUPPLY, *ASKS]


class Four:
    """A log of four partitions: all that judging asks of one."""

    def partitions(self, topic: Topic) -> int:
        return 4 if topic.spread else 1


class Anything:
    """What is known where every request and every assignment is there."""

    registry = Registry()

    def request(self, _id: str) -> Request:
        return Request("hub", "ent-1")

    def assignment(self, _id: str) -> Assignment:
        return Assignment("hub.r", ("hub.e",))


@st.composite
def bodies(pick: st.DrawFn) -> tuple[EventType, dict[str, Any]]:
    """Make data of some type that is nearly right: a few fields are something else, or gone."""
    kind = pick(st.sampled_from(KINDS))
    names = list(kind.model.model_fields)
    data = {name: RIGHT[name] for name in names if name in RIGHT}
    if data.get("kind") and kind not in FACTS:
        data["kind"] = "station" if kind in NODES else "agency"
    for name in pick(st.lists(st.sampled_from([*names, "mood"]), max_size=3)):
        data[name] = pick(ANYTHING)
    return kind, data


def judged(made: Draft) -> Event | YizhanError:
    """Judge a draft, and hold what is taken against the decoder."""
    log: Any = Four()
    admin = Principal("a", "hub", Role.ADMIN, "")
    try:
        found = Checks(log, timedelta(days=1)).admit(made, admin, Anything(), NOW)
    except YizhanError as error:
        return error
    topic, route, _, value = found.record
    number = topic.partition(route, log.partitions(topic))
    event = decoder(topic, number, log.partitions(topic))(value)
    assert isinstance(event, Event), event
    return event


def written(data: Mapping[str, Any], *, plain: bool) -> bytes | None:
    try:
        return json.dumps(data, ensure_ascii=plain).encode()
    except UnicodeEncodeError:
        return None


@settings(max_examples=600, deadline=None)
@given(body=bodies(), subject=st.one_of(st.sampled_from(["hub.a", "hub", "ent-1"]), NASTY),
       plain=st.booleans())  # fmt: skip
def test_what_is_accepted_the_decoder_of_the_fold_decodes_to_the_same_content(
    body: tuple[EventType, dict[str, Any]], subject: str, *, plain: bool
) -> None:
    kind, data = body
    raw = written(data, plain=plain)
    assert raw is not None
    try:
        tree = parse(raw)
    except YizhanError:
        return
    found = judged(draft(kind, subject, tree, NOW))
    if isinstance(found, Event):
        assert found.content == content(kind.name, json.loads(raw))


def obeyed(sign: str) -> bool:
    """Whether a sign is a command: to a terminal, or to turn the order of those that follow."""
    unseen = category(sign) in {"Cc", "Zl", "Zp"} and sign not in "\t\n\r"
    return unseen or bidirectional(sign) in TURNS


@settings(max_examples=300, deadline=None)
@given(text=NASTY, mark=NASTY)
def test_a_text_comes_back_letter_by_letter_unless_one_of_them_is_a_command(
    text: str, mark: str
) -> None:
    demands = [text, mark] if text and mark else []
    visit = {name: RIGHT[name] for name in ("revision", "node_id", "enterprise_id", "occurred_at")}
    visit |= {"actor_role": "staff", "actor_ref": "s-17", "demands": demands}
    kind = next(k for k in FACTS if k.name == "yizhan.visit.completed")
    found = judged(draft(kind, "hub.a", parse(json.dumps(visit).encode()), NOW))
    if any(map(obeyed, "".join(demands))):
        assert isinstance(found, Invalid)
        assert {error.rule for error in found.errors} == {"control_character"}
    else:
        assert isinstance(found, Event), found
        assert list(found.data.demands) == demands


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(raw=st.one_of(st.binary(max_size=200), st.builds(json.dumps, ANYTHING).map(str.encode)))
async def test_no_body_whatever_breaks_the_server(station: Station, raw: bytes) -> None:
    for path, media in (
        ("/v1/services", "application/json"),
        ("/v1/heartbeats", "application/json"),
        ("/v1/registry/nodes/new", "application/json"),
        ("/v1/registry/enterprises/new", "application/json"),
        ("/v1/registry/agencies/county.new", "application/json"),
        ("/v1/requests", "application/json"),
        ("/v1/events", BATCH),
        ("/v1/events", "application/x-ndjson"),
    ):
        method = "PUT" if "registry" in path else "POST"
        answer = await station.send(method, path, raw, content_type=media, idempotency_key="x")
        assert answer.status_code in {207, 400, 422}, answer.text
    assert await station.events() == []


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.dictionaries(
        st.sampled_from([*service(), "id", "persons", "x"]), ANYTHING, max_size=2
    )
)
async def test_what_is_answered_with_202_and_nothing_else_lies_in_the_log(
    station: Station, changes: dict[str, Any]
) -> None:
    before = len(await station.events())
    raw = json.dumps({**service(id="yinhu.a"), **changes})
    answer = await station.post("/v1/services", raw)
    assert answer.status_code in {202, 400, 403, 422}, answer.text
    assert len(await station.events()) - before == (answer.status_code == 202)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(attributes=st.dictionaries(
    st.sampled_from([*event("x", "y", {}), "sequence", "traceparent", "x"]), ANYTHING, max_size=2
))  # fmt: skip
async def test_any_envelope_is_answered(station: Station, attributes: dict[str, Any]) -> None:
    before = len(await station.events())
    item = {**event("service.delivered", "yinhu.a", service()), **attributes}
    answer = await station.post("/v1/events", json.dumps([item]), content_type=BATCH)
    assert answer.status_code == 207, answer.text
    good = answer.json()[0]["status"] == 202
    assert len(await station.events()) - before == good


@pytest.mark.parametrize("key", ["a", " a b ", "é", "x" * 255])
async def test_every_key_makes_one_subject(station: Station, key: str) -> None:
    headers = [
        (b"authorization", f"Bearer {station.token}".encode()),
        (b"idempotency-key", key.encode("latin-1")),
    ]
    answers = [
        await station.client.post("/v1/services", json=service(), headers=headers) for _ in range(2)
    ]
    assert [a.status_code for a in answers] == [202, 202]
    assert len({a.json()["subject"] for a in answers}) == 1
