"""Measures, patches, health and drift, as functions of what they are given."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.measures import CATALOGUE, MEASURES, key
from schemas.reports import CountersAudited, HeartbeatSent
from services.screens.channel import write
from services.screens.drift import Drift
from services.screens.measures import measures, scaled
from services.screens.patch import difference, merge
from services.screens.pulse import Pulse
from tests.screens.made import NOW

leaves: st.SearchStrategy[Any] = st.sampled_from([None, 0, 1, "x", [], [1, None], {}])
branches = st.dictionaries(st.sampled_from("abc"), leaves)
documents = st.dictionaries(st.sampled_from("abc"), leaves | branches)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return value


@given(documents, documents)
def test_a_patch_makes_the_new_document_of_the_old_but_for_nulls(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    patched = merge(old, difference(old, new))
    assert without_nulls(patched) == without_nulls(new)
    assert bool(difference(new, new)) is False


def test_every_measure_is_always_there_with_its_unit() -> None:
    empty = measures({}, whole=True)
    assert set(empty) == {m.name for m in MEASURES}
    assert empty["services_delivered"] == {"value": 0, "unit": "次"}
    assert empty["benefit"] == {"value": None, "unit": "万元"}


def test_slices_by_one_dimension_stand_in_by_and_joint_ones_in_slices() -> None:
    benefit = key("benefit", kind="direct", state="confirmed", basis="measured")
    found = measures({
        "services_delivered": 3,
        key("services_delivered", element="STD"): 2,
        key("services_delivered", mode="diagnosis"): 1,
        benefit: 5_700_000_000,
    }, whole=False)  # fmt: skip
    assert found["services_delivered"] == {
        "value": 3, "unit": "次", "by": {"element": {"STD": 2}, "mode": {"diagnosis": 1}},
    }  # fmt: skip
    assert found["benefit"]["slices"] == [
        {"kind": "direct", "state": "confirmed", "basis": "measured", "value": 5700}
    ]


@given(st.integers(0, 10**18))
def test_money_is_exact_to_the_last_fen(fen: int) -> None:
    text = write(scaled("benefit", fen)).decode()
    whole, _, rest = text.partition(".")
    assert int(whole) * 10**6 + int(rest.ljust(6, "0") or 0) == fen
    assert isinstance(json.loads(text), float if rest else int)


def hear(pulse: Pulse, node: str, ago: float, behind: float = 0, waiting: int = 0) -> None:
    seen = NOW - timedelta(seconds=ago)
    complete_to = NOW - timedelta(minutes=behind)
    beat = HeartbeatSent.model_validate(
        {"node_id": node, "complete_to": complete_to.isoformat(), "waiting": waiting}
    )
    pulse.hear(beat, int(seen.timestamp() * 1000))


def test_complete_to_is_the_minimum_over_those_that_are_heard() -> None:
    pulse, now = Pulse(300), int(NOW.timestamp() * 1000)
    hear(pulse, "a", ago=10, behind=3, waiting=2)
    hear(pulse, "b", ago=299, behind=7)
    hear(pulse, "c", ago=300, behind=60, waiting=4)
    health = pulse.health(["a", "b", "c", "hub"], ["a", "b", "c", "d"], now)
    assert health == (NOW - timedelta(minutes=7), ["c", "d"], 6)
    assert pulse.health(["c", "d"], ["c", "d"], now).complete_to is None


def report(partition: int, *differences: str) -> CountersAudited:
    return CountersAudited(
        topic="t", partition=partition, catalogue=CATALOGUE, position=9, differences=differences
    )


def test_drift_is_unknown_until_every_source_was_audited_and_found_once_one_differs() -> None:
    drift, sources = Drift(), {("t", 0): (CATALOGUE, 9), ("t", 1): (CATALOGUE, 9)}
    assert drift.answer(sources) == ("unknown", None)
    drift.audited(report(0), 1000)
    assert drift.answer(sources) == ("unknown", 1000)
    drift.audited(report(1), 2000)
    assert drift.answer(sources) == ("none", 1000)
    drift.audited(report(1, "hub: 3 instead of 4"), 3000)
    assert drift.answer(sources) == ("found", 1000)
    assert drift.answer({("t", 0): (CATALOGUE + 1, 9)}) == ("unknown", None)
