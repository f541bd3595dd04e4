"""Running a seed."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from hashlib import blake2b
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.simulation import events
from tests.simulation.log import Log
from tests.simulation.loop import Loop
from tests.simulation.options import Options
from tests.simulation.world import World


class Ran(NamedTuple):
    """What happened in a run, and a trace that is the same whenever it is repeated."""

    happened: Counter[str]
    trace: str


def run(options: Options) -> Ran:
    """Run one seed; return what happened. Raises AssertionError."""
    with _by_itself(), events.validated_once():
        return _ran(options)


@contextmanager
def _by_itself() -> Iterator[None]:
    """Keep all that a run makes until it is over, and nothing of it after that.

    Most of it lives as long as the run: the collector would look through it again and again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()  # what is left is there for good: models and statements made on first use


def _ran(options: Options) -> Ran:
    loop = Loop(Random(f"threads {options.seed}"))  # type: ignore[abstract]  # what is used is there
    with TemporaryDirectory() if options.file else nullcontext() as folder:
        world = World(options, Path(folder) if folder else None)
        loop.run(world.play())
    world.happened["virtual seconds"] = int(loop.time())
    world.happened["records"] = sum(len(tape.lines) for tape in world.log.tapes.values())
    return Ran(world.happened, trace(world.log))


def trace(log: Log) -> str:
    """Return a hash of what was written where and when.

    Left out are ids, and the order of one step's rows: sets of names are in any order.
    """
    written = [
        (p, line.timestamp, line.key) for p, tape in log.tapes.items() for line in tape.lines
    ]
    whole = sorted(written)
    return blake2b(repr(whole).encode(), digest_size=8).hexdigest()
