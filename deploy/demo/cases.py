"""The printed cases: one enterprise's benefit, and who filed for which title.

What enterprises improved and which standards were drafted is nowhere printed, and made up.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from deploy.demo.days import FIRST, LAST, moments
from deploy.demo.event import Event, dice, event
from deploy.demo.firms import MAKER, Firms
from deploy.demo.places import WAN
from schemas.days import SHANGHAI

FILED = {"city_quality_award": 9, "hidden_champion": 2, "little_giant": 5}
GAINED = 11
ABOVE_SCALE = "above_scale"


def cases(of: Mapping[str, Firms]) -> list[Event]:
    """Return the benefit case of silicone rubber, its outputs, and all titles."""
    return [*_benefit(MAKER), *_outputs(MAKER), *_titles(of), *_improved(of)]


def _benefit(firm: str) -> Iterator[Event]:
    """5,700 万元 direct, 12,000 万元 indirect: claimed and confirmed, not audited so far."""
    at = datetime(2024, 3, 20, 10, 30, tzinfo=SHANGHAI)
    kinds = (("direct", 5_700 * WAN, "measured"), ("indirect", 12_000 * WAN, "estimated"))
    for number, (kind, amount, basis) in enumerate(kinds, 1):
        subject, claim = f"yinhu.ben-{number:04d}", {"kind": kind, "amount": amount, "basis": basis}
        yield event("benefit.claimed", subject, "yinhu", at, enterprise_id=firm, **claim)
        confirmed = at + timedelta(days=8)
        who = {"actor_role": "enterprise", "actor_ref": "e-01"}
        yield event("benefit.confirmed", subject, "yinhu", confirmed, **who)


def _outputs(firm: str) -> Iterator[Event]:
    """20 patents in three filings, and the certificate."""
    rng = dice("outputs")
    outputs = (("patent", 6), ("patent", 9), ("patent", 5), ("certificate", 1))
    times = moments(rng, FIRST, LAST, len(outputs))
    for number, (at, (kind, qty)) in enumerate(zip(times, outputs, strict=True), 1):
        subject = f"yinhu.out-{number:04d}"
        yield event("output.produced", subject, "yinhu", at, kind=kind, qty=qty, enterprise_id=firm)


def _titles(of: Mapping[str, Firms]) -> Iterator[Event]:
    """Filing and gaining are different matters, and here those of different enterprises."""
    rng = dice("titles")
    homes = {firm: node for node, firms in of.items() for firm in firms.served}
    filed = [title for title, count in FILED.items() for _ in range(count)]
    firms = rng.sample(sorted(homes), len(filed) + GAINED)
    times = moments(rng, FIRST, LAST, len(firms))
    for number, (at, firm) in enumerate(zip(times, firms, strict=True)):
        node, gained = homes[firm], number >= len(filed)
        kind = "title.granted" if gained else "title.filed"
        title = ABOVE_SCALE if gained else filed[number]
        subject = f"{node}.ttl-{number:04d}"
        yield event(kind, subject, node, at, enterprise_id=firm, title=title)


def _improved(of: Mapping[str, Firms]) -> Iterator[Event]:
    """Every tenth enterprise improved, and every fortieth wrote down how as a standard."""
    for node, firms in of.items():
        rng = dice("improved", node)
        better = rng.sample(firms.served, len(firms.served) // 10)
        times = moments(rng, FIRST, LAST, len(better))
        for number, (at, firm) in enumerate(zip(times, better, strict=True)):
            about = {"enterprise_id": firm, "kind": "improved"}
            yield event("outcome.recorded", f"{node}.imp-{number:04d}", node, at, **about)
            if number % 4 == 0:
                draft = {"enterprise_id": firm, "kind": "standard", "qty": 1}
                yield event("output.produced", f"{node}.std-{number:04d}", node, at, **draft)
