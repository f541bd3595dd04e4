"""A recount from offset 0, in straightforward code that shares only the event models with the fold.

It is meant to be read beside the definitions of the measures: no catalogue, no increments, no
reference counts. It keeps every slot's newest statement and adds everything up afresh when asked.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from schemas import facts
from schemas.codec import Event
from schemas.days import business_day
from schemas.fields import Stated


class Tally:
    """What is counted at one node on one day."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = defaultdict(int)
        self.sets: dict[str, set[str]] = defaultdict(set)


@dataclass(slots=True)
class Recount:
    """What one source partition states: by (type, subject) the highest revision, first come."""

    newest: dict[tuple[str, str], Stated] = field(default_factory=dict)

    def read(self, event: Event) -> None:
        """Take a fact in."""
        slot = (event.slot, event.subject)
        known = self.newest.get(slot)
        if known is None or known.revision < event.data.revision:
            self.newest[slot] = event.data

    def places(self) -> dict[tuple[str, str], Tally]:
        """Add up everything that stands, by node and business day."""
        found: dict[tuple[str, str], Tally] = defaultdict(Tally)
        for (_, subject), data in self.newest.items():
            tally = found[data.node_id, business_day(data.occurred_at)]
            if isinstance(data, facts.BenefitClaimed):
                _benefit(data, self._there(subject), tally)
            else:
                _fact(data, tally)
        return found

    def _there(self, subject: str) -> set[str]:
        """Return which steps of a benefit stand."""
        return {
            step
            for step in ("confirmed", "audited", "withdrawn")
            if (data := self.newest.get((f"yizhan.benefit.{step}", subject)))
            and not isinstance(data, facts.RecordVoided)
        }


def _benefit(data: facts.BenefitClaimed, there: set[str], tally: Tally) -> None:
    if "withdrawn" in there or not data.amount:
        return
    state = "claimed"
    if "confirmed" in there:
        state = "audited" if "audited" in there else "confirmed"
    tally.sums[f"benefit;basis={data.basis};kind={data.kind};state={state}"] += data.amount


def _fact(data: object, tally: Tally) -> None:  # noqa: C901  # one arm for each type of fact
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
        case _:
            pass


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
