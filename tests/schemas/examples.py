"""One event of each type as somebody would send it, and readers that tests share."""

import json
from typing import Any

from schemas.codec import Event, Flaw, decode

Attributes = dict[str, Any]

STATED: Attributes = {
    "revision": 1, "node_id": "yinhu", "occurred_at": "2023-05-06T09:30:00+08:00",
    "actor_role": "staff", "actor_ref": "s-17",
}  # fmt: skip
ONE: Attributes = STATED | {"enterprise_id": "ent-000001"}
SERVICE: Attributes = ONE | {"elements": ["STD", "TST"], "mode": "diagnosis"}
NODE: Attributes = STATED | {"kind": "station", "name": "银湖街道质量驿站", "parent": "yubei"}
SOURCE: Attributes = {"topic": "yizhan.results", "partition": 3, "catalogue": 1, "position": 99}

FACTS: dict[str, Attributes] = {
    "service.delivered": SERVICE,
    "visit.completed": ONE | {"demands": ["想了解新标准"]},
    "problem.found": STATED | {"product": "bricks"},
    "problem.solved": ONE | {"product": None},
    "activity.held": STATED
    | {"kind": "training", "sessions": 2, "enterprises": ["ent-1", "ent-2"], "persons": 30},
    "benefit.claimed": ONE | {"kind": "direct", "amount": 123_456_789, "basis": "measured"},
    "benefit.confirmed": STATED,
    "benefit.audited": STATED,
    "benefit.withdrawn": STATED | {"reason": "counted twice"},
    "title.filed": ONE | {"title": "city_award"},
    "title.granted": ONE | {"title": "city_award"},
    "outcome.recorded": ONE | {"kind": "licence", "days": 30},
    "output.produced": STATED | {"kind": "standard", "qty": 2},
    "record.voided": STATED
    | {"revision": 2, "target_type": "yizhan.service.delivered", "reason": "entered twice"},
}
RESOURCE: Attributes = STATED | {
    "elements": ["MET"],
    "qualifications": [{"name": "cma", "from": "2023-01-01", "to": "2025-12-31"}],
    "calendar": [{"start": "2023-05-08T09:00:00+08:00", "end": "2023-05-08T17:00:00+08:00"}],
}
SUPPLY: dict[str, tuple[str, Attributes]] = {
    **dict.fromkeys(
        ("expert.registered", "expert.availability_changed"),
        ("yubei.e-1", RESOURCE | {"industries": ["foundry"], "employer": "ag-1"}),
    ),
    "expert.suspended": ("yubei.e-1", RESOURCE | {"status": "suspended"}),
    "expert.withdrawn": ("yubei.e-1", STATED | {"status": "left"}),
    **dict.fromkeys(
        ("agency.admitted", "agency.qualification_changed"),
        ("yubei.lab-1", RESOURCE | {"kind": "lab", "powers": ["licence"], "fee": 120_000}),
    ),
    "agency.left": ("yubei.lab-1", STATED | {"status": "left"}),
    **dict.fromkeys(
        ("equipment.registered", "equipment.taken_out"),
        ("yubei.d-1", RESOURCE | {"calibration_until": "2023-12-31", "units": 2}),
    ),
}
DEMAND: Attributes = {
    "elements": ["MET"],
    "mode": "testing",
    "needs": [{"kinds": ["lab"], "elements": ["MET"]}, {"kinds": ["equipment"]}],
    "need_by": "2023-05-12T18:00:00+08:00",
}
MOVING: Attributes = STATED | {"request_id": "yubei.r-1"}
ASKS: dict[str, Attributes] = {
    "request.submitted": ONE | {"demand": DEMAND, "visit_id": "yinhu.v-1"},
    "request.returned": MOVING | {"reason": "no such enterprise"},
    "service.started": MOVING | {"place": "onsite"},
    "service.blocked": MOVING | {"reason": "sample_in_transit"},
    "request.result_recorded": MOVING | {"findings": "doc-1", "outputs": ["report"]},
    "request.disputed": MOVING | {"reason": "the report is of another part"},
    "request.evaluated": MOVING | {"score": 5},
    "request.reopened": MOVING | {"reason": "it happened again"},
    **dict.fromkeys(
        (
            "request.accepted",
            "service.unblocked",
            "request.confirmed",
            "request.followed_up",
            "escalation.requested",
            "request.closed",
            "request.cancelled",
        ),
        MOVING,
    ),
    **dict.fromkeys(
        ("offer.accepted", "offer.declined"),
        STATED | {"assignment_id": "yubei.a-1", "resource": "yubei.lab-1"},
    ),
}
DECIDED: Attributes = STATED | {"pool": "yubei"}
OF: Attributes = DECIDED | {"request_id": "yubei.r-1", "kind": "request"}
MOVED: Attributes = DECIDED | {
    "enterprise_id": "ent-000001",
    "kind": "request",
    "demand": DEMAND,
    "before": None,
    "state": "submitted",
    "cause": "request.submitted",
    "by": "enterprise",
    "submitted_at": "2023-05-06T09:30:00+08:00",
    "since": "2023-05-06T09:30:00+08:00",
}
OFFER: Attributes = OF | {
    "enterprise_id": "ent-000001",
    "outcome": "offered",
    "elements": ["MET"],
    "mode": "testing",
    "members": [
        {
            "kind": "lab",
            "id": "yubei.lab-1",
            "start": "2023-05-08T09:00:00+08:00",
            "end": "2023-05-08T10:00:00+08:00",
            "answer": None,
        },
    ],
    "parts": [{"name": "near", "points": 20}, {"name": "load", "points": -3}],
    "score": 17,
    "alternatives": [{"members": ["yubei.lab-2"], "score": 11}],
    "passed": [{"id": "yubei.lab-3", "reason": "no_capacity"}],
    "offered_at": "2023-05-06T10:00:00+08:00",
    "expires_at": "2023-05-06T12:00:00+08:00",
}
DECISIONS: dict[str, tuple[str, Attributes]] = {
    **{
        f"match.{outcome}": ("yubei.a-1", OFFER | {"outcome": outcome})
        for outcome in ("offered", "committed", "declined", "expired", "released")
    },
    "request.moved": ("yubei.r-1", MOVED),
    "request.refused": (
        "yubei.ask-1",
        DECIDED
        | {
            "request_id": "yubei.r-1",
            "asked": "request.confirmed",
            "content": "0" * 16,
            "cause": "state",
            "detail": "the request is submitted",
            "state": "submitted",
            "legal": ["request.cancelled"],
        },
    ),
    "request.unmatched": (
        "yubei.r-1",
        OF
        | {
            "reasons": ["no_slot_in_time"],
            "relaxation": [{"field": "need_by", "to": '"2023-05-13T09:00:00+08:00"'}],
            "would_fit": ["yubei.lab-1"],
        },
    ),
    "request.escalated": (
        "yubei.r-1",
        DECIDED
        | {
            "request_id": "yubei.r-1",
            "child": "yubei.r-1.1",
            "from_pool": "yubei",
            "to_pool": "chongqing",
            "level": 1,
            "reason": "no_slot_in_time",
        },
    ),
    "pool.advanced": (
        "advanced/0",
        {"partition": 0, "positions": {"yizhan.requests:0": 7}, "now": STATED["occurred_at"]},
    ),
}
REFERRAL: Attributes = STATED | {
    "from_pool": "yubei",
    "to_pool": "chongqing",
    "request_id": "yubei.r-1",
    "level": 1,
}
REFERRED: dict[str, tuple[str, Attributes]] = {
    "referral.asked": (
        "yubei.r-1.1",
        REFERRAL
        | {
            "enterprise_id": "ent-000001",
            "demand": DEMAND,
            "submitted_at": STATED["occurred_at"],
            "excluded": ["yubei.lab-1"],
        },
    ),
    "referral.answered": (
        "yubei.r-1.1",
        REFERRAL | {"state": "committed", "assignment": "chongqing.a-1"},
    ),
    "referral.begun": ("yubei.r-1.1", REFERRAL),
    "referral.ended": ("yubei.r-1.1", REFERRAL | {"outcome": "done"}),
}
OTHERS: dict[str, tuple[str, Attributes]] = {
    **SUPPLY,
    **{kind: ("yubei.r-1", data) for kind, data in ASKS.items()},
    **DECISIONS,
    **REFERRED,
    **dict.fromkeys(("node.opened", "node.flags_changed", "node.closed"), ("yinhu", NODE)),
    "node.moved": (
        "yinhu",
        NODE | {"parents": [{"parent": "yubei", "from": "2023-01-01"}], "tier": "town"},
    ),
    **dict.fromkeys(
        ("enterprise.registered", "enterprise.category_ended"),
        ("ent-000001", STATED | {"name": "重庆某机械厂", "uscc": "91500000MA5U000000"}),
    ),
    "enterprise.category_granted": (
        "ent-000001",
        STATED | {"categories": [{"category": "sme", "from": "2023-01-01"}]},
    ),
    "enterprise.merged_into": ("ent-000001", STATED | {"merged_into": "ent-000002"}),
    "heartbeat.sent": (
        "yinhu",
        {"node_id": "yinhu", "complete_to": "2023-05-06T09:30:00+08:00", "waiting": 0},
    ),
    "counter.updated": (
        "yinhu/2023-05-06/yizhan.results/3",
        SOURCE
        | {"node": "yinhu", "day": "2023-05-06", "sums": {"visits": 2}, "sets": {"a": ["b"]}},
    ),
    "counters.flushed": ("yizhan.results/3", SOURCE),
    "counters.audited": ("yizhan.results/3", SOURCE | {"differences": []}),
    "record.rejected": (
        "yizhan.results/3/98",
        {"topic": "yizhan.results", "partition": 3, "offset": 98, "rule": "json", "field": "",
         "detail": "not valid JSON", "size": 1, "sha256": "00", "value": "AA=="},
    ),
    "letter.settled": (
        "yizhan.results/3/98",
        {"topic": "yizhan.results", "partition": 3, "offset": 98, "how": "repaired",
         "sha256": "00"},
    ),
}  # fmt: skip


