"""What is drawn from a seed before a run: who takes part, and which faults may happen."""

from dataclasses import dataclass
from random import Random

FAULTS = (
    "kill", "power", "pause", "rebalance", "outage", "cut", "lost", "doubt", "delay", "again",
    "drop", "compact", "wipe", "abort",
)  # fmt: skip
"""kill: a process is gone. power: and its disk forgets what was not synced. wipe: or everything.
pause: it stands still past its session, then goes on. rebalance: partitions change hands. outage:
the log answers nobody. cut: the log forgets what was not synced. lost, doubt: a call fails before,
or after, it is done. delay: answers and reads take long, other partitions overtake. again: batches
and posts come again. drop: batches do not come. compact, abort: the log gets gaps."""

SHARES = (30, 1, 1)
"""How many runs are of facts, of asks, and of both: those with asks cost five to ten times more."""
LARGE = 1 / 32
"""The share of large ones among those of facts."""


@dataclass(frozen=True)
class Options:
    """All of one run that the seed decides beforehand. Times in virtual seconds.

    `file`: stats and screens keep real state files, which are slow, but the real thing; without,
    screens have no index.
    """

    seed: int
    facts: int
    asks: int
    partitions: int
    stats: int
    matchers: int
    screens: int
    faults: frozenset[str]
    seconds: float
    every: float
    session: float
    file: bool

    def __str__(self) -> str:
        shown = {**vars(self), "faults": " ".join(sorted(self.faults)) or "none"}
        return " ".join(f"{name}={value}" for name, value in shown.items())


def drawn(seed: int) -> Options:
    """Draw the options of a seed; each kind of fault is on in about half of the runs.

    Most are small and of facts alone: a minute has many times more of them than of large ones, and
    what goes wrong in one is soon read. Few asks would come to nothing: those runs are all large.
    """
    dice = Random(f"options {seed}")
    kind = dice.choices(("facts", "asks", "both"), SHARES)[0]
    large = kind != "facts" or dice.random() < LARGE
    several = (3, 9) if large else (1, 4)
    return Options(
        seed=seed,
        facts=0 if kind == "asks" else dice.randint(*several),
        asks=0 if kind == "facts" else dice.randint(*several),
        partitions=dice.choice((1, 2, 2, 3)),
        stats=dice.choice((1, 2, 3)),
        matchers=dice.choice((1, 2, 3)),
        screens=dice.choice((1, 2)),
        faults=frozenset(fault for fault in FAULTS if dice.random() < 0.5),
        seconds=dice.uniform(1.5, 4.0) if large else dice.uniform(0.5, 1.5),
        every=dice.choice((0.1, 0.3, 0.6)),
        session=dice.uniform(0.3, 1.0),
        file=kind != "asks" and dice.random() < (0.125 if large else 0.01),
    )
