"""Random asks, clocks, supply, delays, repeats and takeovers: the judge keeps its word in all.

Three pools above each other share a registry; what they say to each other takes its time. After
every step all that must always hold is checked; at the end everything comes to rest.
"""

from collections import Counter, deque
from datetime import timedelta
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.codec import Event
from schemas.decisions import Moved, Refused
from schemas.lifecycle import BOOKED, ENDED, OWN, PERFORMER, ROLES, TABLE
from schemas.pools import owner
from services.matching.book import Book
from services.matching.rules import Rules
from tests.matching.hall import CITY, HOME, MORNING, PROVINCE, Hall, Json, read

POOLS = (HOME, CITY, PROVINCE)
ELEMENTS = ("STD", "TST", "MET")
LEGAL = {(state, r.to or state, r.ask) for r in TABLE for state in r.of or (None,)} | {*OWN}
CHILD = {
    (None, "matching", "referral"), ("matching", "offered", "matched"),
    ("matching", "committed", "matched"), ("matching", "closed", "nobody"),
    ("offered", "matching", "expired"), ("offered", "matching", "released"),
    ("offered", "matching", "offer.declined"), ("offered", "offered", "offer.accepted"),
    ("offered", "committed", "offer.accepted"), ("committed", "matching", "released"),
    ("committed", "matching", "offer.declined"), ("offered", "cancelled", "withdrawn"),
    ("committed", "cancelled", "withdrawn"), ("committed", "closed", "done"),
    ("committed", "in_service", "begun"), ("in_service", "closed", "done"),
    ("in_service", "cancelled", "withdrawn"), ("offered", "cancelled", "done"),
    ("matching", "cancelled", "withdrawn"),
}  # fmt: skip
"""What a referral does at the pool that was asked."""


