"""Whatever the judge says can be read by everybody: each decision passes through the decoder.

`Hall` reads every decision back as it is said; what cannot be read fails there.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from bus import Bus
from schemas.decisions import FEW, Moved, Refused
from schemas.fields import EARLIEST, MOST
from schemas.lifecycle import legal
from schemas.topics import ASSIGNMENTS
from services.matching.asking import MOVES
from services.matching.records import Unreadable
from services.matching.rules import Rules
from services.matching.times import LAST
from tests.matching.hall import CITY, HOME, MORNING, Hall, Json
from tests.matching.running import (
    COUNTIES,
    SOON,
    decided,
    ends,
    matching,
    province,
    record,
    requests,
    run,
    submitted,
)

LONG = Rules(
    offer_for=timedelta(days=30), notice=timedelta(days=30), escalate_after=timedelta(days=30),
    patience=timedelta(days=3650), due_after=timedelta(days=3650), horizon=timedelta(days=365),
)  # fmt: skip
"""Everything as long as it can be set."""


@pytest.fixture
def hall() -> Hall:
    return Hall()


def submit(hall: Hall, **more: Any) -> str:
    """Let an enterprise submit a request, which waits for the station."""
    return hall.submit("r1", actor_role="enterprise", **more)


def begun(hall: Hall, request: str, **accepted: Any) -> None:
    """Let an expert begin to serve a request."""
    hall.expert("li", "STD")
    hall.ask("request.accepted", request, **accepted)
    hall.accept(request)
    assert isinstance(hall.ask("service.started", request), Moved)


def changed(hall: Hall, request: str, **changes: Any) -> None:
    """Let a request have come to something that would take long to come to."""
    book = hall.books[HOME]
    book.cases[request] = book.cases[request].model_copy(update=changes)


def reopened(hall: Hall, request: str) -> Moved | Refused:
    return hall.ask("request.reopened", request, "enterprise", reason="again")


def test_a_case_that_was_given_up_before_it_may_begin_can_be_taken_up_again(hall: Hall) -> None:
    begins = MORNING + timedelta(days=90)
    request = hall.submit("r1", not_before=begins.isoformat())
    hall.later(days=31)
    assert (hall.case(request).state, hall.case(request).outcome) == ("closed", "unmet")
    assert isinstance(reopened(hall, request), Moved)
    assert hall.case(request).demand.need_by == begins + hall.rules.patience
    hall.ask("request.accepted", request)
    assert hall.case(request).state == "unmatched"


def test_a_case_for_which_no_time_is_left_is_not_taken_up_again(hall: Hall) -> None:
    hall.expert("li", "STD")
    request = hall.submit("r1", not_before=LAST.isoformat())
    hall.later(days=31)
    refused = reopened(hall, request)
    assert isinstance(refused, Refused)
    assert (refused.cause, "request.reopened" in refused.legal) == ("no_time", False)
    assert hall.case(request).state == "closed"


@pytest.mark.parametrize("ask", ["service.unblocked", "request.cancelled"])
def test_a_block_moves_what_is_due_to_the_end_of_time_at_most(hall: Hall, ask: str) -> None:
    request = submit(hall)
    begun(hall, request, due_at="2099-12-31T23:59:59+08:00")
    hall.ask("service.blocked", request, reason="sample_in_transit")
    hall.later(hours=1)
    assert isinstance(hall.ask(ask, request), Moved)
    assert hall.case(request).due_at == LAST
    assert hall.case(request).blocked_seconds == 3600
    if ask == "request.cancelled":
        assert not hall.books[HOME].diary.booked


def test_a_block_of_half_a_century_counts_as_long_as_anything_can_be_counted(hall: Hall) -> None:
    hall.now = datetime(2060, 1, 1, tzinfo=UTC)
    request = submit(hall)
    begun(hall, request)
    since = {"since": EARLIEST, "state": "blocked"}
    changed(hall, request, **since)
    assert isinstance(hall.ask("service.unblocked", request), Moved)
    assert hall.case(request).blocked_seconds == MOST


def test_of_very_many_who_were_asked_in_vain_the_latest_are_remembered(hall: Hall) -> None:
    li = hall.expert("li", "STD")
    request = hall.submit("r1")
    changed(hall, request, excluded=tuple(f"{HOME}.e{n}" for n in range(FEW)))
    hall.ask("offer.declined", hall.assigned(request), "expert", resource=li)
    excluded = hall.case(request).excluded
    assert (len(excluded), excluded[0], excluded[-1]) == (FEW, f"{HOME}.e1", li)


def test_of_very_many_who_would_fit_the_first_are_named() -> None:
    hall, needs, dates = Hall(Rules(candidates=1000)), 8, 126
    for date in range(dates):
        start = MORNING + timedelta(days=1, hours=date)
        open_ = [{"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}]
        for n in range(needs):
            hall.expert(f"e{date}-{n}", "STD", calendar=open_)
    wishes = [{"elements": ["STD"]}] * needs
    request = hall.submit("r1", needs=[{**wishes[0], "industry": "salt"}, *wishes[1:]])
    assert len(hall.why(request).would_fit) == FEW


def test_a_request_that_has_moved_a_million_times_can_only_be_ended(hall: Hall) -> None:
    request = submit(hall)
    changed(hall, request, revision=MOVES)
    refused = hall.ask("request.accepted", request)
    assert isinstance(refused, Refused)
    assert (refused.cause, refused.legal) == ("moves", ("request.returned", "request.cancelled"))
    assert isinstance(hall.ask("request.cancelled", request), Moved)


def stamps(now: datetime) -> st.SearchStrategy[datetime]:
    """Times around now, at either end of time, and between."""
    steps = st.sampled_from([-3650, -1, 0, 1, 40, 90, 4000]).map(timedelta)
    near = steps.map(lambda step: min(max(now + step, EARLIEST), LAST))
    edges = st.sampled_from([EARLIEST, LAST, LAST - timedelta(hours=1), LAST - timedelta(40)])
    return near | edges


def demand(draw: Any, now: datetime) -> Json:
    """Return what may be asked for by anybody."""
    asked: Json = {"elements": [draw(st.sampled_from(["STD", "TST", "MET"]))], "mode": "diagnosis"}
    begins, ends = (draw(st.none() | stamps(now)) for _ in range(2))
    if begins is not None and ends is not None and begins >= ends:
        ends = None
    times = {"not_before": begins, "need_by": ends}
    asked |= {name: at.isoformat() for name, at in times.items() if at is not None}
    return asked | {"urgent": draw(st.booleans()), "minutes": draw(st.sampled_from([5, 43_200]))}


def step(hall: Hall, draw: Any, request: str) -> None:
    """Ask something that is legal now, at some stated time."""
    state, which = hall.case(request).state, hall.case(request).assignment
    if state == "offered" and which is not None:
        hall.ask(draw(st.sampled_from(["offer.accepted", "offer.declined"])), which, "expert")
    asks = [(ask, role) for role in ("head", "enterprise") for ask in legal(state, [role])]
    if state == "offered" or not asks:
        return
    ask, role = draw(st.sampled_from(asks))
    more: Json = {"occurred_at": draw(stamps(hall.now)).isoformat()}
    if ask == "request.accepted":
        more["due_at"] = draw(stamps(hall.now)).isoformat()
    if ask == "request.evaluated":
        more["score"] = 5
    if ask in {"service.blocked", "request.returned", "request.disputed", "request.reopened"}:
        more["reason"] = "because"
    hall.ask(ask, request, role, **more)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_is_asked_at_whatever_time_all_that_is_said_can_be_read(
    data: st.DataObject,
) -> None:
    hall = Hall(data.draw(st.sampled_from([Rules(), LONG])))
    hall.now = data.draw(st.sampled_from([MORNING, EARLIEST + timedelta(1), LAST - timedelta(50)]))
    hall.expert("li", "STD")
    hall.expert("wang", "STD", "TST", pool=CITY)
    role = data.draw(st.sampled_from(["staff", "enterprise"]))
    request = hall.submit("r1", actor_role=role, **demand(data.draw, hall.now))
    for _ in range(data.draw(st.integers(1, 12))):
        away = timedelta(days=data.draw(st.sampled_from([0, 0.01, 1, 31, 100, 3651])))
        hall.now = min(hall.now + away, LAST)
        hall.decide()
        step(hall, data.draw, request)


async def test_a_decision_that_nobody_could_read_is_never_written_and_ends_the_matcher(
    log: Bus,
) -> None:
    request = f"{COUNTIES[0]}.r1"
    written: dict[Any, int] = {}
    with pytest.RaisesGroup(Unreadable):
        async with matching(log, escalate_minutes=60) as worker:
            await log.publish([*province(), submitted("r1")])
            await decided(log, worker)
            written = await ends(log, ASSIGNMENTS)
            number = ASSIGNMENTS.partition(COUNTIES[0], log.partitions(ASSIGNMENTS))
            cases = worker.sources[number].book.cases
            cases[request] = cases[request].model_copy(update={"blocked_seconds": MOST + 1})
            ask = record("request.cancelled", f"{COUNTIES[0]}.c1", request_id=request)
            await log.publish([ask])
            async with asyncio.timeout(SOON):
                await asyncio.Event().wait()
    assert await ends(log, ASSIGNMENTS) == written
    await run(log, escalate_minutes=60)
    assert (await requests(log))[request].state == "cancelled"
