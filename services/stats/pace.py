"""Long work beside an event loop, at a pace that leaves the loop its turns."""

from collections.abc import Callable
from time import perf_counter, sleep

TURN, REST = 0.001, 0.002
"""Seconds of work at a time, and between two of them.

A thread that computes gives the interpreter away only every 5 ms, and an event takes many turns.
"""

SPARING, LONGEST = 5, 1800.0
"""How many times longer than the work a pause after it is, and its most seconds."""


def unhurried(turn: float = TURN, rest: float = REST) -> Callable[[], None]:
    """Return what to call often, from one thread: it rests there when a turn of work is over."""
    began = perf_counter()

    def step() -> None:
        nonlocal began
        if perf_counter() - began >= turn:
            sleep(rest)
            began = perf_counter()

    return step


def hurried() -> None:
    """Rest never: for whoever has the interpreter to himself."""


def pause(every: float, took: float) -> float:
    """Return for how many seconds to leave work alone that took `took` and is due `every` so often.

    Not for ever longer: whoever watches a large hub wants an answer within the hour, too.
    """
    return max(every, min(SPARING * took, LONGEST))
