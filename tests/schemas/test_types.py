"""Every type of event: its name, its topic, its slot."""

from pathlib import Path

import pytest

from schemas.decisions import Advanced
from schemas.envelope import envelope
from schemas.topics import ASSIGNMENTS, REFERRALS, REQUESTS, TOPICS
from schemas.types import ENTERPRISES, FACTS, NODES, PREFIX, TARGETS, TYPES, VOID, EventType
from tests.schemas.examples import EXAMPLES, accepted

ROUTES = {REQUESTS: "yubei", ASSIGNMENTS: "yubei", REFERRALS: "chongqing"}
"""Where the examples go that are not routed by their subject."""
EACH = pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
SURFACE = Path(__file__).with_name("types.txt")


def test_the_public_types_and_their_topics() -> None:
    found = [f"{kind.name} on {kind.topic.name}" for kind in TYPES.values()]
    pinned = SURFACE.read_text(encoding="utf-8").splitlines()
    assert sorted(found) == pinned, (
        f"a type is new, gone or moved: if meant, say so in {SURFACE.name}"
    )


def test_no_type_is_declared_twice() -> None:
    models = [kind.model for kind in FACTS]
    assert len(set(models)) == len(models)
    assert all(name == kind.name for name, kind in TYPES.items())


@EACH
def test_a_type_has_a_name_a_topic_and_a_model_that_says_what_it_means(kind: EventType) -> None:
    assert kind.name.startswith(PREFIX)
    assert kind.name.count(".") == 2
    assert kind.topic in TOPICS
    assert (kind.model.__doc__ or "").rstrip().endswith(".")


@EACH
def test_a_model_takes_what_it_does_not_know_and_stays_as_it_was_read(kind: EventType) -> None:
    for model in (kind.model, envelope(kind)):
        assert model.model_config.get("frozen")
        assert model.model_config.get("strict")
        assert model.model_config.get("extra") == "ignore"


def test_the_model_of_an_envelope_is_made_once() -> None:
    kind = TYPES["yizhan.service.delivered"]
    assert envelope(kind) is envelope(kind)


def test_documents_about_one_thing_share_a_slot_and_facts_have_their_own() -> None:
    assert {kind.slot for kind in NODES} == {"yizhan.node"}
    assert {kind.slot for kind in ENTERPRISES} == {"yizhan.enterprise"}
    assert all(kind.slot == kind.name for kind in FACTS)


@pytest.mark.parametrize(
    "kind", [k for k in TYPES.values() if k.model is not Advanced], ids=lambda k: k.name
)
def test_what_a_type_is_routed_by_is_what_its_example_names(kind: EventType) -> None:
    event = accepted(EXAMPLES[kind.name])
    assert kind.route(event.subject, event.data) == ROUTES.get(kind.topic, event.subject)


def test_a_report_on_a_partition_is_routed_into_it_and_a_decision_by_its_pool() -> None:
    advanced = accepted(EXAMPLES["yizhan.pool.advanced"])
    for number in (0, 3):
        data = advanced.data.model_copy(update={"partition": number})
        assert advanced.kind.route(advanced.subject, data) == number
    moved = accepted(EXAMPLES["yizhan.request.moved"])
    child = moved.data.model_copy(update={"pool": "chongqing"})
    assert moved.kind.route("yubei.r-1.1", child) == "chongqing"


def test_every_fact_but_a_void_can_be_voided() -> None:
    assert {kind.name for kind in FACTS} - TARGETS == {VOID}
    assert all(kind.is_fact == (kind in FACTS) for kind in TYPES.values())
