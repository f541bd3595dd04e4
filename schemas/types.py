"""Every type of event there is: its model, its topic, and the slot it speaks about."""

from dataclasses import dataclass

from pydantic import BaseModel

from schemas import facts, registry, reports
from schemas.topics import COUNTERS, DEAD_LETTERS, HEARTBEATS, REGISTRY, RESULTS, Topic

PREFIX = "yizhan."
VOID = "yizhan.record.voided"


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event. `slot` is the type part of the slot (type, subject) that it speaks about."""

    name: str
    model: type[BaseModel]
    topic: Topic
    slot: str

    @property
    def is_fact(self) -> bool:
        """Whether it lies on the results topic."""
        return self.topic is RESULTS


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
    *_types(DEAD_LETTERS, {"record.rejected": reports.DeadLetter}),
]

TYPES = {kind.name: kind for kind in (*FACTS, *NODES, *ENTERPRISES, *REPORTS)}
TARGETS = {kind.name for kind in FACTS if kind.name != VOID}
"""What a void may name."""
