"""Bad links one after another: which fault falls, in whose and which request, and how long."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import chain
from random import Random
from typing import NamedTuple

from tests.faults.conftest import LONG
from tests.faults.proxy import (
    ADD_PARTITIONS,
    END_TRANSACTION,
    FETCH,
    HOLE,
    PRODUCE,
    WHOLE,
    Fault,
    Links,
)
from tests.faults.site import INTAKE, MATCHING, PARTS, SCREENS, STATS
from tests.system.process import until

KINDS = {
    "cut": Fault(cut=True),
    "late": Fault(late=2.0),
    "deaf": Fault(deaf=True),
    "mute": Fault(mute=True),
    "hole": HOLE,
    "trickle": Fault(pace=2000),
}
NAMES = {
    END_TRANSACTION: "the commit",
    ADD_PARTITIONS: "the begin",
    PRODUCE: "a write",
    FETCH: "a read",
    None: "any moment",
}
COMMIT = (END_TRANSACTION, ADD_PARTITIONS, PRODUCE, FETCH)
ALONE = {(STATS,): COMMIT, (MATCHING,): COMMIT}
LONGER = {(INTAKE,): (PRODUCE, FETCH), (SCREENS,): (FETCH,)}
"""Who comes through the links, and in which of their requests dice let the links fail."""
EACH = 3
"""How often each kind comes when all are behind the links; alone: so often any kind."""
LONGEST = 40.0 if LONG else 12.0
"""Seconds that a fault lasts at most, where dice say how long."""
SESSION, GIVEN_UP = 7.5, 12.0
"""Seconds after which a group misses a member, and after which whoever waits has given up."""
IN_COMMITS = {
    "cut": (GIVEN_UP, 1.0),
    "late": (5.0, GIVEN_UP),
    "deaf": (SESSION, GIVEN_UP),
    "mute": (GIVEN_UP, SESSION),
}
"""What happens to a commit of each who makes any, for how many seconds; in the slice the first.

What is cut until its sender gives up has never happened; what is mute for as long has, untold.
"""
Turns = dict[tuple[str, ...], list["Strike"]]
"""Who comes through the links, and what falls meanwhile."""


class Strike(NamedTuple):
    """One fault: its kind, and the request it comes in (None: at any moment).

    `of` is the service whose request it is ("": anybody's); it comes `after` so many others.
    """

    kind: str
    request: int | None
    seconds: float
    of: str = ""
    after: int = 0

    def fall(self, links: Links) -> None:
        """Let it fall, last, and be over."""
        if self.request is None:
            links.set(KINDS[self.kind])
        else:
            owner = f"{self.of}-".encode() if self.of else b""
            links.once(self.request, KINDS[self.kind], self.after, owner)
            until(lambda: links.struck, lambda: f"never asked: {self}")
        until(passed(self.seconds))
        links.set(WHOLE)

    def __str__(self) -> str:
        """Return what a line of figures calls it."""
        whose = f" of {self.of}" if self.of else ""
        return f"{self.kind} {self.seconds:.1f} s in {NAMES[self.request]}{whose}"


def turns(dice: Random) -> Turns:
    """Return what falls when: in commits all that must, and more by dice.

    In the slice all come through the links, for who is told to change them must start anew.
    """
    must: Turns = {(name,): list(in_commits(name)) for name in (STATS, MATCHING)}
    if not LONG:
        kinds = [kind for kind in KINDS if kind not in IN_COMMITS]
        return {PARTS: [*chain(*must.values()), *by_dice(dice, COMMIT, kinds)]}
    found: Turns = defaultdict(list, must)
    for far, requests in (ALONE | LONGER).items():
        found[far] += by_dice(dice, requests, dice.sample([*KINDS], EACH))
    kinds = [*KINDS] * EACH
    dice.shuffle(kinds)
    found[PARTS] += by_dice(dice, COMMIT, kinds)
    return found


def in_commits(name: str) -> Iterator[Strike]:
    """Yield what happens to the very request in which a service commits."""
    for kind, spans in IN_COMMITS.items():
        for seconds in spans if LONG else spans[:1]:
            yield Strike(kind, END_TRANSACTION, seconds, name)


def by_dice(dice: Random, requests: tuple[int, ...], kinds: list[str]) -> Iterator[Strike]:
    """Yield one strike of each kind, in the requests one after another and at any moment."""
    asked = [*requests, None]
    for n, kind in enumerate(kinds):
        seconds = dice.uniform(1, LONGEST)
        yield Strike(kind, asked[n % len(asked)], seconds, after=dice.randint(0, 9))


def passed(seconds: float) -> Callable[[], bool]:
    """Return what tells whether so many seconds have passed; a fault has no other end."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end
