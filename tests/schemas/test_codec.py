"""Bytes become an event or a flaw that says why; never anything else, and never slowly."""

import gc
import json
from collections.abc import Iterator
from random import Random
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.codec import Event, Flaw, content, decode, decoder, encode
from schemas.topics import HEARTBEATS, MAX_RECORD, RESULTS
from schemas.types import TYPES
from tests.schemas.documents import TEXT
from tests.schemas.examples import EXAMPLES, accepted, event, refused, service, written

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
GOOD = written(service())
DATA = b'"data": {'


def spelled(value: Any, rng: Random) -> str:
    """Write JSON in some other way that means the same."""
    gap = rng.choice(("", " ", "\n\t", "\r\n  "))
    match value:
        case dict():
            entries = list(value.items())
            rng.shuffle(entries)
            inner = [f"{spelled(k, rng)}{gap}:{spelled(v, rng)}" for k, v in entries]
            text = "{" + ",".join(inner) + "}"
        case list():
            text = "[" + ",".join(spelled(v, rng) for v in value) + "]"
        case str():
            text = '"' + "".join(_character(c, rng) for c in value) + '"'
        case float() if "e" not in repr(value):
            text = repr(value) + "0" * rng.randrange(3)
        case _:
            text = json.dumps(value)
    return gap + text + gap


def _character(char: str, rng: Random) -> str:
    if rng.random() < 0.2:
        units = char.encode("utf-16-be").hex()
        return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    return json.dumps(char, ensure_ascii=False)[1:-1]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_canonical_encoding_is_its_own(name: str) -> None:
    value = encode(EXAMPLES[name])
    assert encode(json.loads(value)) == value
    assert isinstance(decode(value), Event)


@given(st.dictionaries(TEXT, JSON, max_size=4), st.integers(0, 2**32))
@settings(deadline=None)
@example({"x": 2**64, "y": -(2**63) - 1, "z": 10**300}, 0)
@example({"x": 1e22, "y": 1.0, "z": -0.0}, 0)
def test_any_spelling_of_an_event_has_the_same_content(more: dict[str, Any], seed: int) -> None:
    attributes = service(unknown=more)
    other = spelled(attributes, Random(seed)).encode()
    plain, twin = decode(encode(attributes)), decode(other)
    assert isinstance(plain, Event)
    assert isinstance(twin, Event)
    assert twin == plain
    assert plain.content == content("yizhan.service.delivered", attributes["data"])


def test_the_content_of_a_fact_is_its_type_and_its_data() -> None:
    kinds = {
        accepted(event(kind, "yinhu.1", EXAMPLES["yizhan.benefit.confirmed"]["data"])).content
        for kind in ("benefit.confirmed", "benefit.audited", "benefit.withdrawn")
    }
    assert len(kinds) == 3


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_a_flaw(value: bytes) -> None:
    assert isinstance(decode(value), Flaw)


