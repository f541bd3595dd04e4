"""Every type of event there is: its model, its topic, its route, and the slot it speaks about."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from schemas import asks, decisions, facts, referral, registry, reports, supply
from schemas.pools import owner
from schemas.topics import (
    ASSIGNMENTS,
    COUNTERS,
    DEAD_LETTERS,
    HEARTBEATS,
    REFERRALS,
    REGISTRY,
    REQUESTS,
    RESULTS,
    Topic,
)

PREFIX = "yizhan."
VOID = "yizhan.record.voided"


@dataclass(frozen=True, slots=True, eq=False)
class EventType:
    """A type of event. `slot` is the type part of the slot (type, subject) that it speaks about.

    There is one of each, in TYPES: they are looked up for every record that is read.
    """

    name: str
    model: type[BaseModel]
    topic: Topic
    slot: str

    @property
    def is_fact(self) -> bool:
        """Whether it lies on the results topic."""
        return self.topic is RESULTS

    def route(self, subject: str, data: Any) -> str | int:  # noqa: ANN401  # any event's data
        """Return what an event of this type is routed by."""
        if self.topic is REQUESTS:
            return owner(subject)
        if self.topic is ASSIGNMENTS:
            return _decider(data)
        return str(data.to_pool) if self.topic is REFERRALS else subject


def _decider(data: decisions.Decision | decisions.Advanced) -> str | int:
    return data.partition if isinstance(data, decisions.Advanced) else data.pool


def _types(topic: Topic, models: dict[str, type[BaseModel]], slot: str = "") -> list[EventType]:
    return [
        EventType(PREFIX + name, model, topic, slot or PREFIX + name)
        for name, model in models.items()
    ]


FACTS = _types(
    RESULTS,
    {
        "service.delivered": facts.ServiceDelivered,
        "visit.completed": facts.VisitCompleted,
        "problem.found": facts.ProblemFound,
        "problem.solved": facts.ProblemSolved,
        "activity.held": facts.ActivityHeld,
        "benefit.claimed": facts.BenefitClaimed,
        "benefit.confirmed": facts.BenefitConfirmed,
        "benefit.audited": facts.BenefitAudited,
        "benefit.withdrawn": facts.BenefitWithdrawn,
        "title.filed": facts.TitleFiled,
        "title.granted": facts.TitleGranted,
        "outcome.recorded": facts.OutcomeRecorded,
        "output.produced": facts.OutputProduced,
        "record.voided": facts.RecordVoided,
    },
)
NODES = _types(
    REGISTRY,
    dict.fromkeys(
        ("node.opened", "node.moved", "node.flags_changed", "node.closed"), registry.Node
    ),
    slot="yizhan.node",
)
ENTERPRISES = _types(
    REGISTRY,
    dict.fromkeys(
        (
            "enterprise.registered",
            "enterprise.category_granted",
            "enterprise.category_ended",
            "enterprise.merged_into",
        ),
        registry.Enterprise,
    ),
    slot="yizhan.enterprise",
)
SUPPLY = [
    *_types(
        REGISTRY,
        dict.fromkeys(
            ("expert.registered", "expert.availability_changed", "expert.suspended",
             "expert.withdrawn"),
            supply.Expert,
        ),
        slot="yizhan.expert",
    ),
    *_types(
        REGISTRY,
        dict.fromkeys(
            ("agency.admitted", "agency.qualification_changed", "agency.left"), supply.Agency
        ),
        slot="yizhan.agency",
    ),
    *_types(
        REGISTRY,
        dict.fromkeys(("equipment.registered", "equipment.taken_out"), supply.Equipment),
        slot="yizhan.equipment",
    ),
]  # fmt: skip
ASKS = _types(
    REQUESTS,
    {
        "request.submitted": asks.RequestSubmitted,
        "request.accepted": asks.RequestAccepted,
        "request.returned": asks.RequestReturned,
        "service.started": asks.ServiceStarted,
        "service.blocked": asks.ServiceBlocked,
        "service.unblocked": asks.ServiceUnblocked,
        "request.result_recorded": asks.ResultRecorded,
        "request.confirmed": asks.RequestConfirmed,
        "request.disputed": asks.RequestDisputed,
        "request.evaluated": asks.RequestEvaluated,
        "request.followed_up": asks.RequestFollowedUp,
        "escalation.requested": asks.EscalationRequested,
        "request.closed": asks.RequestClosed,
        "request.cancelled": asks.RequestCancelled,
        "request.reopened": asks.RequestReopened,
        "offer.accepted": asks.OfferAccepted,
        "offer.declined": asks.OfferDeclined,
    },
)
MATCHES = _types(
    ASSIGNMENTS,
    dict.fromkeys(
        ("match.offered", "match.committed", "match.declined", "match.expired", "match.released"),
        decisions.Offer,
    ),
    slot="yizhan.match",
)
DECISIONS = [
    *MATCHES,
    *_types(
        ASSIGNMENTS,
        {
            "request.moved": decisions.Moved,
            "request.refused": decisions.Refused,
            "request.unmatched": decisions.Unmatched,
            "request.escalated": decisions.Escalated,
            "pool.advanced": decisions.Advanced,
        },
    ),
]
REFERRED = _types(
    REFERRALS,
    {
        "referral.asked": referral.ReferralAsked,
        "referral.answered": referral.ReferralAnswered,
        "referral.begun": referral.ReferralBegun,
        "referral.ended": referral.ReferralEnded,
    },
)
REPORTS = [
    *_types(HEARTBEATS, {"heartbeat.sent": reports.HeartbeatSent}),
    *_types(
        COUNTERS,
        {
            "counter.updated": reports.CounterUpdated,
            "counters.flushed": reports.CountersFlushed,
            "counters.audited": reports.CountersAudited,
        },
    ),
    *_types(
        DEAD_LETTERS,
        {"record.rejected": reports.DeadLetter, "letter.settled": reports.LetterSettled},
    ),
]

TYPES = {
    kind.name: kind
    for kind in (*FACTS, *NODES, *ENTERPRISES, *SUPPLY, *ASKS, *DECISIONS, *REFERRED, *REPORTS)
}
TARGETS = {kind.name for kind in FACTS if kind.name != VOID}
"""What a void may name."""
