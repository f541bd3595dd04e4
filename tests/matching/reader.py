"""What matching promises, checked from the log alone.

Nothing of services/matching is used: only the contract in schemas, and straightforward code.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bus import Bus, Partition
from schemas.codec import Decode, Event, decode
from schemas.decisions import Advanced, Moved, Offer, Refused
from schemas.lifecycle import ENDED, OWN, TABLE
from schemas.registry import ROOT
from schemas.topics import ASSIGNMENTS, REFERRALS, REGISTRY, REQUESTS, Topic
from schemas.types import PREFIX
from tests.matching.bookings import Bookings

LATE = timedelta(seconds=15)
"""So much after its time an alarm that has not rung is one that was forgotten."""
CHILD = {
    ("in_service", "begun"), ("closed", "nobody"), ("closed", "done"), ("cancelled", "withdrawn")
}  # fmt: skip
"""How a referral begins and ends; it has no asks of its own but those of offers."""
WAITING = frozenset({"escalated", "committed"})
"""States in which a request waits for its referral, or for whom that has found."""
Ask = tuple[str, str]
"""The type of an ask without its prefix, and its id."""
Records = list[tuple[int, Event | None]]
"""Offset and event; None: no usable one."""


@dataclass
class Found:
    """What the whole log says in the end, and figures about it."""

    requests: dict[str, Moved] = field(default_factory=dict)
    living: dict[str, Offer] = field(default_factory=dict)
    figures: Counter[str] = field(default_factory=Counter)


async def read(log: Bus, topic: Topic, decoded: Decode = decode) -> list[Records]:
    """Read all records of a topic, by partition."""
    found: list[Records] = []
    async with log.subscribe(None, [topic], lambda _: 0) as reader:
        for number in range(log.partitions(topic)):
            place, records, at = Partition(topic.name, number), Records(), 0
            end = await log.highwater(place)
            while at < end:
                for batch in await reader.poll(1.0, among=[place]):
                    at = batch.next
                    for stored in batch.records:
                        event = decoded(stored.value)
                        usable = event if isinstance(event, Event) else None
                        records.append((stored.offset, usable))
            found.append(records)
    return found


async def check(log: Bus, now: datetime, decoded: Decode = decode) -> Found:
    """Check a log on which everything is decided; raises AssertionError where it is not so."""
    capacity = {
        event.subject: event.data.capacity
        for _, event in (await read(log, REGISTRY, decoded))[0]
        if event is not None and hasattr(event.data, "capacity")
    }
    found, bookings = Found(), Bookings(capacity)
    asked, referred = await read(log, REQUESTS, decoded), await read(log, REFERRALS, decoded)
    for number, records in enumerate(await read(log, ASSIGNMENTS, decoded)):
        decisions = [event for _, event in records if event is not None]
        assert len(decisions) == len(records), "a decision that cannot be read"
        _in_steps(number, decisions, asked[number], referred[number], found)
        _lives(decisions, found)
        bookings.take(decisions)
    _ends(found, now)
    bookings.ends(found.requests)
    found.living = bookings.living
    return found


def _in_steps(
    number: int, decisions: list[Event], asked: Records, referred: Records, found: Found
) -> None:
    """Each step decides exactly what was asked between its positions and those before it."""
    inputs = {REQUESTS.name: asked, REFERRALS.name: referred}
    at: dict[str, int] = {}
    last: Advanced | None = None
    answered: dict[Ask, str] = {}
    step: list[Event] = []
    for event in decisions:
        if not isinstance(event.data, Advanced):
            step.append(event)
            continue
        mark = event.data
        assert mark.partition == number
        assert last is None or mark.now >= last.now, "the clock of decisions went back"
        new = _positions(mark, number)
        assert all(new.get(topic, 0) >= position for topic, position in at.items()), "went back"
        told = [_verdict(one) for one in step]
        verdicts = [one for one in told if one is not None]
        asks = _between(asked, at.get(REQUESTS.name, 0), new.get(REQUESTS.name, 0))
        expected = {ask: text for ask, text in asks.items() if ask not in answered}
        assert len(verdicts) == len(dict(verdicts)), f"two verdicts in one step: {verdicts}"
        assert dict(verdicts) == expected, f"verdicts {verdicts}, but asked was {expected}"
        assert step or new != at, "a step for nothing"
        answered |= expected
        at, last, step = new, mark, []
        found.figures["steps"] += 1
    assert not step, "decisions without a mark"
    for topic, records in inputs.items():
        assert not records or at.get(topic, 0) > records[-1][0], f"{topic} is not decided"
    found.figures["asks"] += len(answered)
    found.figures["repeats"] += len(asked) - len(answered)
    found.figures["referrals"] += len(referred)


def _positions(mark: Advanced, number: int) -> dict[str, int]:
    split = {name.partition(":")[0]: (name, at) for name, at in mark.positions.items()}
    for topic, (name, _) in split.items():
        assert name == f"{topic}:{0 if topic == REGISTRY.name else number}"
    return {topic: at for topic, (_, at) in split.items()}


def _between(asked: Records, start: int, end: int) -> dict[Ask, str]:
    """Return the asks that stand at these offsets, each with the content hash of the first."""
    found: dict[Ask, str] = {}
    for offset, event in asked:
        if event is not None and start <= offset < end:
            ask = event.kind.name.removeprefix(PREFIX), event.subject
            found.setdefault(ask, event.content)
    return found


def _verdict(event: Event) -> tuple[Ask, str] | None:
    match event.data:
        case Moved(ask=str(ask), cause=cause, content=str(text)):
            return (cause, ask), text
        case Refused(asked=asked, content=text):
            return (asked, event.subject), text
    return None


def _lives(decisions: list[Event], found: Found) -> None:
    """Every move follows the one before, and is one that the table has."""
    for event in decisions:
        kind = event.kind.name.removeprefix(PREFIX)
        found.figures[kind] += 1
        if isinstance(event.data, Moved):
            before = found.requests.get(event.subject)
            _legal(event.subject, before, event.data)
            found.requests[event.subject] = event.data


def _legal(request: str, before: Moved | None, now: Moved) -> None:
    told = f"{request} r{now.revision}: {now.before} to {now.state}, {now.cause}"
    assert now.revision == (before.revision + 1 if before else 1), told
    assert now.before == (before.state if before else None), told
    if before is None:
        births = {
            "request": ("submitted", "request.submitted"),
            "referral": ("matching", "referral"),
        }
        assert (now.state, now.cause) == births[now.kind], told
        return
    own = (now.before, now.state, now.cause) in OWN
    asked = any(
        row.ask == now.cause and now.before in row.of and now.state == (row.to or now.before)
        for row in TABLE
    )
    child = now.kind == "referral" and (now.state, now.cause) in CHILD
    assert own or asked or child, told
    assert before.state not in ENDED or now.cause in {"request.reopened", "request.followed_up"}
    assert (now.ask is not None) == (asked and not own), told


def _ends(found: Found, now: datetime) -> None:
    """Nothing is forgotten, and nothing is kept for what has ended."""
    for request, case in found.requests.items():
        assert case.state != "matching", f"{request} was forgotten"
        top = case.state == "unmatched" and ROOT in {case.pool, case.child_pool}
        if case.wake_at is not None and case.state not in ENDED and not top:
            assert case.wake_at > now - LATE, f"{request} overslept {case.wake_at}"
        if case.kind == "referral":
            _child(request, case, found)
        elif case.child is not None:
            assert case.child in found.requests, f"{case.child} never came to be"
            over = case.state in WAITING and found.requests[case.child].state in ENDED
            assert not over, f"{request} waits for {case.child}, which has ended"
    for case in found.requests.values():
        found.figures[f"{case.kind} {case.state}"] += 1


def _child(request: str, case: Moved, found: Found) -> None:
    assert case.home is not None
    home = found.requests[case.home.request_id]
    if case.state not in ENDED:
        assert home.state not in ENDED, f"{request} lives, but its home has ended"
        assert home.child == request, f"{request} lives, but its home does not know it"
