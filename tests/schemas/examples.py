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
OTHERS: dict[str, tuple[str, Attributes]] = {
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
