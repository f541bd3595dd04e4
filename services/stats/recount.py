"""A recount from offset 0, in straightforward code that shares only the event models with the fold.

It is meant to be read beside the definitions of the measures: no catalogue, no increments, no
reference counts. It keeps what every slot's newest statement counts and adds everything up afresh
when asked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from schemas import decisions, facts
from schemas.codec import Event
from schemas.days import business_day
from schemas.fields import Stated

T = TypeVar("T")
Place = tuple[str, str]
"""A node and a business day."""


class Tally:
    """What is counted at one node on one day."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = defaultdict(int)
        self.sets: dict[str, set[str]] = defaultdict(set)


class Said(msgspec.Struct, frozen=True, gc=False):
    """What a statement counts by itself. Without `gc`: the collector need not visit millions.

    `claim` is the basis, kind and amount of a benefit: what it counts as, its other steps tell.
    """

    revision: int
    place: Place
    sums: tuple[tuple[str, int], ...]
    sets: tuple[tuple[str, tuple[str, ...]], ...]
    claim: tuple[str, str, int] | None = None
    voided: bool = False


class Recount:
    """What one source partition states: by type and subject the highest revision, first come."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[str, Said]] = defaultdict(dict)
        self._known: dict[Any, Any] = {}

    def read(self, event: Event) -> None:
        """Take a statement in; what states no revision counts nothing."""
        if not isinstance(event.data, Stated):
            return
        slots = self._newest[event.slot]
        known = slots.get(event.subject)
        if known is None or known.revision < event.data.revision:
            slots[event.subject] = self._said(event.data)

    def tallies(
        self, after_each: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Place, Tally]]:
        """Add up everything that stands, and yield it by node and business day, in their order.

        `after_each` is called after every statement: whoever must not be held up can rest there.
        """
        at: dict[Place, list[Said]] = defaultdict(list)
        for slots in list(self._newest.values()):
            for subject, said in slots.items():
                at[said.place].append(self._claimed(subject, said) if said.claim else said)
                after_each()
        for place in sorted(at):
            tally = Tally()
            for said in at.pop(place):
                _add(said, tally)
                after_each()
            yield place, tally

    def places(self) -> dict[Place, Tally]:
        """Return all of it at once."""
        return defaultdict(Tally, self.tallies())

    def _said(self, data: Stated) -> Said:
        """Return what `data` counts; what many say alike is kept once."""
        place = self._once((data.node_id, business_day(_when(data))))
        if isinstance(data, facts.BenefitClaimed):
            claim = (self._once(data.basis), self._once(data.kind), data.amount)
            return Said(data.revision, place, (), (), claim)
        tally = Tally()
        _fact(data, tally)
        sums = tuple((self._once(key), amount) for key, amount in tally.sums.items())
        sets = tuple(
            (self._once(key), tuple(self._once(member) for member in sorted(members)))
            for key, members in tally.sets.items()
        )
        # Of other amounts and larger sets there is no end: kept once, they would be kept for ever.
        if all(amount == 1 for _, amount in sums):
            sums = self._once(sums)
        if all(len(members) == 1 for _, members in sets):
            sets = self._once(sets)
        voided = isinstance(data, facts.RecordVoided)
        return Said(data.revision, place, sums, sets, None, voided)

    def _once(self, value: T) -> T:
        found: T = self._known.setdefault(value, value)
        return found

    def _claimed(self, subject: str, said: Said) -> Said:
        assert said.claim is not None
        basis, kind, amount = said.claim
        there = self._there(subject)
        if "withdrawn" in there or not amount:
            return said
        state = "claimed"
        if "confirmed" in there:
            state = "audited" if "audited" in there else "confirmed"
        sums = ((f"benefit;basis={basis};kind={kind};state={state}", amount),)
        return Said(said.revision, said.place, sums, ())

    def _there(self, subject: str) -> set[str]:
        """Return which steps of a benefit stand."""
        return {
            step
            for step in ("confirmed", "audited", "withdrawn")
            if (said := self._newest[f"yizhan.benefit.{step}"].get(subject)) and not said.voided
        }


def _add(said: Said, tally: Tally) -> None:
    for key, amount in said.sums:
        tally.sums[key] += amount
    for key, members in said.sets:
        tally.sets[key].update(members)


def _when(data: Stated) -> datetime:
    if isinstance(data, decisions.Moved):
        return data.submitted_at
    return data.offered_at if isinstance(data, decisions.Offer) else data.occurred_at


def _fact(data: object, tally: Tally) -> None:  # noqa: C901  # one arm for each type
    sums, sets = tally.sums, tally.sets
    match data:
        case facts.ServiceDelivered():
            _service(data, tally)
        case facts.VisitCompleted():
            sums["visits"] += 1
            sets["enterprises_visited"].add(data.enterprise_id)
        case facts.ProblemFound() | facts.ProblemSolved():
            name = "found" if isinstance(data, facts.ProblemFound) else "solved"
            sums[f"problems_{name}"] += 1
            if data.product is not None:
                sums[f"problems_{name};product={data.product}"] += 1
        case facts.ActivityHeld():
            _activity(data, tally)
        case facts.TitleFiled() | facts.TitleGranted():
            name = "title_filings" if isinstance(data, facts.TitleFiled) else "titles_gained"
            sets[name].add(data.enterprise_id)
            sets[f"{name};title={data.title}"].add(data.enterprise_id)
        case facts.OutcomeRecorded():
            _outcome(data, tally)
        case facts.OutputProduced() if data.kind in _OUTPUTS:
            sums[_OUTPUTS[data.kind]] += data.qty
        case decisions.Moved() if data.kind == "request":
            _request(data, sums)
        case decisions.Offer():
            sums["offers"] += 1
            sums[f"offers;outcome={data.outcome}"] += 1
        case _:
            pass


def _request(data: decisions.Moved, sums: dict[str, int]) -> None:
    sums["requests"] += 1
    if data.state not in {"returned", "closed", "cancelled"}:
        sums["open_requests"] += 1
        sums[f"open_requests;state={data.state}"] += 1
    if data.outcome == "unmet" or (data.state in {"unmatched", "escalated"} and data.reasons):
        sums["requests_unmet"] += 1
        for reason in set(data.reasons):
            sums[f"requests_unmet;reason={reason}"] += 1
    if data.first_response_at is not None:
        sums["responded"] += 1
        _some("first_response_seconds", _seconds(data.submitted_at, data.first_response_at), sums)
    _some("escalations", data.escalations, sums)
    _some("blocked_seconds", data.blocked_seconds, sums)
    _some("results", int(data.served), sums)
    if data.state in {"confirmed", "evaluated"} or (
        data.state == "closed" and data.outcome == "done"
    ):
        sums["requests_confirmed"] += 1
    if data.score is not None:
        sums["evaluated"] += 1
        sums["score"] += data.score


def _seconds(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds()))


def _some(name: str, amount: int, sums: dict[str, int]) -> None:
    if amount:
        sums[name] += amount


def _service(data: facts.ServiceDelivered, tally: Tally) -> None:
    sums, sets = tally.sums, tally.sets
    sums["services_delivered"] += 1
    sums[f"services_delivered;mode={data.mode}"] += 1
    for element in set(data.elements):
        sums[f"services_delivered;element={element}"] += 1
    sets["enterprises_served"].add(data.enterprise_id)
    if data.agency_id is not None:
        sums[f"services_delivered;agency={data.agency_id}"] += 1
        sets[f"enterprises_served;agency={data.agency_id}"].add(data.enterprise_id)
    if data.mode == "consultation" and data.persons:
        sums["consult_person_times"] += data.persons


def _activity(data: facts.ActivityHeld, tally: Tally) -> None:
    for name in ("", f";kind={data.kind}"):
        tally.sums[f"activities_held{name}"] += data.sessions
        if data.persons:
            tally.sums[f"activity_persons{name}"] += data.persons
        tally.sets[f"activity_enterprises{name}"].update(data.enterprises)
    if data.kind == "training":
        tally.sets["enterprises_trained"].update(data.enterprises)


_OUTCOMES = {
    "improved": "enterprises_improved",
    "method_adopted": "method_adopters",
    "benchmark": "benchmark_enterprises",
}
_OUTPUTS = {
    "standard": "standards",
    "report": "std_reports",
    "patent": "patents",
    "certificate": "certificates",
}


def _outcome(data: facts.OutcomeRecorded, tally: Tally) -> None:
    if data.kind in _OUTCOMES:
        tally.sets[_OUTCOMES[data.kind]].add(data.enterprise_id)
    elif data.days:
        tally.sums["licence_days"] += data.days
