"""The catalogue: complete, about facts that exist, and not changed without a new number."""

from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.contribution import DIMENSIONS, contribution, slot
from schemas.measures import CATALOGUE, LIFE_CYCLES, MEASURES, NAMED, Kind, Measure, key, parse
from schemas.topics import COUNTED
from schemas.types import FACTS, MATCHES, TYPES
from tests.schemas.examples import EXAMPLES, accepted

EACH = pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
PINNED = (2, "9ad351bd")


def test_whoever_changes_what_counts_raises_the_number_of_the_catalogue() -> None:
    rules = [sorted((k, str(v)) for k, v in asdict(m).items() if k not in {"zh", "en", "means"})
             for m in sorted(MEASURES, key=lambda m: m.name)]  # fmt: skip
    found = sha256(repr((rules, LIFE_CYCLES)).encode()).hexdigest()[:8]
    assert (CATALOGUE, found) == PINNED, (
        "what counts has changed: raise CATALOGUE in schemas/measures.py, so that everything is "
        f"counted anew, and pin ({CATALOGUE + 1}, {found!r}) here"
    )


def test_names_are_unique() -> None:
    assert len(NAMED) == len(MEASURES)


@EACH
def test_a_measure_says_what_it_is_in_two_languages(measure: Measure) -> None:
    assert measure.zh
    assert not measure.zh.isascii()
    assert measure.en
    assert measure.en.isascii()
    assert measure.unit
    assert measure.means.endswith(".")
    assert measure.scale >= 1


@EACH
def test_enterprises_are_sets_and_sets_are_enterprises(measure: Measure) -> None:
    assert (measure.unit == "家") == (measure.kind is Kind.SET)


@EACH
def test_a_measure_counts_a_fact_by_fields_that_the_fact_has(measure: Measure) -> None:
    (kind, *more) = [kind for kind in TYPES.values() if kind.slot == measure.fact]
    assert all(other.model is kind.model for other in more)
    assert kind.topic in COUNTED
    derived = {name for name in dir(kind.model) if isinstance(vars(kind.model).get(name), property)}
    assert set(_fields(measure)) <= {*kind.model.model_fields, *derived, "state"}


def _fields(measure: Measure) -> Iterator[str]:
    yield from (field for fields in measure.slices for field in fields)
    if measure.of:
        yield measure.of
    if measure.where:
        yield measure.where[0]


def test_the_topics_that_count_are_those_of_the_catalogue() -> None:
    counted = {m.fact for m in MEASURES}
    assert {kind.topic for kind in TYPES.values() if kind.slot in counted} == set(COUNTED)


@pytest.mark.parametrize(
    "one", [m for m in MEASURES if m.fact == "yizhan.request.moved"], ids=lambda m: m.name
)
def test_requests_share_no_unit_with_enterprises_and_none_is_a_referral(one: Measure) -> None:
    assert one.unit in {"件", "次", "秒", "分"}
    assert one.where == ("kind", "request")


@EACH
def test_a_measure_has_a_total_or_slices(measure: Measure) -> None:
    assert measure.total or measure.slices


def test_a_life_cycle_moves_a_measure_over_facts_that_exist() -> None:
    for cycle in LIFE_CYCLES:
        assert NAMED[cycle.measure].fact == cycle.first
        steps = [cycle.first, *(kind for kind, _ in cycle.steps), *cycle.ends]
        assert len(set(steps)) == len(steps)
        assert all(TYPES[kind].is_fact for kind in steps)


WORDS = st.from_regex(r"^[a-z][a-z0-9_]{0,39}\Z")
VALUES = st.from_regex(r"^[A-Za-z0-9_-]{1,64}\Z")


@given(WORDS, st.dictionaries(WORDS, VALUES, max_size=3))
@example("benefit", {"name": "x", "kind": "direct"})
def test_a_key_parses_back(name: str, dimensions: dict[str, str]) -> None:
    assert parse(key(name, **dimensions)) == (name, dimensions)


def test_the_dimensions_of_a_key_are_in_alphabetical_order() -> None:
    assert key("benefit", state="claimed", kind="direct") == "benefit;kind=direct;state=claimed"
    assert key("visits") == "visits"


COUNTING = [kind.name for kind in (*FACTS, *MATCHES)] + ["yizhan.request.moved"]


@pytest.mark.parametrize("name", COUNTING)
def test_facts_requests_and_offers_count_under_keys_of_the_catalogue_that_parse_back(
    name: str,
) -> None:
    for counts in contribution([slot(accepted(EXAMPLES[name]))]):
        for found, _ in (*counts.sums, *counts.members):
            measure, dimensions = parse(found)
            assert key(measure, **dimensions) == found
            slices = {tuple(sorted(DIMENSIONS.get(f, f) for f in s)) for s in NAMED[measure].slices}
            assert tuple(dimensions) in slices | {()}
            assert dimensions or NAMED[measure].total