class Judge(RuleBasedStateMachine):
    """Everything that can happen to pools."""

    def __init__(self) -> None:
        super().__init__()
        self.hall = Hall(Rules(offer_for=timedelta(minutes=30), patience=timedelta(days=3)))
        self.hall.delayed = deque()
        self.asks: list[tuple[str, str, Json]] = []
        self.requests: list[str] = []

    @initialize()
    def staff_the_pools(self) -> None:
        for pool in POOLS:
            for number, element in enumerate(ELEMENTS[: 2 if pool == HOME else 3]):
                self.hall.expert(f"e{number}", element, "STD", pool=pool, shared=number != 1)
            self.hall.device("d", "TST", pool=pool)

    def _hear(self, kind: str, subject: str, data: Json) -> None:
        stated = self.hall.stated(**data)
        self.asks.append((kind, subject, stated))
        self.hall.decide({owner(subject): [read(kind, subject, stated)]})

    @rule(
        element=st.sampled_from(ELEMENTS),
        role=st.sampled_from(["staff", "staff", "staff", "enterprise", "expert"]),
        minutes=st.sampled_from([30, 240]),
        hours=st.none() | st.integers(2, 60),
        bundle=st.booleans(),
        channel=st.sampled_from(["order", "walk_in"]),
    )
    def submit(self, element: str, role: str, minutes: int, hours: int | None, **more: Any) -> None:
        demand: Json = {"elements": [element], "mode": "consultation", "minutes": minutes}
        demand["channel"] = more["channel"]
        if hours:
            demand["need_by"] = (self.hall.now + timedelta(hours=hours)).isoformat()
        if more["bundle"]:
            demand["needs"] = [{"kinds": ["expert"]}, {"kinds": ["equipment", "expert"]}]
        request = f"{HOME}.r{len(self.requests)}"
        self.requests.append(request)
        data = {"enterprise_id": "ent-1", "demand": demand, "actor_role": role}
        self._hear("request.submitted", request, data)

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        """Ask something that is often legal, of anybody."""
        if not self.requests:
            return
        request = data.draw(st.sampled_from(self.requests))
        case = self.hall.books[HOME].cases.get(request)
        rows = [r for r in TABLE if r.ask.startswith(("request.", "service.", "esc")) and r.of]
        legal = [r for r in rows if case is not None and case.state in r.of]
        wanted = data.draw(st.sampled_from(legal * 8 + rows))
        performers = case.performers if case else ()
        usual = sorted(wanted.by & (PERFORMER if performers else wanted.by)) or sorted(wanted.by)
        role = data.draw(st.sampled_from(usual) | st.sampled_from(sorted(ROLES)))
        more: Json = {"request_id": request, "actor_role": role}
        if role in PERFORMER and performers:
            more["resource"] = data.draw(st.sampled_from(performers))
        if _fields(wanted.ask) == "score":
            more["score"] = 5
        if _fields(wanted.ask) == "reason":
            more["reason"] = "because"
        self._hear(wanted.ask, f"{HOME}.a{len(self.asks)}", more)

    @rule(data=st.data(), yes=st.sampled_from([True, True, False]))
    def answer(self, data: st.DataObject, *, yes: bool) -> None:
        """Answer an offer that is open, or one that is long over."""
        books = {pool: self.hall.books[pool] for pool in POOLS}
        known = [(pool, which) for pool in POOLS for which in books[pool].offers] * 5
        known += [(pool, which) for pool in POOLS for which in books[pool].ended]
        if not known:
            return
        pool, which = data.draw(st.sampled_from(known))
        offer = self.hall.books[pool].offers.get(which)
        members = [m.id for m in offer.members] if offer else [f"{pool}.e0"]
        kind = "offer.accepted" if yes else "offer.declined"
        answer = {"assignment_id": which, "resource": data.draw(st.sampled_from(members))}
        self._hear(kind, f"{pool}.a{len(self.asks)}", answer | {"actor_role": "expert"})

    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        """Let a request take its usual next step, so that some of them get far."""
        books, request = self.hall.books, data.draw(st.sampled_from(self.requests or ["none"]))
        case = books[HOME].cases.get(request)
        if case is None:
            return
        if case.state in _USUAL:
            kind, role = _USUAL[case.state]
            who = case.performers[0] if case.performers and role == "expert" else None
            more = {
                "request_id": request,
                "actor_role": role if who or role != "expert" else "staff",
            }
            self._hear(kind, f"{HOME}.a{len(self.asks)}", more | ({"resource": who} if who else {}))
            return
        while self.hall.delayed:
            self.hall.deliver()
        pool, of = (case.child_pool, case.child) if case.child else (HOME, request)
        standing = books[pool or HOME].cases.get(of or request)
        if standing is not None and standing.state == "offered" and standing.assignment:
            for member in books[pool or HOME].offers[standing.assignment].members:
                if member.answer is None:
                    answer = {"assignment_id": standing.assignment, "resource": member.id}
                    subject = f"{pool or HOME}.a{len(self.asks)}"
                    self._hear("offer.accepted", subject, answer | {"actor_role": "expert"})

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Send an ask again: nothing is said."""
        if not self.asks:
            return
        kind, subject, stated = data.draw(st.sampled_from(self.asks))
        before = self._said()
        self.hall.decide({owner(subject): [read(kind, subject, stated)]})
        assert self._said() == before

    @rule(minutes=st.sampled_from([1, 1, 11, 11, 31, 700]))
    def wait(self, minutes: int) -> None:
        self.hall.later(minutes=minutes)

    @rule(letters=st.integers(1, 3))
    def deliver(self, letters: int) -> None:
        for _ in range(letters):
            self.hall.deliver()

    @rule(
        pool=st.sampled_from(POOLS),
        name=st.sampled_from(["e0", "e1", "d"]),
        status=st.sampled_from(["active", "active", "away", "left"]),
        busy=st.booleans(),
    )
    def change_supply(self, pool: str, name: str, status: str, *, busy: bool) -> None:
        hours = [{"start": MORNING.isoformat(), "end": (MORNING + timedelta(5)).isoformat()}]
        more = {"status": status, "busy": hours if busy else []}
        make = self.hall.device if name == "d" else self.hall.expert
        make(name, "TST", "STD", pool=pool, **more)
        self.hall.decide()

    @rule(pool=st.sampled_from(POOLS))
    def take_over(self, pool: str) -> None:
        """A new matcher reads what was decided: it knows the same, and decides nothing new."""
        new, old = self.hall.replayed(pool), self.hall.books[pool]
        assert _known(new) == _known(old)
        before = self._said()
        self.hall.books[pool] = new
        self.hall.decide()
        assert self._said() == before

    def _said(self) -> int:
        return sum(map(len, self.hall.log.values()))

    @invariant()
    def every_ask_has_one_verdict(self) -> None:
        verdicts = Counter(filter(None, (_asked(e) for log in self.hall.log.values() for e in log)))
        assert verdicts == Counter({(kind, subject): 1 for kind, subject, _ in self.asks})

    @invariant()
    def every_move_is_legal_and_follows_the_one_before(self) -> None:
        for pool, log in self.hall.log.items():
            last: dict[str, Moved] = {}
            for event in log:
                if isinstance(event.data, Moved):
                    moved, before = event.data, last.get(event.subject)
                    assert moved.pool == pool
                    assert moved.revision == (before.revision + 1 if before else 1)
                    assert moved.before == (before.state if before else None)
                    legal = CHILD if moved.kind == "referral" else LEGAL
                    assert (moved.before, moved.state, moved.cause) in legal
                    last[event.subject] = moved

    @invariant()
    def what_is_reserved_is_what_living_assignments_reserve(self) -> None:
        for pool in POOLS:
            book = self.hall.books[pool]
            for which, offer in book.offers.items():
                case = book.cases[offer.request_id]
                assert case.assignment == which
                assert case.state in BOOKED
            wanted = Counter(
                (m.id, m.start, m.end, which) for which, o in book.offers.items() for m in o.members
            )
            found = Counter((r, *b) for r in book.diary.booked for b in book.diary.of(r))
            assert wanted == found

    @invariant()
    def nobody_is_booked_twice(self) -> None:
        for pool in POOLS:
            for bookings in self.hall.books[pool].diary.booked.values():
                ordered = sorted(bookings)
                for one, other in pairwise(ordered):
                    assert one.end <= other.start

    @invariant()
    def nothing_waits_without_an_end(self) -> None:
        for book in self.hall.books.values():
            assert not book.queue
            for request, case in book.cases.items():
                if case.state in {"unmatched", "escalated", "offered"}:
                    assert case.wake_at is not None
                    assert request in book.cases

    def teardown(self) -> None:
        """Let all letters arrive and much time pass: what nobody serves has ended everywhere."""
        for _ in range(10):
            while self.hall.delayed:
                self.hall.deliver()
            self.hall.later(days=2)
        for case in self.hall.books[HOME].cases.values():
            assert case.state not in {"matching", "unmatched", "escalated", "offered"}
        self._no_offer_is_left_open()
        self._no_child_outlives_its_home()

    def _no_offer_is_left_open(self) -> None:
        for book in self.hall.books.values():
            for which, ended in book.ended.items():
                case = book.cases[ended.request]
                assert ended.outcome != "offered"
                if case.state == "cancelled" and case.assignment == which and not case.served:
                    assert ended.outcome == "released"

    def _no_child_outlives_its_home(self) -> None:
        for pool in (CITY, PROVINCE):
            for child, case in self.hall.books[pool].cases.items():
                assert case.home is not None
                parent = self.hall.books[HOME].cases[case.home.request_id]
                if case.state not in ENDED:
                    assert parent.child == child
                    assert parent.state not in ENDED


def _fields(ask: str) -> str:
    return {"request.evaluated": "score"}.get(ask, "reason" if ask in _REASONED else "")


_USUAL = {
    "submitted": ("request.accepted", "staff"), "committed": ("service.started", "expert"),
    "in_service": ("request.result_recorded", "expert"),
    "resulted": ("request.confirmed", "enterprise"),
}  # fmt: skip
_REASONED = {"service.blocked", "request.returned", "request.disputed", "request.reopened"}


def _asked(event: Event) -> tuple[str, str] | None:
    if isinstance(event.data, Refused):
        return event.data.asked, event.subject
    if isinstance(event.data, Moved) and event.data.ask is not None:
        return event.data.cause, event.data.ask
    return None


def _known(book: Book) -> tuple[Any, ...]:
    diary = {resource: sorted(b) for resource, b in book.diary.booked.items()}
    campaigns = {key: n for key, n in book.diary.campaigns.items() if n}
    return (
        book.cases, book.offers, book.ended, book.answered, diary, book.diary.known, campaigns,
        book.queue, book.unmatched,
    )  # fmt: skip


Judge.TestCase.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
TestJudge = Judge.TestCase
