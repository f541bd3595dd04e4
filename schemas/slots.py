"""A slot is (type, subject): what stands there is the statement with the highest revision.

There is one verdict on a statement, and everybody reads it here.
"""

from enum import Enum
from typing import Protocol


class Verdict(Enum):
    """What becomes of a statement that comes to a slot."""

    STANDS = "stands"
    """It is the slot's content now, in place of any lower revision."""
    REPEAT = "repeat"
    """The same revision with the same content: nothing changes."""
    CONFLICT = "conflict"
    """The same revision with other content: the first in the log stands, this is a dead letter."""
    SUPERSEDED = "superseded"
    """A higher revision stands already; nothing is wrong."""


class Standing(Protocol):
    """What stands in a slot."""

    @property
    def revision(self) -> int:
        """Which revision stands."""

    @property
    def content(self) -> str:
        """Its content hash."""


def verdict(standing: Standing | None, revision: int, content: str) -> Verdict:
    """Judge a statement of `revision` and `content` against what stands in its slot."""
    if standing is None or revision > standing.revision:
        return Verdict.STANDS
    if revision < standing.revision:
        return Verdict.SUPERSEDED
    return Verdict.REPEAT if content == standing.content else Verdict.CONFLICT
