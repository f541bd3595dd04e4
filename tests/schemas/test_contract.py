"""The committed JSON Schemas say the same as the models that the codec reads with."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from deploy.contract import CURRENT
from schemas.codec import Event, Flaw, decode
from schemas.contract import DIALECT, files, schema
from schemas.types import TYPES, EventType
from tests.schemas.documents import documents, ordered, spoiled
from tests.schemas.examples import EXAMPLES, accepted, written

KINDS = pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
MODELS = {kind.model: kind for kind in TYPES.values()}
ONE_OF_EACH = pytest.mark.parametrize("kind", MODELS.values(), ids=lambda kind: kind.name)
ONLY_IN_CODE = {"parent", "parents", "target_type", "span", "need_by"}
"""Rules between fields, which the schema leaves to the codec."""

few = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
    phases=[Phase.generate],  # a request that fails would be shrunk for minutes
)


def committed(kind: EventType) -> Any:
    return json.loads((CURRENT / f"{kind.name}.json").read_text(encoding="utf-8"))


def test_the_committed_files_are_those_of_the_models() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in CURRENT.iterdir()}
    made = files()
    differ = sorted(n for n in found.keys() | made.keys() if found.get(n) != made.get(n))
    assert not differ, f"run `make schemas` and commit schemas/json: {', '.join(differ)}"


def test_files_are_stable_readable_and_end_in_a_newline() -> None:
    made = files()
    assert made == files()
    assert "次" in made["yizhan.service.delivered.json"]
    assert all(text.endswith("}\n") for text in made.values())


@KINDS
def test_every_schema_is_valid_and_names_itself(kind: EventType) -> None:
    made = schema(kind)
    Draft202012Validator.check_schema(made)
    assert (made["$schema"], made["$id"]) == (DIALECT, f"/schemas/{kind.name}.json")
    assert made["properties"]["type"]["const"] == kind.name
    assert made["description"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_accepted_by_the_codec_and_by_its_schema(name: str) -> None:
    assert accepted(EXAMPLES[name])
    Draft202012Validator(committed(TYPES[name])).validate(EXAMPLES[name])


@ONE_OF_EACH
@given(st.data())
@few
def test_what_the_schema_takes_the_codec_takes(kind: EventType, data: st.DataObject) -> None:
    whole = schema(kind)
    made = ordered(data.draw(documents(whole, whole)))
    found = decode(written(made))
    assert isinstance(found, Event) or found.rule in ONLY_IN_CODE


@ONE_OF_EACH
@given(st.data())
@few
def test_what_the_codec_takes_the_schema_takes(kind: EventType, data: st.DataObject) -> None:
    whole = schema(kind)
    made = data.draw(documents(whole, whole).flatmap(spoiled))
    if isinstance(decode(written(made)), Event):
        Draft202012Validator(whole).validate(made)


def test_the_schema_refuses_what_the_codec_refuses() -> None:
    validator = Draft202012Validator(schema(TYPES["yizhan.service.delivered"]))
    good = EXAMPLES["yizhan.service.delivered"]
    for field, value in (
        ("revision", 0), ("revision", "1"), ("node_id", "Yinhu"), ("mode", None),
        ("elements", "STD"), ("occurred_at", "2023-05-06T09:30:00"), ("place", "moon"),
    ):  # fmt: skip
        bad = good | {"data": good["data"] | {field: value}}
        assert isinstance(decode(written(bad)), Flaw)
        assert not validator.is_valid(bad)
