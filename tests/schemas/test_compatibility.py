"""What the contract promised it keeps; and an older reader survives newer events."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.contract import BASELINE
from schemas.compatibility import breaks
from schemas.contract import schema
from schemas.types import TYPES
from tests.schemas.examples import EXAMPLES, accepted, service

BROKEN = """{name} breaks what a release promised:
  {found}
Give the change a type of event of its own; or, if nobody keeps such events yet, make a new
baseline with `make schemas RELEASE=--release` and say so in the commit (schemas/compatibility.py).
"""


@pytest.mark.parametrize("path", sorted(BASELINE.glob("*.json")), ids=lambda path: path.stem)
def test_the_models_of_today_break_nothing_that_was_released(path: Path) -> None:
    assert path.stem in TYPES, f"{path.stem} was released and is gone"
    found = breaks(json.loads(path.read_text(encoding="utf-8")), schema(TYPES[path.stem]))
    assert not found, BROKEN.format(name=path.stem, found="\n  ".join(found))


def test_there_is_a_baseline() -> None:
    assert (BASELINE / "yizhan.service.delivered.json").is_file()


def fields(required: str = "", **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split()}


TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
NULL = {"type": "null"}


def choice(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": list(parts)}


BREAKS = [
    ("a field is removed", fields(a=TEXT), fields(), "a: is gone"),
    ("a field is renamed", fields(a=TEXT), fields(b=TEXT), "a: is gone"),
    ("a new field is required", fields(), fields("a", a=TEXT), "a: must be there now"),
    ("a field becomes required", fields(a=TEXT), fields("a", a=TEXT), "a: must be there now"),
    ("a field becomes optional", fields("a", a=TEXT), fields(a=TEXT), "a: need not be there"),
    ("a field may become null", fields("a", a=TEXT), fields("a", a=choice(TEXT, NULL)),
     "a: may be null"),
    ("null is no longer taken", fields(a=choice(TEXT, NULL)), fields(a=TEXT), "a: was null"),
    ("a default changes", fields(a=WHOLE | {"default": 0}), fields(a=WHOLE | {"default": 1}),
     "a: meant 0 when absent, means 1"),
    ("another type", TEXT, WHOLE, "the whole: was string, is integer"),
    ("a narrower type", NUMBER, WHOLE, "was number, is integer"),
    ("a type where there was none", {}, TEXT, "was anything, is string"),
    ("an alternative goes", choice(TEXT, WHOLE), choice(TEXT, NULL), "was integer, is "),
    ("a value of an enumeration goes", {"enum": ["a", "b"]}, {"enum": ["b", "c"]},
     "no longer takes a"),
    ("a constant changes", {"const": "a"}, {"const": "b"}, "no longer takes a"),
    ("an open list is closed", TEXT, TEXT | {"enum": ["a"]}, "takes nothing but a"),
    ("a minimum rises", WHOLE | {"minimum": 0}, WHOLE | {"minimum": 1}, "minimum was 0, is 1"),
    ("a maximum falls", WHOLE | {"maximum": 9}, WHOLE | {"maximum": 8}, "maximum was 9, is 8"),
    ("a maximum appears", WHOLE, WHOLE | {"maximum": 8}, "maximum was none, is 8"),
    ("texts get shorter", TEXT | {"maxLength": 9}, TEXT | {"maxLength": 8}, "maxLength was 9"),
    ("lists get shorter", {"maxItems": 9}, {"maxItems": 8}, "maxItems was 9"),
    ("a pattern changes", TEXT | {"pattern": "a"}, TEXT | {"pattern": "b"}, "pattern was 'a'"),
    ("a pattern appears", TEXT, TEXT | {"pattern": "b"}, "pattern is new"),
    ("a format appears", TEXT, TEXT | {"format": "uri"}, "format is new"),
    ("a rule that nothing here knows", {}, {"uniqueItems": True}, "uniqueItems is new"),
    ("entries change", {"items": TEXT}, {"items": WHOLE}, "[]: was string, is integer"),
    ("entries are ruled", {}, {"items": WHOLE}, "[]: was anything"),
    ("values change", {"additionalProperties": WHOLE}, {"additionalProperties": TEXT}, ".*: was"),
    ("unknown fields are refused", {}, {"additionalProperties": False}, ".*: takes nothing"),
    ("something deep inside", fields(a=fields(b={"items": fields(c=TEXT)})),
     fields(a=fields(b={"items": fields(c=WHOLE)})), "a.b[].c: was string"),
]  # fmt: skip

KEEPS = [
    ("the same", fields("a", a=TEXT), fields("a", a=TEXT)),
    ("a new field that need not be there", fields(), fields(a=TEXT)),
    ("a wider type", WHOLE, NUMBER),
    ("any type", TEXT, {}),
    ("null is taken as well, where absence meant it", fields(a=TEXT | {"default": ""}),
     fields(a=choice(TEXT, NULL) | {"default": ""})),
    ("one more alternative", choice(TEXT, NULL), choice(TEXT, WHOLE, NULL)),
    ("one more value", {"enum": ["a"]}, {"enum": ["a", "b"]}),
    ("a constant becomes a list", {"const": "a"}, {"enum": ["a", "b"]}),
    ("an open list", TEXT | {"enum": ["a"]}, TEXT),
    ("wider bounds", WHOLE | {"minimum": 1, "maximum": 8}, WHOLE | {"minimum": 0, "maximum": 9}),
    ("no bound", WHOLE | {"minimum": 1}, WHOLE),
    ("no pattern", TEXT | {"pattern": "a"}, TEXT),
    ("unknown fields are taken", {"additionalProperties": False}, {"additionalProperties": TEXT}),
    ("other words", TEXT | {"description": "a", "title": "A"}, TEXT | {"description": "b"}),
    ("fields that are called like rules", fields("title", title=TEXT, enum=TEXT),
     fields("title", title=TEXT, enum=TEXT)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "says"), [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS]
)
def test_a_break_is_found_and_said(old: Any, new: Any, says: str) -> None:
    found = breaks(old, new)
    assert len(found) == 1
    assert says in found[0]


@pytest.mark.parametrize(("old", "new"), [k[1:] for k in KEEPS], ids=[k[0] for k in KEEPS])
def test_room_that_is_added_breaks_nothing(old: Any, new: Any) -> None:
    assert breaks(old, new) == []


def test_references_are_followed_and_their_names_do_not_matter() -> None:
    old = fields(a={"$ref": "#/$defs/A"}) | {"$defs": {"A": fields("b", b=TEXT)}}
    same = fields(a={"$ref": "#/$defs/B"}) | {"$defs": {"B": fields("b", b=TEXT)}}
    other = fields(a={"$ref": "#/$defs/A"}) | {"$defs": {"A": fields("b", b=WHOLE)}}
    assert breaks(old, same) == []
    assert breaks(old, other) == ["a.b: was string, is integer"]


def test_what_refers_to_itself_is_compared_once() -> None:
    def tree(leaf: dict[str, Any]) -> dict[str, Any]:
        node = fields(leaf=leaf, below={"items": {"$ref": "#/$defs/T"}})
        return {"$ref": "#/$defs/T", "$defs": {"T": node}}

    assert breaks(tree(TEXT), tree(TEXT)) == []
    assert breaks(tree(TEXT), tree(WHOLE)) == ["leaf: was string, is integer"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_older_reader_passes_over_what_a_newer_writer_adds(name: str) -> None:
    old = EXAMPLES[name]
    new = {**old, "newattribute": ["x"], "data": old["data"] | {"new_field": {"deep": [1, None]}}}
    before, after = accepted(old), accepted(new)
    assert after.data == before.data
    assert (after.slot, after.subject) == (before.slot, before.subject)


def test_the_content_of_a_fact_includes_the_fields_that_a_reader_does_not_know() -> None:
    plain, more = service(), service(new_field=1)
    assert accepted(more).content != accepted(plain).content
    assert accepted(more).content != accepted(service(new_field=2)).content


def test_the_content_of_a_fact_leaves_out_the_envelope() -> None:
    other = service() | {"id": "another", "time": "2024-01-01T00:00:00Z", "newattribute": 1}
    assert accepted(other).content == accepted(service()).content
    assert accepted(service(revision=2)).content != accepted(service()).content
