"""A process on a disk that forgets: `python -m tests.faults.power log|yizhan …`.

`log PATH IMAGES SEED OPERATIONS [SYNCHRONOUS]` publishes and decides for so many operations of the
disk, then closes the log; meanwhile images of power cuts come to lie in IMAGES, each with how much
of `acknowledged.json` had been acknowledged by then. `yizhan …` runs the command of that name, and
cuts its own power after YIZHAN_CUT operations with the dice of YIZHAN_SEED.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from random import Random
from typing import cast

from bus import sqlite
from bus.port import Partition, Record
from bus.sqlite.file import Synchronous
from schemas.topics import Kept, Topic
from tests.faults.vfs import Power

FACTS, SAID = (Topic(name, Kept.FOREVER) for name in ("facts", "said"))
ASKED = Partition("asks", 0)
OWNER = "judge"
EVERY = 40
"""The most operations between two images."""


class Images:
    """What would be left at many moments."""

    def __init__(self, folder: Path, dice: Random, operations: int) -> None:
        self.acknowledged: list[tuple[str, int, int, str]] = []
        self._folder, self._dice, self._operations = folder, dice, operations
        self._due, self._made = 0, 0
        self.over = False

    def watch(self, power: Power) -> None:
        """Take one when it is time."""
        self.over = power.operations >= self._operations
        if power.operations >= self._due:
            folder = self._folder / str(self._made)
            folder.mkdir(parents=True)
            power.leave(folder, self._dice)
            (folder / "count").write_text(str(len(self.acknowledged)))
            self._made += 1
            self._due = power.operations + self._dice.randint(1, EVERY)

    def end(self) -> None:
        """Write down what was acknowledged."""
        (self._folder / "acknowledged.json").write_text(json.dumps(self.acknowledged))


def log(path: str, images: str, seed: str, operations: str, synchronous: str = "FULL") -> None:
    """Write a log, and images of it."""
    dice = Random(seed)
    taken = Images(Path(images), dice, int(operations))
    Power(taken.watch)
    asyncio.run(_write(path, taken, dice, cast("Synchronous", synchronous)))
    taken.end()


async def _write(path: str, taken: Images, dice: Random, synchronous: Synchronous) -> None:
    async with sqlite.connect(path, 2, synchronous=synchronous) as bus:
        await asyncio.gather(*(_publish(bus, taken, dice) for _ in range(3)), _decide(bus, taken))


async def _publish(bus: sqlite.SqliteBus, taken: Images, dice: Random) -> None:
    while not taken.over:
        value = f"{dice.random()} " * dice.choice((1, 15, 400))
        records = [Record(FACTS, dice.randrange(2), b"k", f"{value}{n}".encode()) for n in range(3)]
        for position, record in zip(await bus.publish(records), records, strict=True):
            taken.acknowledged.append((*position, (record.value or b"").decode()))


async def _decide(bus: sqlite.SqliteBus, taken: Images) -> None:
    await bus.claim(OWNER)
    at = (await bus.positions(OWNER)).get(ASKED, 0)
    while not taken.over:
        step = {ASKED: (at, at + 1)}
        (said,) = await bus.advance(OWNER, step, [Record(SAID, 0, b"k", b"%d" % at)])
        taken.acknowledged.append((*said, str(at)))
        at += 1


def hub(*arguments: str) -> None:
    """Run Yizhan until its power is cut."""
    after, dice = int(os.environ["YIZHAN_CUT"]), Random(os.environ["YIZHAN_SEED"])

    def watch(power: Power) -> None:
        if power.operations >= after:
            power.off()
            for folder in {Path(path).parent for path in power.files}:
                power.leave(folder, dice)
            os._exit(9)

    Power(watch)
    sys.argv = ["yizhan", *arguments]
    from deploy.cli import main  # noqa: PLC0415  # only now, upon this disk

    main()


if __name__ == "__main__":
    if sys.argv[1] == "log":
        log(*sys.argv[2:])
    else:
        hub(*sys.argv[2:])
