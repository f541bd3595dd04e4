"""What is counted from requests and offers: the newest decision about each, and nothing twice."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import Bus
from schemas.codec import Event, decode, encode
from schemas.slots import Verdict
from schemas.topics import ASSIGNMENTS
from services.stats.audit import auditing
from services.stats.fold import Ledger
from services.stats.recount import Recount
from tests.histories import event
from tests.schemas.examples import EXAMPLES
from tests.stats.cases import POOL, Case, Offered, Office, record
from tests.stats.running import letters, totals
from tests.stats.test_worker import run


def read(attributes: dict[str, Any]) -> Event:
    found = decode(encode(attributes))
    assert isinstance(found, Event), found
    return found


def counted(events: list[dict[str, Any]]) -> dict[tuple[str, str, str], int]:
    """Return what the fold makes of decisions, by (node, day, measure key)."""
    ledger = Ledger()
    for attributes in events:
        ledger.apply(read(attributes))
    assert not any(cell.sets for cell in ledger.cells.values())
    return {(*at, key): n for at, cell in ledger.cells.items() for key, n in cell.sums.items()}


def recounted(events: list[dict[str, Any]]) -> dict[tuple[str, str, str], int]:
    """Return what the recount makes of them."""
    recount = Recount()
    for attributes in events:
        recount.read(read(attributes))
    return {
        (*at, key): n for at, tally in recount.places().items() for key, n in tally.sums.items()
    }


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_decisions_in_any_order_and_number_add_up_to_what_happened(seed: int) -> None:
    office = Office("o", Random(seed))
    assert counted(office.events) == office.expected
    assert recounted(office.events) == office.expected


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_a_request_that_moves_through_its_life_is_counted_once_at_every_step(seed: int) -> None:
    case = Case(f"{POOL}.r-1", "yinhu", Random(seed))
    for told in range(1, len(case.events) + 1):
        found = counted(case.events[:told])
        assert found["yinhu", case.day, "requests"] == 1
        states = [key for *_, key in found if key.startswith("open_requests;")]
        assert len(states) == found.get(("yinhu", case.day, "open_requests"), 0) <= 1


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_a_referral_is_never_counted_but_an_offer_made_for_it_is(seed: int) -> None:
    child = Case(f"{POOL}.r-1.1", "yinhu", Random(seed), "referral")
    assert counted(child.events) == {}
    assert recounted(child.events) == {}
    offer = Offered(f"{POOL}.a-1", "yinhu", Random(seed), "referral")
    assert counted(offer.events)["yinhu", offer.day, "offers"] == 1


def test_a_refusal_counts_nothing_and_touches_no_row() -> None:
    refused = EXAMPLES["yizhan.request.refused"]
    ledger = Ledger()
    assert ledger.apply(read(refused)) == (Verdict.STANDS, set())
    assert ledger.cells == {}


def told(**changes: Any) -> dict[str, int]:
    """Return what one request counts that was told like this."""
    first = next(
        e
        for e in Case(f"{POOL}.r-1", "yinhu", Random(0)).events
        if e["data"]["state"] == "submitted"
    )
    submitted = {"submitted_at": "2024-02-10T10:00:00+08:00"}
    whole = first | {"data": first["data"] | submitted | changes}
    return {key: n for (*_, key), n in counted([whole]).items()}


def test_the_first_response_counts_in_whole_seconds_whatever_the_zone() -> None:
    found = told(first_response_at="2024-02-10T02:01:30.999Z")
    assert (found["responded"], found["first_response_seconds"]) == (1, 90)
    at_once = told(first_response_at="2024-02-10T10:00:00+08:00")
    assert at_once["responded"] == 1
    assert "first_response_seconds" not in at_once
    assert "responded" not in told()


def test_a_request_counts_on_the_day_of_its_submission_in_shanghai() -> None:
    late = Case(f"{POOL}.r-1", "yinhu", Random(0)).events[0]
    late = late | {"data": late["data"] | {"submitted_at": "2024-02-10T16:30:00Z"}}
    assert {(node, day) for node, day, _ in counted([late])} == {("yinhu", "2024-02-11")}


@pytest.mark.parametrize(
    ("state", "more", "unmet", "confirmed"),
    [
        ("matching", {"reasons": ["conflict"]}, 0, 0),
        ("unmatched", {"reasons": ["conflict"]}, 1, 0),
        ("escalated", {"reasons": ["conflict"]}, 1, 0),
        ("escalated", {}, 0, 0),
        ("closed", {"outcome": "unmet", "reasons": ["conflict"]}, 1, 0),
        ("closed", {"outcome": "done"}, 0, 1),
        ("cancelled", {"outcome": "withdrawn"}, 0, 0),
        ("resulted", {"served": True}, 0, 0),
        ("confirmed", {"served": True}, 0, 1),
        ("evaluated", {"served": True, "score": 4}, 0, 1),
        ("reopened", {"score": 4}, 0, 0),
    ],
)
def test_what_is_unmet_and_what_is_confirmed(
    state: str, more: dict[str, Any], unmet: int, confirmed: int
) -> None:
    found = told(state=state, **more)
    assert found.get("requests_unmet", 0) == unmet
    assert found.get("requests_unmet;reason=conflict", 0) == unmet
    assert found.get("requests_confirmed", 0) == confirmed


async def test_stats_counts_requests_beside_facts_over_restarts_and_its_audit_agrees(
    log: Bus, tmp_path: Path
) -> None:
    offices = [Office(f"o{n}", Random(n)) for n in range(8)]
    for office in offices:
        await log.publish([record(attributes) for attributes in office.events])
        if office is offices[3]:
            await run(log, tmp_path)
    await run(log, tmp_path)
    expected: dict[tuple[str, str], int] = {}
    for office in offices:
        for (node, _, key), amount in office.expected.items():
            expected[node, key] = expected.get((node, key), 0) + amount
    assert await totals(log) == expected
    assert await letters(log) == {}
    async with auditing(log) as auditor:
        reports = await auditor.check()
    counts = [report for report in reports if report.source.topic == ASSIGNMENTS.name]
    assert len(counts) == log.partitions(ASSIGNMENTS)
    assert sum(report.places for report in counts) > 50
    assert not [d for report in reports for d in report.differences]


async def test_a_decision_that_cannot_be_used_is_a_dead_letter_and_the_others_count(
    log: Bus, tmp_path: Path
) -> None:
    good = Case(f"{POOL}.r-1", "yinhu", Random(3))
    bad = event("request.moved", f"{POOL}.r-2", {"revision": 1, "node_id": "yinhu"})
    elsewhere = (ASSIGNMENTS.partition(POOL, 4) + 1) % 4
    lost = record(good.events[0], elsewhere)
    await log.publish([record(bad), *map(record, good.events), lost])
    await run(log, tmp_path)
    rules = sorted(letter.data.rule for (letter,) in (await letters(log)).values())
    assert rules == ["missing", "route"]
    assert (await totals(log))["yinhu", "requests"] == 1
