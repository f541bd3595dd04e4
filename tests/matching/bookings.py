"""Who is booked by what matching has decided: by the contract in schemas, and nothing else.

Decisions of one partition have an order, those of two have none: what concerns a request and its
referrals elsewhere can only be seen when all is decided.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.codec import Event
from schemas.decisions import Advanced, Moved, Offer
from schemas.lifecycle import BOOKED, ENDED
from schemas.pools import owner

LIVING = frozenset({"offered", "committed"})
PROMISED = frozenset({"offered", "committed"})
"""States that nobody is in without an assignment; staff may begin by themselves, too."""
Span = tuple[datetime, datetime]


class Bookings:
    """The assignments of all partitions that were taken in: those `living`, and those that `ended`.

    `capacity` says how often each resource can be booked at a time.
    """

    def __init__(self, capacity: Mapping[str, int]) -> None:
        self.living: dict[str, Offer] = {}
        self.ended: dict[str, Offer] = {}
        self._capacity = capacity
        self._spans: dict[str, dict[str, Span]] = defaultdict(dict)
        self._own: dict[str, set[str]] = defaultdict(set)

    def take(self, decisions: Sequence[Event]) -> None:
        """Take in a whole partition: nobody is overbooked, and after each step all is in place."""
        cases: dict[str, Moved] = {}
        touched: set[str] = set()
        for event in decisions:
            match event.data:
                case Offer() as offer:
                    self._offer(event.subject, offer)
                    touched.add(offer.request_id)
                case Moved() as moved:
                    cases[event.subject] = moved
                    touched.add(event.subject)
                    for assignment in tuple(self._own[event.subject]) if moved.served else ():
                        self._free(assignment)
                case Advanced():
                    assert touched <= cases.keys(), "an assignment for a request that is not there"
                    for request in touched:
                        self._stands(request, cases[request])
                    touched.clear()

    def _offer(self, assignment: str, offer: Offer) -> None:
        if offer.outcome not in LIVING:
            assert assignment in self.living, f"{assignment} was {offer.outcome}, but did not live"
            self.ended[assignment] = offer
            self._free(assignment)
            return
        self.living[assignment] = offer
        self._own[offer.request_id].add(assignment)
        assert len(self._own[offer.request_id]) == 1, f"{offer.request_id} is booked twice"
        for member in offer.members:
            assert owner(member.id) == offer.pool, "booked at another pool"
            self._spans[member.id][assignment] = member.start, member.end
            most = _most([*self._spans[member.id].values()])
            assert most <= self._capacity[member.id], f"{member.id} is booked {most} times"

    def _free(self, assignment: str) -> None:
        offer = self.living.pop(assignment)
        self._own[offer.request_id].discard(assignment)
        for member in offer.members:
            self._spans[member.id].pop(assignment, None)

    def _stands(self, request: str, case: Moved) -> None:
        """The assignment that a request names lives, if it is its own, and no other one does."""
        own = reserves(case) and case.child is None and case.assignment is not None
        expected = {case.assignment} if own else set()
        told = f"{request} is {case.state} with {case.assignment}"
        assert self._own[request] == expected, f"{told}, but {self._own[request]} lives"
        assert case.assignment is not None or case.state not in PROMISED, told

    def ends(self, requests: Mapping[str, Moved]) -> None:
        """When all is decided, one assignment at most serves a request, wherever it was made."""
        homes = Counter(_home(offer.request_id, requests) for offer in self.living.values())
        twice = [home for home, times in homes.items() if times > 1]
        assert not twice, f"{twice} have more than one living assignment"
        for request, case in requests.items():
            if reserves(case) and case.child is not None:
                self._referred(request, case, requests[case.child])

    def _referred(self, request: str, case: Moved, child: Moved) -> None:
        """Who serves by a referral is booked for it, unless he stepped back as the work began.

        His pool's letter and that of the home have crossed then, and the work is done at home.
        """
        told = f"{request} is {case.state} with {case.assignment}, its referral {child.state}"
        if (gone := self.ended.get(case.assignment or "")) is not None:
            assert case.state not in PROMISED, f"{told}: that is over"
            assert gone.member is not None, f"{told}: he was released, and not by himself"
            assert child.state in ENDED, f"{told}: another one is booked, and home does not know"
        else:
            assert child.state not in ENDED, told
            assert case.assignment == child.assignment, f"{told} with {child.assignment}"
            assert case.assignment in self.living, told


def reserves(case: Moved) -> bool:
    """Whether somebody may be booked for a case: only until it was served for the first time."""
    return case.state in BOOKED and not case.served


def _home(request: str, requests: Mapping[str, Moved]) -> str:
    home = requests[request].home
    return home.request_id if home else request


def _most(spans: list[Span]) -> int:
    """Return how many spans there are at once."""
    return max(sum(start <= at < end for start, end in spans) for at, _ in spans)
