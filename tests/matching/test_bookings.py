"""The reader of bookings: what is right passes, crossings too, and each kind of wrong is seen."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from schemas.codec import Event
from schemas.decisions import Moved, Offer
from schemas.types import PREFIX
from tests.matching.bookings import Bookings
from tests.matching.hall import CITY, HOME, Hall, read

Changed = Callable[[Event], Iterable[Event]]
"""What stands in the log instead of a decision."""


def kept(event: Event) -> list[Event]:
    return [event]


def without(kind: str) -> Changed:
    return lambda event: [] if event.kind.name == PREFIX + kind else [event]


def also(kind: str, subject: str, /, **data: Any) -> Changed:
    """Another one of the same kind after each, but for its subject and some of its data."""

    def more(event: Event) -> list[Event]:
        if event.kind.name != PREFIX + kind:
            return [event]
        return [event, read(kind, subject, event.data.model_dump(mode="json") | data)]

    return more


def checked(hall: Hall, changed: Changed = kept) -> Bookings:
    """Return the bookings by what a hall has decided."""
    found = Bookings({f"{pool}.e{n}": 1 for pool in (HOME, CITY) for n in range(2)})
    requests: dict[str, Moved] = {}
    mark = {"partition": 0, "positions": {}, "now": hall.now.isoformat()}
    for pool in (HOME, CITY):
        said = [one for event in hall.log[pool] for one in changed(event)]
        found.take([*said, read("pool.advanced", "advanced/0", mark)])
        requests |= {event.subject: event.data for event in said if isinstance(event.data, Moved)}
    found.ends(requests)
    return found


@pytest.fixture
def hall() -> Hall:
    """A home that has nobody, below a city with an expert."""
    made = Hall()
    made.expert("e0", "STD", pool=CITY)
    return made


def offered(hall: Hall) -> str:
    """Return a request that an expert at home is offered."""
    hall.expert("e0", "STD")
    return hall.submit("r")


def referred(hall: Hall) -> str:
    """Return a request that the city's expert has accepted."""
    request = hall.submit("r")
    hall.later(minutes=10)
    hall.accept(request)
    assert hall.case(request).state == "committed"
    return request


def test_an_offer_lives_until_it_is_answered_no(hall: Hall) -> None:
    request = offered(hall)
    assert len(checked(hall).living) == 1
    hall.ask("offer.declined", hall.assigned(request), "expert")
    assert not checked(hall).living


def test_who_serves_is_booked_until_there_is_a_result(hall: Hall) -> None:
    request = offered(hall)
    hall.accept(request)
    hall.ask("service.started", request)
    assert len(checked(hall).living) == 1
    hall.ask("request.result_recorded", request)
    assert not checked(hall).living


def test_who_serves_by_a_referral_is_booked_at_his_pool_until_it_is_cancelled(hall: Hall) -> None:
    request = referred(hall)
    assert len(checked(hall).living) == 1
    hall.ask("request.cancelled", request)
    assert not checked(hall).living


def stepped_back(hall: Hall) -> str:
    """Return a request whose expert steps back while he is told that the work begins."""
    request = referred(hall)
    hall.delayed = deque()
    hall.ask("offer.declined", hall.assigned(request), "expert")
    hall.ask("service.started", request)
    while hall.delayed:
        hall.deliver()
    assert hall.case(request).state == "in_service"
    return request


def test_who_steps_back_just_as_the_work_begins_leaves_it_to_those_at_home(hall: Hall) -> None:
    stepped_back(hall)
    assert not checked(hall).living


@pytest.mark.parametrize("state", ["in_service", "blocked"])
def test_who_takes_over_from_him_before_that_is_heard_there_is_known_at_home(
    hall: Hall, state: str
) -> None:
    request = referred(hall)
    hall.expert("e1", "STD", pool=CITY)
    hall.delayed = deque()
    hall.ask("offer.declined", hall.assigned(request), "expert")
    hall.accept(request)
    hall.ask("service.started", request)
    if state == "blocked":
        hall.ask("service.blocked", request, reason="equipment")
    begun = hall.case(request)
    while hall.delayed:
        hall.deliver()
    case = hall.case(request)
    assert (case.state, case.performers) == (state, (f"{CITY}.e1",))
    assert (case.since, case.blocked_reason) == (begun.since, begun.blocked_reason)
    assert len(checked(hall).living) == 1


def test_an_offer_whose_end_is_not_told_is_seen(hall: Hall) -> None:
    hall.ask("offer.declined", hall.assigned(offered(hall)), "expert")
    with pytest.raises(AssertionError, match=r"but .* lives"):
        checked(hall, without("match.declined"))


def test_a_request_that_is_served_by_nobody_is_seen(hall: Hall) -> None:
    offered(hall)
    with pytest.raises(AssertionError, match=r"is offered with .*, but set\(\) lives"):
        checked(hall, without("match.offered"))


def test_a_referral_that_is_served_by_nobody_is_seen(hall: Hall) -> None:
    child = f"{referred(hall)}.1"

    def gone(event: Event) -> list[Event]:
        whole = event.data.model_dump(mode="json")
        if event.subject == child:
            return [read("request.moved", child, whole | {"state": "cancelled"})]
        if isinstance(event.data, Offer) and event.data.outcome == "committed":
            over = whole | {"outcome": "released", "member": None}
            return [event, read("match.released", event.subject, over)]
        return [event]

    with pytest.raises(AssertionError, match="that is over"):
        checked(hall, gone)


def test_a_request_that_is_served_twice_at_one_pool_is_seen(hall: Hall) -> None:
    offered(hall)
    with pytest.raises(AssertionError, match="is booked twice"):
        checked(hall, also("match.offered", f"{HOME}.other", members=[]))


def test_one_that_lives_at_home_beside_a_referrals_is_seen(hall: Hall) -> None:
    request = referred(hall)
    offer = hall.offer(request).model_dump(mode="json")
    own = {"request_id": request, "kind": "request", "pool": HOME, "members": []}
    named = {"assignment": f"{HOME}.own", "child": None}

    def both(event: Event) -> list[Event]:
        if isinstance(event.data, Moved) and event.data.cause == "referred":
            living = read("match.committed", f"{HOME}.own", offer | own)
            moved = event.data.model_dump(mode="json") | named
            return [living, read("request.moved", request, moved)]
        return [event]

    with pytest.raises(AssertionError, match="more than one living assignment"):
        checked(hall, both)


def test_an_expert_who_is_booked_twice_at_a_time_is_seen(hall: Hall) -> None:
    offered(hall)
    with pytest.raises(AssertionError, match="is booked 2 times"):
        checked(hall, also("match.offered", f"{HOME}.other", request_id=f"{HOME}.q"))
