"""What is shown at every flush mark, beside a recount of exactly what the mark covers."""

from collections import defaultdict
from random import Random

from bus.port import Partition
from schemas.codec import Event, decoder
from schemas.reports import CountersAudited, CountersFlushed, CounterUpdated
from schemas.topics import COUNTERS, named
from services.stats.recount import Recount, Tally
from tests.simulation.events import read, usable
from tests.simulation.log import Log

Place = tuple[str, str]


class Shown:
    """Reads counters as they appear, and holds every mark against the log."""

    def __init__(self, log: Log, dice: Random) -> None:
        self._log, self._dice = log, dice
        self._at: dict[Partition, int] = defaultdict(int)
        self._rows: dict[Partition, dict[Place, CounterUpdated]] = defaultdict(dict)
        self._recounts: dict[Partition, Recount] = defaultdict(Recount)
        self._read: dict[Partition, int] = defaultdict(int)
        self._sums: dict[tuple[Partition, int], dict[str, int]] = {}
        self.marks: dict[Partition, int] = {}

    def watch(self, place: Partition) -> None:
        """Look at what has appeared."""
        if place.topic != COUNTERS.name:
            return
        lines, self._at[place] = self._log.tapes[place].read(self._at[place], 1_000_000)
        for line in lines:
            data = usable(line.value).data
            if isinstance(data, CounterUpdated):
                self._row(data)
            elif isinstance(data, CountersFlushed):
                self._mark(data)
            elif isinstance(data, CountersAudited):
                self._log.happened["audits"] += 1
                assert not data.differences, f"drift: {data}, though no row is wrong"

    def sums(self, source: tuple[str, int], position: int) -> dict[str, int]:
        """Return what the rows of a source added up to at a mark."""
        return self._sums[Partition(*source), position]

    def whole(self) -> None:
        """Recount every source up to its last mark."""
        for source in self.marks:
            self._recount(source)

    def _row(self, row: CounterUpdated) -> None:
        source = Partition(row.topic, row.partition)
        before = self._rows[source].get((row.node, row.day))
        assert before is None or before.position <= row.position, (
            f"stale row: {row.node} {row.day} of {source} at {row.position} after {before}"
        )
        self._rows[source][row.node, row.day] = row
        self._log.happened["rows emptied"] += not (row.sums or row.sets)

    def _mark(self, mark: CountersFlushed) -> None:
        source = Partition(mark.topic, mark.partition)
        before = self.marks.get(source, -1)
        assert before <= mark.position, f"mark went back: {source} {before} to {mark.position}"
        end = self._log.tapes[source].shown
        assert mark.position <= end, f"mark beyond the log: {source} {mark.position} of {end}"
        self.marks[source] = mark.position
        self._log.happened["flush marks"] += 1
        sums: dict[str, int] = defaultdict(int)
        for row in self._rows[source].values():
            for key, amount in row.sums.items():
                sums[key] += amount
        self._sums[source, mark.position] = sums
        if self._dice.random() < 0.3:
            self._recount(source)

    def _recount(self, source: Partition) -> None:
        recount, until = self._recounts[source], self.marks[source]
        counted = self._counted(source, recount, until)
        rows = self._rows[source]
        for place in counted.keys() | rows.keys():
            _compare(source, place, rows.get(place), counted.get(place) or Tally(), until)

    def _counted(self, source: Partition, recount: Recount, until: int) -> dict[Place, Tally]:
        topic = named(source.topic)
        check = decoder(topic, source.number, self._log.partitions(topic), read)
        for line in self._log.tapes[source].lines:
            if self._read[source] <= line.offset < until:
                event = check(line.value)
                if isinstance(event, Event):
                    recount.read(event)
        self._read[source] = max(until, self._read[source])
        return recount.places()


def _compare(
    source: Partition, place: Place, row: CounterUpdated | None, tally: Tally, until: int
) -> None:
    sums = dict(row.sums) if row else {}
    sets = {key: set(members) for key, members in row.sets.items() if members} if row else {}
    counted = {key: amount for key, amount in tally.sums.items() if amount}
    members = {key: ids for key, ids in tally.sets.items() if ids}
    assert sums == counted, f"row: {source}<{until} {place} shows {sums}, counted {counted}"
    assert sets == members, f"row: {source}<{until} {place} shows {sets}, counted {members}"
