"""The log itself, as its brokers are: what is written, what is synced, who owns what.

A write is unsynced from its arrival until a moment later: only then it is there, is seen, and is
acknowledged; a power cut of the log drops what is unsynced, all of a step or any part of a call.
"""

from asyncio import Future, get_running_loop
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bus.port import Partition, Position, Record
from schemas.errors import Fenced, Unavailable
from schemas.topics import TOPICS, Topic
from tests.simulation.group import Group
from tests.simulation.options import Options
from tests.simulation.tape import Tape

EPOCH = 1_772_409_600.0
"""When the virtual clock begins: 2026-03-02, 08:00 in Shanghai, in seconds since 1970."""
Apply = Callable[[], list[Position]]


@dataclass(eq=False)
class Writing:
    """A write on its way to the disk."""

    apply: Apply
    done: Future[list[Position]]


@dataclass(eq=False)
class Holder:
    """An owner: who claimed it last, and where it stands."""

    epoch: int = 0
    positions: dict[Partition, int] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)


class Log:
    """Shared by all links; its timers belong to nobody who could be killed."""

    def __init__(self, options: Options, dice: Random, happened: Counter[str]) -> None:
        self.options, self.dice, self.happened = options, dice, happened
        self.identity = "simulated"
        self.faulty = self.down = False
        self.topics = {topic.name: topic for topic in TOPICS}
        self.tapes: dict[Partition, Tape] = defaultdict(Tape)
        self.holders: dict[str, Holder] = defaultdict(Holder)
        self.groups: dict[str, Group] = {}
        self.watching: dict[Callable[[Partition], None], None] = {}
        self._unsynced: list[Writing] = []
        self._steps = 0

    def partitions(self, topic: Topic) -> int:
        return self.options.partitions if topic.spread else 1

    def now(self) -> int:
        """Return the virtual time in milliseconds since 1970."""
        return int((EPOCH + get_running_loop().time()) * 1000)

    def odds(self, fault: str, chance: float) -> bool:
        """Throw dice for a fault that may be on; count it when it happens."""
        if self.faulty and fault in self.options.faults and self.dice.random() < chance:
            self.happened[fault] += 1
            return True
        return False

    def later(self, seconds: float, call: Callable[..., Any], *args: Any) -> None:
        """Do something in a while, whoever is killed meanwhile."""
        get_running_loop().call_later(seconds, call, *args, context=Context())

    def group(self, name: str, places: Sequence[Partition]) -> Group:
        """Return the group of this name."""
        return self.groups.setdefault(name, Group(places, Random(self.dice.random())))

    def write(self, apply: Apply) -> Future[list[Position]]:
        """Take a write; the answer comes once it is synced."""
        writing = Writing(apply, get_running_loop().create_future())
        self._unsynced.append(writing)
        self.later(self.dice.random() * 0.005, self._sync, writing)
        return writing.done

    def cut(self) -> None:
        """Lose power: what was unsynced is gone, or there, but never acknowledged."""
        lost, self._unsynced = self._unsynced, []
        for writing in lost:
            if self.dice.random() < 0.3:
                self._applied(writing)
            else:
                self.happened["unsynced writes lost"] += 1
            if not writing.done.done():
                writing.done.set_exception(Unavailable("the log lost power"))
                writing.done.exception()  # whoever waited may have gone

    def put(self, records: Iterable[Record]) -> list[Position]:
        """Append records now, each where its route leads."""
        now, found = self.now(), []
        for record in records:
            number = record.topic.partition(record.route, self.partitions(record.topic))
            place = Partition(record.topic.name, number)
            found.append(Position(*place, self.tapes[place].append(record.key, record.value, now)))
        for place in dict.fromkeys(Partition(p.topic, p.partition) for p in found):
            self.tell(place)
        return found

    def claim(self, owner: str) -> int:
        """Make somebody the owner; what the last one wrote can be seen from now on."""
        holder = self.holders[owner]
        holder.epoch += 1
        self.happened[f"claimed: {owner.partition('-')[0]}"] += 1
        for step in tuple(holder.open):
            self._mark(holder, step)
        return holder.epoch

    def step(
        self,
        owner: str,
        epoch: int,
        moves: Mapping[Partition, tuple[int, int]],
        outputs: Sequence[Record],
    ) -> list[Position]:
        """Write and move, or raise Fenced; readers may see each partition's part a bit later."""
        holder = self.holders[owner]
        if holder.epoch != epoch:
            self.happened["fenced"] += 1
            raise Fenced(owner)
        if any(holder.positions.get(place, 0) != at for place, (at, _) in moves.items()):
            raise Fenced(owner)
        self._steps += 1
        ends = {place: tape.end for place, tape in self.tapes.items()}
        positions = self.put(outputs)
        written = dict.fromkeys(Partition(p.topic, p.partition) for p in positions)
        holder.positions.update({place: to for place, (_, to) in moves.items()})
        for place in written:
            self.tapes[place].open[self._steps] = ends.get(place, 0)
            self.tapes[place].end += 1
        holder.open.add(self._steps)
        self.later(self.dice.random() * 0.004, self._mark, holder, self._steps)
        return positions

    def abort(self, records: Iterable[Record]) -> None:
        """Leave in the log what a step that was given up leaves: a gap."""
        for record in records:
            number = record.topic.partition(record.route, self.partitions(record.topic))
            self.tapes[Partition(record.topic.name, number)].end += 2

    def tell(self, place: Partition) -> None:
        """Wake whoever reads a partition."""
        for watch in tuple(self.watching):
            watch(place)

    def _mark(self, holder: Holder, step: int) -> None:
        if step not in holder.open:
            return
        holder.open.discard(step)
        for place, tape in self.tapes.items():
            if tape.open.pop(step, None) is not None:
                self.tell(place)

    def _sync(self, writing: Writing) -> None:
        if writing in self._unsynced:
            self._unsynced.remove(writing)
            self._applied(writing)

    @staticmethod
    def _applied(writing: Writing) -> None:
        try:
            positions = writing.apply()
        except Fenced as error:
            if not writing.done.done():
                writing.done.set_exception(error)
                writing.done.exception()
        else:
            if not writing.done.done():
                writing.done.set_result(positions)