@given(JSON)
@settings(deadline=None)
def test_arbitrary_json_is_a_flaw(value: Any) -> None:
    assert isinstance(decode(json.dumps(value).encode()), Flaw)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Take an event and cut, double, or overwrite a piece of its text."""
    value = draw(st.sampled_from([encode(e) for e in EXAMPLES.values()]))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(value)))
        end = min(start + draw(st.integers(0, 20)), len(value))
        piece = draw(st.sampled_from([b"", value[start:end] * 2]) | st.binary(max_size=8))
        value = value[:start] + piece + value[end:]
    return value


@given(mutated())
@settings(max_examples=400, deadline=None)
def test_whatever_is_done_to_an_event_it_is_read_or_refused_and_says_why(value: bytes) -> None:
    found = decode(value)
    if isinstance(found, Flaw):
        assert found.rule
        assert found.detail
        assert max(map(len, found)) <= 500
    else:
        again = decode(encode(json.loads(value)))
        assert isinstance(again, Event)
        assert again.content == found.content


@pytest.mark.parametrize(
    ("inserted", "field"),
    [
        (b'"mode": "x", ', "mode"),
        (b'"x": {"k": 1, "k": 1}, ', "k"),
        (b'"x": [0, [{"y": {"k": 1, "l": 2, "k": 2}}]], ', "k"),
        (b'"x": {"a": 1, "\\u0061": 2}, ', "a"),
    ],
)
def test_a_key_that_stands_twice_at_any_depth_is_named(inserted: bytes, field: str) -> None:
    assert refused(GOOD.replace(DATA, DATA + inserted)) == ("duplicate_key", field)


def test_a_key_that_stands_twice_in_the_envelope_is_named() -> None:
    assert refused(GOOD.replace(b"{", b'{"id": "1", ', 1)) == ("duplicate_key", "id")


@pytest.mark.parametrize(
    "inserted",
    [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"01", b"+1", b"'x'", b'"\\ud800"',
     b'"\\udc00\\ud800"', b'"\xed\xa0\x80"', b'"\xff"', b'"\x01"', b'{"\\ud800": 1}',
     b"[" * 300 + b"]" * 300, b"[" * 3000 + b"]" * 3000, b"1" * 5000],
    ids=lambda value: repr(value[:20]),
)  # fmt: skip
def test_what_is_no_json_or_not_everybodys_is_a_flaw_of_the_whole(inserted: bytes) -> None:
    assert refused(GOOD.replace(DATA, DATA + b'"x": ' + inserted + b", ")) == ("json", "")


@pytest.mark.parametrize("nested", [b"[" * 150 + b"]" * 150, b'{"a":' * 150 + b"1" + b"}" * 150])
def test_reasonable_nesting_in_an_unknown_field_is_no_flaw(nested: bytes) -> None:
    assert isinstance(decode(GOOD.replace(DATA, DATA + b'"x": ' + nested + b", ")), Event)


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        (b"", ("json", "")),
        (b"\xef\xbb\xbf" + GOOD, ("json", "")),
        (GOOD.decode().encode("utf-16"), ("json", "")),
        (GOOD + b" x", ("json", "")),
        (GOOD + GOOD, ("json", "")),
        (b"[1]", ("object", "")),
        (b"null", ("object", "")),
        (b"{}", ("type", "type")),
        (b'{"type": ["yizhan.service.delivered"]}', ("type", "type")),
        (b" " * (MAX_RECORD + 1), ("size", "")),
    ],
    ids=["empty", "bom", "utf-16", "rest", "two", "list", "null", "no type", "types", "large"],
)
def test_what_is_no_event_at_all_says_so(value: bytes, flaw: tuple[str, str]) -> None:
    assert refused(value) == flaw


def test_a_record_without_a_value_says_so() -> None:
    found = decode(None)
    assert isinstance(found, Flaw)
    assert found.rule == "null"


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("revision", "1", "int_type"),
        ("revision", 1.0, "int_type"),
        ("revision", True, "int_type"),
        ("revision", 0, "greater_than_equal"),
        ("revision", 1_000_001, "less_than_equal"),
        ("revision", 10**40, "less_than_equal"),
        ("node_id", "Yinhu", "string_pattern_mismatch"),
        ("node_id", "yinhu\n", "string_pattern_mismatch"),
        ("enterprise_id", None, "string_type"),
        ("elements", "STD", "tuple_type"),
        ("place", "moon", "literal_error"),
        ("minutes", -1, "greater_than_equal"),
    ],
)
def test_a_wrong_field_is_named_with_its_rule(field: str, value: Any, rule: str) -> None:
    assert refused(service(**{field: value})) == (rule, f"data.{field}")


@pytest.mark.parametrize("name", ["specversion", "id", "source", "subject", "time", "data"])
def test_a_missing_attribute_is_named(name: str) -> None:
    assert refused({k: v for k, v in service().items() if k != name}) == ("missing", name)


@pytest.mark.parametrize(
    "subject", ["", "yinhu", "Yinhu.1", "yinhu.", "yinhu.1\n", "yinhu." + "x" * 65, "银湖.1"]
)
def test_the_subject_of_a_fact_names_its_origin(subject: str) -> None:
    assert refused(service() | {"subject": subject}) == ("string_pattern_mismatch", "subject")


def test_a_document_takes_its_own_names_and_no_inner_ones() -> None:
    moved = EXAMPLES["yizhan.node.moved"]
    inner = moved["data"] | {"parents": [{"parent": "yubei", "since": "2023-01-01"}]}
    assert accepted(moved).data.parents[0].since == "2023-01-01"
    assert refused(moved | {"data": inner}) == ("missing", "data.parents.0.from")


def test_a_void_speaks_about_the_slot_that_it_voids() -> None:
    void = EXAMPLES["yizhan.record.voided"]
    assert accepted(void).slot == "yizhan.service.delivered"
    assert accepted(service()).slot == "yizhan.service.delivered"


@pytest.mark.parametrize(
    "target", ["yizhan.record.voided", "yizhan.node.opened", "yizhan.a.b", "yizhan.a." + "b" * 900]
)
def test_only_facts_can_be_voided(target: str) -> None:
    void = EXAMPLES["yizhan.record.voided"]
    bad = void | {"data": void["data"] | {"target_type": target}}
    assert refused(bad) == ("target_type", "data.target_type")


def test_an_event_on_another_topic_is_a_flaw_of_its_type() -> None:
    found = decoder(HEARTBEATS, 0, 4)(GOOD)
    assert isinstance(found, Flaw)
    assert (found.rule, found.field) == ("topic", "type")


def test_an_event_is_taken_on_its_own_partition_and_on_no_other() -> None:
    own = RESULTS.partition(service()["subject"], 4)
    for partition in range(4):
        found = decoder(RESULTS, partition, 4)(GOOD)
        if partition == own:
            assert isinstance(found, Event)
        else:
            assert isinstance(found, Flaw)
            assert (found.rule, found.field) == ("route", "subject")


def test_a_decoder_passes_flaws_on() -> None:
    found = decoder(RESULTS, 0, 4)(b"[")
    assert isinstance(found, Flaw)
    assert found.rule == "json"


SIZE = 990_000


def _with(more: bytes) -> bytes:
    return GOOD.replace(DATA, DATA + more + b", ")


def _keys(count: int) -> bytes:
    return b",".join(b'"%d": 1' % n for n in range(count))


def _counters(**more: Any) -> bytes:
    good = EXAMPLES["yizhan.counter.updated"]
    return written(good | {"data": good["data"] | more})


HOSTILE = {
    "open lists": b"[" * SIZE,
    "closed lists": b"[" * (SIZE // 2) + b"]" * (SIZE // 2),
    "open objects": b'{"a":' * (SIZE // 5),
    "lists in an event": _with(b'"x": ' + b"[" * 400_000 + b"]" * 400_000),
    "digits": _with(b'"x": ' + b"1" * SIZE),
    "decimals": _with(b'"x": 0.' + b"1" * SIZE),
    "an exponent": _with(b'"x": 1e' + b"1" * SIZE),
    "spaces": b" " * SIZE + b"{}",
    "escapes": _with(b'"x": "' + b"\\u00e9" * 160_000 + b'"'),
    "backslashes": b'"' + b"\\" * SIZE,
    "many keys": _with(_keys(80_000)),
    "many keys, the last twice": _with(_keys(80_000) + b', "79999": 2'),
    "many keys, each twice": _with(_keys(40_000) + b"," + _keys(40_000)),
    "many small lists": _with(b'"x": [' + b"[]," * 300_000 + b"0]"),
    "a long subject": GOOD.replace(b"yinhu.svc", b"yinhu." + b"a" * SIZE),
    "a long time": GOOD.replace(b"09:30:00", b"09:30:00." + b"1" * SIZE),
    "a long type": GOOD.replace(b"yizhan.", b"y" * SIZE),
    "a long key": _counters(sums={"k" * SIZE: "x"}),
    "many wrong sums": _counters(sums=dict.fromkeys(map(str, range(60_000)), "x")),
    "a wrong set": _counters(sets={"a": [1] * 300_000}),
}


def seconds(value: bytes) -> float:
    """Return how long decoding takes; the collector would look at what other tests hold, too."""
    gc.disable()
    try:
        begin = process_time()
        decode(value)
        return process_time() - begin
    finally:
        gc.enable()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_megabyte_is_judged_quickly_and_its_flaw_is_small(name: str) -> None:
    assert len(HOSTILE[name]) <= MAX_RECORD
    assert seconds(HOSTILE[name]) < 0.5
    found = decode(HOSTILE[name])
    if isinstance(found, Flaw):
        assert max(map(len, found)) <= 500


def _lists() -> Iterator[tuple[str, str]]:
    """Find every list that the data of some type may hold."""
    for name, kind in TYPES.items():
        fields = kind.model.model_json_schema()["properties"]
        yield from ((name, field) for field, rule in fields.items() if rule.get("type") == "array")


@pytest.mark.parametrize(("name", "field"), list(_lists()))
def test_a_megabyte_of_wrong_entries_is_refused_at_the_first(name: str, field: str) -> None:
    good = EXAMPLES.get(name) or event(name.removeprefix("yizhan."), "yinhu.1", {})
    value = written(good | {"data": good["data"] | {field: [1] * 300_000}})
    assert isinstance(decode(value), Flaw)
    assert seconds(value) < 0.1  # the first wrong entry is enough
