"""The desk: what every question needs before it can be answered."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from bus.gate import Gate
from bus.keys import Keys, Principal
from bus.port import Bus, Partition, Position
from schemas.days import business_day
from schemas.errors import Invalid
from schemas.problems import Refusal
from schemas.topics import COUNTED, COUNTERS, HEARTBEATS, REGISTRY, RESULTS, Topic, named
from services.screens.marks import Marks
from services.screens.patience import Patience
from services.screens.settings import Settings
from services.screens.stamps import instant
from services.screens.start import Start
from services.screens.views import Views
from services.screens.wall import Wall

_REGISTRY = Partition(REGISTRY.name, 0)
_READ = frozenset({REGISTRY, HEARTBEATS, COUNTERS})


@dataclass(frozen=True, slots=True)
class Desk:
    """All that the routes share. `clock` tells seconds since 1970.

    Who shows no key waits at `anybody`, others at `keyed`: no crowd can take their places.
    """

    log: Bus
    keys: Keys
    settings: Settings
    views: Views
    wall: Wall
    indexed: Marks
    counters: Start
    facts: Start
    clock: Callable[[], float]
    anybody: Gate
    keyed: Gate

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self.clock() * 1000)

    @property
    def today(self) -> str:
        """The business day."""
        return business_day(instant(self.now))

    def patience(self, wait: float, *, keyed: bool = False) -> Patience:
        """Return how long a question may wait from now on, in all."""
        gate = self.keyed if keyed else self.anybody
        return Patience.of(min(wait, self.settings.longest_wait), gate)

    async def known(self, node: str, patience: Patience) -> None:
        """Raise a 404 unless a node is known; before that the registry is read to its end."""
        chronicle, read = self.views.chronicle, self.views.read
        if not chronicle.known(node):
            end = await self.log.highwater(_REGISTRY)
            await read.passed(_REGISTRY, end - 1, patience)
        if not chronicle.known(node):
            raise Refusal(404, "unknown_node", f"there is no node {node[:64]!r}")

    def whole(self, node: str, who: Principal | None) -> bool:
        """Whether whoever asks has shown a key that covers a node."""
        return who is not None and who.reads(self.views.chronicle.registry, node, self.today)

    async def counted(self, after: Position | None, patience: Patience) -> None:
        """Wait until the counters show the record at a position; raises a 504 when they do not."""
        await self.counters.over(patience)
        if after is not None:
            await self._passed(self.views.flushed, COUNTED, after, patience)

    async def found(self, after: Position | None, patience: Patience) -> None:
        """Wait until the fact index holds the record at a position, likewise."""
        await self.facts.over(patience)
        if after is not None:
            await self._passed(self.indexed, (RESULTS,), after, patience)

    async def indexed_to_end(self, patience: Patience) -> None:
        """Wait until the fact index holds all that the log holds now, likewise."""
        for number in range(self.log.partitions(RESULTS)):
            end = await self.log.highwater(Partition(RESULTS.name, number))
            await self.found(Position(RESULTS.name, number, end - 1), patience)

    def source(self, after: Position) -> Partition:
        """Return the partition of a position; raises Invalid when its topic has no such one."""
        there = self.log.partitions(named(after.topic))
        if after.partition >= there:
            raise Invalid(
                "after", "partition", f"{after.topic} has partitions 0 to {there - 1} only"
            )
        return Partition(after.topic, after.partition)

    async def _passed(
        self, shown: Marks, topics: Collection[Topic], after: Position, patience: Patience
    ) -> None:
        topic = named(after.topic)
        marks = self.views.read if topic in _READ else shown
        if topic not in _READ and topic not in topics:
            raise Invalid("after", "topic", f"no position of {after.topic} can be waited for here")
        source = self.source(after)
        if not await marks.passed(source, after.offset, patience):
            raise Refusal(
                504, "behind", f"{after} is not shown yet: {source.topic} stands at "
                f"{source.topic}:{source.number}:{marks.at(source)}"
            )  # fmt: skip
