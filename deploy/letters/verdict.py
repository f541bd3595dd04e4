"""Whether what a dead letter is about can be used now. Pure."""

from bus import Record
from schemas.codec import Event, Flaw, decode
from schemas.reports import DeadLetter
from schemas.topics import HEARTBEATS, MAX_RECORD, REGISTRY, REQUESTS, RESULTS

OPEN = (REGISTRY, REQUESTS, RESULTS)
"""What others than the hub's own services write, and what stands for ever."""


def usable(letter: DeadLetter, value: bytes | None) -> Record | Flaw:
    """Return the record that puts these bytes where they belong, or why nobody could use it."""
    if letter.rule == "conflict":
        return Flaw(letter.rule, letter.field, f"{letter.detail}; repair it as the next revision")
    event = decode(value)
    return event if isinstance(event, Flaw) else placed(event, value or b"")


def placed(event: Event, value: bytes) -> Record | Flaw:
    """Return the record of an event that may be written again, where the event belongs."""
    topic = event.kind.topic
    if topic is HEARTBEATS:
        return Flaw("topic", "type", "a heartbeat is over; the node's next one has replaced it")
    if topic not in OPEN:
        return Flaw("topic", "type", f"only its own service writes to {topic.name}")
    key = event.subject.encode()
    if len(key) + len(value) > MAX_RECORD:
        return Flaw("size", "", f"with its key larger than {MAX_RECORD} bytes")
    return Record(topic, event.kind.route(event.subject, event.data), key, value)
