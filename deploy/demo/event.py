"""How the sample's events are written, and where its chance comes from."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

Event = dict[str, Any]
"""An event's attributes, as they are posted."""

SEED = "孝感 2024-07-18"


def dice(*words: object) -> Random:
    """Return the chance that belongs to these words: the same words, the same throws."""
    return Random("/".join(map(str, (SEED, *words))))  # noqa: S311  # sample data, no secret


def event(kind: str, subject: str, node: str, at: datetime, /, **data: Any) -> Event:  # noqa: ANN401
    """Return an event of `kind` (without "yizhan.") that `node` states about `at`.

    It was sent some minutes later, by the clock of the station. `revision` is 1 unless given.
    """
    revision = data.pop("revision", 1)
    return {
        "specversion": "1.0",
        "id": f"{kind}.{revision}.{subject}"[:64],
        "source": f"/nodes/{node}",
        "type": f"yizhan.{kind}",
        "subject": subject,
        "time": (at + timedelta(minutes=7)).isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "revision": revision,
            "node_id": node,
            "occurred_at": at.isoformat(),
            "actor_role": "staff",
            "actor_ref": "s-01",
            **data,
        },
    }
