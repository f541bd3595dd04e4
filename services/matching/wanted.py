"""What a case wants, as choosing looks at it: defaults filled in, times in microseconds."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from schemas.decisions import Reason
from schemas.demand import Demand, Need
from services.matching.choice import Case
from services.matching.loan import ceiling
from services.matching.rules import Rules
from services.matching.supply import Supply
from services.matching.times import MINUTE, Span, instant, rounded

if TYPE_CHECKING:
    from services.matching.option import Fit


@dataclass(frozen=True, slots=True)
class Wanted:
    """One case. `enterprise` is what it was merged into; `barred` are bodies that must not serve.

    The work takes `length` and lies in `window`, which is empty when it is too late. `flaws` are
    what the request itself lacks, whoever would serve. `fits` keeps, by need, who fits at any time.
    """

    case: Case
    demand: Demand
    needs: tuple[Need, ...]
    enterprise: str
    window: Span
    length: int
    barred: frozenset[str]
    flaws: frozenset[Reason]
    fits: "dict[int, list[Fit]]" = field(default_factory=dict, compare=False, repr=False)

    @property
    def single(self) -> bool:
        """Whether one member is enough."""
        return len(self.needs) == 1

    @property
    def turn(self) -> tuple[bool, datetime, str]:
        """Whose turn it is: urgent ones first, then who has waited longest."""
        return (not self.demand.urgent, self.case.moved.submitted_at, self.case.id)


def wanted(case: Case, supply: Supply, now: datetime, rules: Rules) -> Wanted:
    """Return what a case wants."""
    demand, enterprise = case.moved.demand, case.moved.enterprise_id
    resolve = supply.registry.resolve
    named = (*demand.conflicts, enterprise)
    return Wanted(
        case,
        demand,
        demand.needs or (Need(elements=demand.elements),),
        resolve(enterprise),
        _window(demand, now, rules),
        demand.minutes * MINUTE,
        frozenset((*named, *map(resolve, named))),
        frozenset(_flaws(case, supply, now, rules)),
    )


def _window(demand: Demand, now: datetime, rules: Rules) -> Span:
    """Return when the work may be done: people get notice, unless that would make it too late."""
    since, until = rounded(instant(now)), instant(demand.need_by or now + rules.horizon)
    if not (demand.urgent or demand.channel == "walk_in"):
        noticed = rounded(instant(now + rules.notice))
        since = noticed if noticed + demand.minutes * MINUTE <= until else since
    if demand.not_before:
        since = max(since, instant(demand.not_before))
    return since, until


def _flaws(case: Case, supply: Supply, now: datetime, rules: Rules) -> set[Reason]:
    demand, found = case.moved.demand, set[Reason]()
    if demand.consent == "needed" and demand.consent_ref is None:
        found.add("consent_missing")
    if demand.loan is not None:
        most = ceiling(case.moved.enterprise_id, supply, now, rules)
        if demand.loan.amount > most or demand.loan.ground is None:
            found.add("ineligible")
    return found
