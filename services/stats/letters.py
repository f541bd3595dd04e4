"""Dead letters: what cannot be used becomes a record of its own, keyed by where it came from."""

from base64 import b64encode
from hashlib import sha256

from uuid_utils import uuid7

from bus.port import Partition, Record
from schemas.codec import Flaw, encode
from schemas.topics import DEAD_LETTERS

MOST = 64 * 1024
"""Up to this many bytes a letter carries what it is about; above, only its hash."""


def letter(source: Partition, offset: int, value: bytes | None, flaw: Flaw, now: str) -> Record:
    """Return the dead letter of the record at `offset` of `source`."""
    origin = f"{source.topic}/{source.number}/{offset}"
    body = value or b""
    event = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": f"/stats/{source.topic}/{source.number}",
        "type": "yizhan.record.rejected",
        "subject": origin,
        "time": now,
        "datacontenttype": "application/json",
        "data": {
            "topic": source.topic,
            "partition": source.number,
            "offset": offset,
            "rule": flaw.rule,
            "field": flaw.field,
            "detail": flaw.detail[:500],
            "size": len(body),
            "sha256": sha256(body).hexdigest(),
            "value": b64encode(body).decode() if len(body) <= MOST else None,
        },
    }
    return Record(DEAD_LETTERS, origin, origin.encode(), encode(event))
