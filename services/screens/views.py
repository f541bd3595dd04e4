"""All that screens keeps in memory, and how the records of the log change it."""

from dataclasses import dataclass, field

import structlog

from bus.port import Batch, Partition
from schemas.codec import Event, Flaw, decode
from schemas.reports import CountersAudited, CountersFlushed, CounterUpdated, HeartbeatSent
from services.screens.chronicle import Chronicle
from services.screens.counters import Counters
from services.screens.drift import Drift
from services.screens.marks import Marks
from services.screens.pulse import Pulse
from services.screens.touched import Touched

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Views:
    """The views of one process. `read` marks what was read, `flushed` what the counters show.

    `flushed_at` is when the log took the newest flush mark, in milliseconds since 1970.
    """

    chronicle: Chronicle
    counters: Counters
    pulse: Pulse
    drift: Drift = field(default_factory=Drift)
    touched: Touched = field(default_factory=Touched)
    read: Marks = field(default_factory=Marks)
    flushed: Marks = field(default_factory=Marks)
    skipped: int = 0
    flushed_at: int = 0

    @classmethod
    def empty(cls, silent_after: float) -> "Views":
        """Return views of an empty log."""
        chronicle = Chronicle()
        registry = chronicle.registry
        return cls(chronicle, Counters(registry.path, registry.resolve), Pulse(silent_after))

    def apply(self, batch: Batch) -> None:
        """Take in a batch of the registry, of heartbeats or of counters.

        What cannot be used is passed over and counted: stats makes a dead letter of it.
        """
        nodes: set[str] = set()
        enterprises: set[str] = set()
        for record in batch.records:
            event = decode(record.value)
            if isinstance(event, Flaw) or event.kind.topic.name != batch.topic:
                self.skipped += 1
            elif isinstance(event.data, _REPORTS):
                self._report(event, record.timestamp)
            else:
                change = self.chronicle.apply(event, record.timestamp)
                nodes |= change.nodes
                enterprises |= change.enterprises
                self.touched.all()
        self._derive(nodes, enterprises)
        self.read.move(batch.source, batch.next)

    def _derive(self, nodes: set[str], enterprises: set[str]) -> None:
        if nodes:
            self.counters.moved(nodes)
        if enterprises:
            self.counters.merged(enterprises)

    def _report(self, event: Event, logged: int) -> None:
        match event.data:
            case CounterUpdated() as row:
                self.counters.update(row)
            case CountersFlushed() as mark:
                self._flush(mark)
                self.flushed_at = max(self.flushed_at, logged)
            case CountersAudited() as report:
                self.drift.audited(report, logged)
                self.touched.all()
            case HeartbeatSent() as beat:
                self.pulse.hear(beat, logged)
                self.touched.add([beat.node_id])

    def _flush(self, mark: CountersFlushed) -> None:
        """Show what a mark covers; `flushed` goes by what is held, also when the mark is older."""
        source = Partition(mark.topic, mark.partition)
        known = self.counters.outdated().get(source)
        self.touched.add(self.counters.flush(mark))
        if (shown := self.counters.versions().get(source)) is not None:
            self.flushed.move(source, shown[1])
        outdated = self.counters.outdated().get(source)
        if outdated is not None and outdated != known:
            _log.warning("rows_outdated", topic=source.topic, partition=source.number, why=outdated)


_REPORTS = (CounterUpdated, CountersFlushed, CountersAudited, HeartbeatSent)
