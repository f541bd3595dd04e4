"""The funnel: how many requests stand in each state, below any node, kept as moves come in."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from statistics import median
from typing import Any, get_args

from schemas.decisions import Outcome, Reason
from schemas.lifecycle import ENDED
from services.screens.requests.stand import STATES, WAITING, Made, Stand
from services.screens.stamps import stamped

BLOCKS = {
    "sample_in_transit", "equipment_booked", "standard_missing", "licence_pending",
    "fee_not_agreed", "enterprise_absent",
}  # fmt: skip
_TOLD = BLOCKS | set(get_args(Reason))
_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_MOST = 5
OTHER = "other"
"""What a wall says of a reason that it does not know: it may have been written to name somebody."""


@dataclass(slots=True)
class Tally:
    """What is counted of one node's own requests; days hold what counts on a day only."""

    states: Counter[str] = field(default_factory=Counter)
    unmet: int = 0
    escalated: int = 0
    late: set[str] = field(default_factory=set)
    stuck: dict[str, dict[str, int]] = field(default_factory=dict)
    offers: dict[str, Counter[str]] = field(default_factory=dict)
    answers: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, stand: Stand, sign: int) -> None:
        """Count a request, or (with -1) count it no longer."""
        self.states[stand.state] += sign
        self.unmet += sign * (stand.outcome == "unmet")
        self.escalated += sign * (stand.escalations > 0)
        for reason in stand.reasons:
            held = self.stuck.setdefault(reason if reason in _TOLD else OTHER, {})
            _hold(held, stand.id, stand.since if sign > 0 else None)

    def forget(self, before: str) -> None:
        """Let go what counts on earlier days only."""
        for days in (self.offers, self.answers):
            for day in [day for day in days if day < before]:
                del days[day]


class Funnel:
    """Tallies by node; requests that home counts, never those that stand for one elsewhere.

    `tell` is called with a node of which a request has become late, just by the time.
    """

    def __init__(self, tell: Callable[[Iterable[str]], None]) -> None:
        self._tell = tell
        self._tallies: dict[str, Tally] = {}
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str, str]] = []
        self._first = ""

    def begin(self, day: str) -> None:
        """Count nothing of earlier days from now on, but how requests stand."""
        if day > self._first:
            self._first = day
            for tally in self._tallies.values():
                tally.forget(day)

    def change(self, before: Stand | None, after: Stand) -> None:
        """Take a move."""
        if before is not None:
            self._at(before.node).count(before, -1)
        self._at(after.node).count(after, 1)
        self._answer(before, None)
        self._answer(after, after)
        if before is None or (before.node, before.late_at) != (after.node, after.late_at):
            self._time(before, after)

    def offer(self, before: Made | None, after: Made) -> None:
        """Take what became of an offer."""
        for made, sign in ((before, -1), (after, 1)):
            if made is not None and made.day >= self._first:
                self._at(made.node).offers.setdefault(made.day, Counter())[made.outcome] += sign

    def ripen(self, now: int) -> None:
        """See who has become late by now, in milliseconds since 1970."""
        while self._heap and self._heap[0][0] < now:
            at, request, node = heappop(self._heap)
            if self._due.get(request) == at:
                del self._due[request]
                self._at(node).late.add(request)
                self._tell([node])

    def document(self, nodes: Iterable[str], day: str) -> dict[str, Any]:
        """Return what a wall shows of these nodes' requests; nobody's name is in it."""
        found = [tally for node in nodes if (tally := self._tallies.get(node)) is not None]
        states = _sum(tally.states for tally in found)
        offers = _sum(tally.offers[day] for tally in found if day in tally.offers)
        took = [minutes for t in found for minutes in t.answers.get(day, {}).values()]
        return {
            "funnel": [{"state": state, "count": states[state]} for state in STATES],
            "open": sum(states[state] for state in STATES if state not in ENDED),
            "waiting": sum(states[state] for state in WAITING),
            "late": sum(len(tally.late) for tally in found),
            "stuck": _stuck(found),
            "unmet": sum(tally.unmet for tally in found),
            "escalated": sum(tally.escalated for tally in found),
            "offers": {outcome: offers[outcome] for outcome in _OUTCOMES},
            "first_response_minutes": round(median(took)) if took else None,
        }

    def _at(self, node: str) -> Tally:
        return self._tallies.setdefault(node, Tally())

    def _answer(self, stand: Stand | None, now: Stand | None) -> None:
        if stand is not None and stand.answered is not None:
            day, minutes = stand.answered
            if day >= self._first:
                answers = self._at(stand.node).answers.setdefault(day, {})
                _hold(answers, stand.id, minutes if now else None)

    def _time(self, before: Stand | None, after: Stand) -> None:
        if before is not None:
            self._at(before.node).late.discard(before.id)
        self._due.pop(after.id, None)
        if after.late_at is not None:
            self._due[after.id] = after.late_at
            heappush(self._heap, (after.late_at, after.id, after.node))


def _hold(held: dict[str, int], request: str, value: int | None) -> None:
    if value is None:
        held.pop(request, None)
    else:
        held[request] = value


def _sum(tallies: Iterable[dict[str, int]]) -> Counter[str]:
    """Add up; by hand, since Counter.update takes ten times as long for a thousand small ones."""
    total: Counter[str] = Counter()
    for tally in tallies:
        for name, count in tally.items():
            total[name] += count
    return total


def _stuck(found: list[Tally]) -> list[dict[str, Any]]:
    """Return the reasons for which most requests do not go on, and since when the first of them."""
    reasons: dict[str, list[int]] = {}
    for tally in found:
        for reason, held in tally.stuck.items():
            reasons.setdefault(reason, []).extend(held.values())
    rows = sorted((-len(since), reason) for reason, since in reasons.items() if since)[:_MOST]
    return [
        {"reason": reason, "count": -count, "oldest": stamped(min(reasons[reason]))}
        for count, reason in rows
    ]
