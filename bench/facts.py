"""Facts to measure with: the same for whoever is measured."""

from datetime import date, timedelta

from bus import Record
from schemas.codec import encode
from schemas.topics import RESULTS

DAYS = [(date(2023, 1, 1) + timedelta(days=n)).isoformat() for n in range(565)]


def fact(serial: int) -> Record:
    """Return one of many services: 15 stations, 2,400 enterprises, 565 days."""
    node = f"station-{serial % 15}"
    subject = f"{node}.{serial}"
    event = {
        "specversion": "1.0",
        "id": f"{serial:032x}",
        "source": f"/nodes/{node}",
        "type": "yizhan.service.delivered",
        "subject": subject,
        "time": f"{DAYS[serial % 565]}T10:00:00+08:00",
        "data": {
            "revision": 1,
            "node_id": node,
            "enterprise_id": f"ent-{serial % 2400:06d}",
            "elements": ["STD", "TST"] if serial % 3 else ["QM"],
            "mode": ("diagnosis", "consultation", "testing")[serial % 3],
            "occurred_at": f"{DAYS[serial % 565]}T09:30:00+08:00",
            "actor_role": "staff",
            "actor_ref": "s-17",
        },
    }
    return Record(RESULTS, subject, subject.encode(), encode(event))
