"""What services tell each other: heartbeats, counter rows, flush marks, audits, dead letters."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.fields import Count, Day, Frozen, Id, Time

Many = Annotated[tuple[str, ...], Field(fail_fast=True)]


class HeartbeatSent(Frozen):
    """A node is there: complete up to a time, with so many facts still waiting at the edge."""

    node_id: Id
    complete_to: Time
    waiting: Count = 0


class Source(Frozen):
    """Which source partition a report is about, up to which position, by which catalogue."""

    topic: str
    partition: int
    catalogue: int
    position: int


class CounterUpdated(Source):
    """All that one source partition holds of a node's day: totals, never deltas.

    `sums` and `sets` go by measure, or "measure;dimension=value" for a slice of it; the members of
    a set are enterprise ids as the facts named them. What is too large for one record goes out in
    `parts` at one position, numbered from 0: sums in the first, members spread over all. Parts of
    another position, or beyond those of part 0, are leftovers.
    """

    node: Id
    day: Day
    sums: dict[str, int]
    sets: dict[str, Many]
    part: Annotated[int, Field(ge=0)] = 0
    parts: Annotated[int, Field(ge=1)] = 1


class CountersFlushed(Source):
    """All rows of a source are out up to `position`; readers apply them here, as a whole."""


class CountersAudited(Source):
    """A recount of a source from offset 0 up to `position` found these differences."""

    differences: Many


class DeadLetter(Frozen):
    """A record that cannot be used: where it came from, why, and its bytes.

    `value` is base64; over 64 KiB it is left out and `sha256` tells what it was.
    """

    topic: str
    partition: int
    offset: int
    rule: str
    field: str
    detail: Annotated[str, Field(max_length=500)]
    size: int
    sha256: str
    value: str | None


class LetterSettled(Frozen):
    """What became of the dead letter of one record; nobody has to look at it any more.

    "replayed": its bytes went into the log once more, as they were; "repaired": what should have
    been written did; "dismissed": nothing did, for a reason. `sha256` is of what was published.
    """

    topic: str
    partition: int
    offset: int
    how: Literal["replayed", "repaired", "dismissed"]
    reason: Annotated[str, Field(max_length=500)] | None = None
    sha256: str | None = None
