"""The book of one partition: the fold of everything its matcher has decided.

The newest request.moved of a request is the request, the newest match.* of an assignment is the
assignment; all else here is an index over them. So whoever applies the decisions of a partition
from its beginning has the book that its matcher had.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import Any, NamedTuple

from schemas.decisions import Advanced, Member, Moved, Offer, Outcome, Refused
from schemas.fields import Frozen
from schemas.lifecycle import BOOKED
from schemas.types import EventType
from services.matching.diary import Diary

LIVING: frozenset[Outcome] = frozenset({"offered", "committed"})
START = datetime(2000, 1, 1, tzinfo=UTC)


class Said(NamedTuple):
    """A decision, or what one pool says to another."""

    kind: EventType
    subject: str
    data: Frozen


class Ended(NamedTuple):
    """An assignment that reserves nothing any more."""

    request: str
    outcome: Outcome


@dataclass(slots=True)
class Book:
    """Requests and assignments as they stand, and what can be found from them.

    `cases` goes by request, `offers` by living assignment, `ended` by the others. `answered` holds
    (type, id) of every ask that has its verdict. `waiting` and `unmatched` are requests in those
    states. `freed` are who became free since the last round, or changed: ids of resources,
    enterprises, or whole pools. `hopeful` are unmatched requests to be looked at in the rounds that
    follow, because of those in `stirred`.
    """

    cases: dict[str, Moved] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)
    answered: set[tuple[str, str]] = field(default_factory=set)
    diary: Diary = field(default_factory=Diary)
    queue: set[str] = field(default_factory=set)
    unmatched: set[str] = field(default_factory=set)
    freed: set[str] = field(default_factory=set)
    hopeful: set[str] = field(default_factory=set)
    stirred: set[str] = field(default_factory=set)
    positions: dict[str, int] = field(default_factory=dict)
    now: datetime = START
    seen: int | None = None
    """The version of the supply that every booking was checked against."""
    _alarms: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def waiting(self) -> bool:
        """Whether cases wait for a round."""
        return bool(self.queue or self.hopeful)

    def apply(self, kind: EventType, subject: str, data: Any) -> None:  # noqa: ANN401  # any model
        """Take in one decision of this partition."""
        del kind
        match data:
            case Moved():
                self._move(subject, data)
            case Offer():
                self._offer(subject, data)
            case Refused():
                self.answered.add((data.asked, subject))
            case Advanced():
                self.positions, self.now = dict(data.positions), data.now

    def due(self) -> datetime | None:
        """Return when the clock alone next changes something; None: never."""
        while self._alarms and not self._rings(*self._alarms[0]):
            heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    def ring(self, now: datetime) -> Iterator[str]:
        """Yield, once, the requests whose time has come."""
        while (at := self.due()) is not None and at <= now:
            yield heappop(self._alarms)[1]

    def alarm(self, at: datetime, request: str) -> None:
        """Look at a request again, although its last move does not say so."""
        heappush(self._alarms, (at, request))

    def living(self, request: str, case: Moved) -> str | None:
        """Return a request's own living assignment; that of its referral is not its own.

        Both may be in this book: two pools can share a partition.
        """
        offer = self.offers.get(case.assignment) if case.assignment else None
        return case.assignment if offer is not None and offer.request_id == request else None

    def _rings(self, at: datetime, request: str) -> bool:
        wake = self.cases[request].wake_at
        return wake is not None and wake <= at

    def _move(self, request: str, now: Moved) -> None:
        before = self.cases.get(request)
        self.cases[request] = now
        if now.ask is not None:
            self.answered.add((now.cause, now.ask))
        self._index(self.queue, request, within=now.state == "matching")
        self._index(self.unmatched, request, within=now.state == "unmatched")
        if now.wake_at is not None:
            heappush(self._alarms, (now.wake_at, request))
        if before is not None and now.served and not before.served:
            for performer in before.performers:
                self.diary.known[performer, now.enterprise_id] += 1
        self._let_go(request, now)

    @staticmethod
    def _index(ids: set[str], request: str, *, within: bool) -> None:
        if within:
            ids.add(request)
        else:
            ids.discard(request)

    def _let_go(self, request: str, now: Moved) -> None:
        """Free what a request has no more use for: it was served, or it ended."""
        own = self.living(request, now)
        if own is not None and (now.served or now.state not in BOOKED):
            offer = self.offers.pop(own)
            self._free(own, offer.request_id, offer.outcome, offer.members)

    def _offer(self, assignment: str, now: Offer) -> None:
        standing, lives = self.offers.get(assignment), now.outcome in LIVING
        if standing is not None and not (lives and _times(standing) == _times(now)):
            # Over, or made anew: the move that told of the first was by a version not known here.
            del self.offers[assignment]
            self._campaign(standing, -1)
            self._free(assignment, now.request_id, now.outcome, standing.members)
        if lives:
            if assignment not in self.offers:
                self.diary.book(assignment, now.members)
                self._campaign(now, 1)
            self.offers[assignment] = now

    def _campaign(self, offer: Offer, count: int) -> None:
        demand = self.cases[offer.request_id].demand
        for campaign in filter(None, (demand.campaign_id, demand.project_id)):
            for member in offer.members:
                self.diary.campaigns[member.id, campaign] += count

    def _free(
        self,
        assignment: str,
        request: str,
        outcome: Outcome,
        members: tuple[Member, ...],
    ) -> None:
        self.diary.free(assignment, members)
        self.ended[assignment] = Ended(request, outcome)
        self.freed.update(member.id for member in members)


def _times(offer: Offer) -> list[tuple[str, datetime, datetime]]:
    return [(member.id, member.start, member.end) for member in offer.members]