def event(kind: str, subject: str, data: Attributes, **more: Any) -> Attributes:
    return {
        "specversion": "1.0",
        "id": "0199aa00-0000-7000-8000-000000000001",
        "source": "/nodes/yinhu",
        "type": f"yizhan.{kind}",
        "subject": subject,
        "time": "2023-05-06T10:00:00+08:00",
        "datacontenttype": "application/json",
        "data": data,
        **more,
    }


def service(**data: Any) -> Attributes:
    return event("service.delivered", "yinhu.svc-000123", SERVICE | data)


EXAMPLES = {
    e["type"]: e
    for e in (
        *(event(kind, "yinhu.r-000123", data) for kind, data in FACTS.items()),
        *(event(kind, subject, data) for kind, (subject, data) in OTHERS.items()),
    )
}


def written(attributes: Attributes) -> bytes:
    """Write as a sender would, who knows nothing of the canonical encoding."""
    return json.dumps(attributes).encode()


def accepted(attributes: Attributes) -> Event:
    found = decode(written(attributes))
    assert isinstance(found, Event), found
    return found


def refused(value: Attributes | bytes) -> tuple[str, str]:
    """Return the rule and the field of a flaw, which always fits into a dead letter."""
    found = decode(value if isinstance(value, bytes) else written(value))
    assert isinstance(found, Flaw), found
    assert 0 < len(found.detail) <= 500
    return found.rule, found.field
