"""Deliberate bugs: small changes of the code, each of which some seed must find."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """In `file` the text `old`, which stands there once, becomes `new`."""

    name: str
    file: str
    old: str
    new: str

    def apply(self, root: Path) -> str:
        """Change the file below `root`; return its whole text as it was."""
        path = root / self.file
        text = path.read_text()
        found = text.count(self.old)
        assert found == 1, f"{self.name}: {found} times in {self.file}: {self.old!r}"
        path.write_text(text.replace(self.old, self.new))
        return text


WORKER, SOURCE = "services/stats/worker.py", "services/stats/source.py"
FOLD, HOST = "services/stats/fold.py", "services/stats/app.py"
JUDGE, TAKEOVER = "services/matching/source.py", "services/matching/takeover.py"
VIEWS = "services/screens/views.py"
BOOK, DOOR = "services/matching/book.py", "services/intake/door.py"
PUBLISH = "await self._log.publish([one.record for one in admitted])"
SAVE = "self._store.save(batch.source, batch.base, batch.next, puts)"

MUTANTS = (
    Mutant("drop the base check", WORKER, "if batch.base != source.position:", "if False:"),
    Mutant("position before state", WORKER, SAVE, SAVE.replace("puts", "[]")),
    Mutant(
        "acknowledge before it is durable",
        DOOR,
        f"positions = {PUBLISH}",
        f"positions = []\n            self._late = __import__('asyncio').ensure_future("
        f"{PUBLISH.removeprefix('await ')})",
    ),
    Mutant("add instead of replace", FOLD, "self._add(before, -1)", "self._add((), -1)"),
    Mutant(
        "forget a release", BOOK, "        self.diary.free(assignment, members)", "        pass"
    ),
    Mutant(
        "publish before caught up",
        SOURCE,
        "self.until is not None and self.position >= self.until",
        "self.until is not None",
    ),
    Mutant(
        "decide while replaying",
        TAKEOVER,
        "while position < end:",
        "while position < end // 2:",
    ),
    Mutant(
        "a zombie is not fenced",
        "tests/simulation/log.py",
        "if holder.epoch != epoch:",
        "if False:",
    ),
    Mutant(
        "forget what was unpublished at a restart",
        WORKER,
        "source.ledger, source.dirty = await",
        "source.ledger, _ = await",
    ),
    Mutant(
        "forget what changed during a commit",
        SOURCE,
        "if self.dirty[place] <= position:",
        "if True:",
    ),
    Mutant(
        "forget an input in pool.advanced",
        JUDGE,
        "for place, at in self._decided.items()}\n        mark",
        "for place, at in self._decided.items() if 'ref' not in place.topic}\n        mark",
    ),
    Mutant(
        "answer an ask again",
        "services/matching/asking.py",
        "if (named(event), event.subject) in sitting.book.answered:",
        "if False:",
    ),
    Mutant(
        "offers that never expire",
        "services/matching/clock.py",
        "offering.expire(sitting, request)",
        "pass",
    ),
    Mutant(
        "do not read again what Faust dropped",
        HOST,
        "if self._dropped.lost(partition, position, read):",
        "if False:",
    ),
    Mutant(
        "go on when a dead letter was not written",
        WORKER,
        "await self.log.publish(letters)",
        "await __import__('asyncio').gather(self.log.publish(letters), return_exceptions=True)",
    ),
    Mutant(
        "show rows before their mark",
        "services/screens/counters.py",
        "self._rows(row.topic, row.partition).keep_back(row)",
        "rows = self._rows(row.topic, row.partition)\n        rows.keep_back(row)\n        "
        "[self._put(place, held, held.row()) for place, held in rows.waiting.items()]",
    ),
    Mutant("forget to merge again", VIEWS, "        if enterprises:", "        if False:"),
    Mutant("forget that a node has moved", VIEWS, "        if nodes:", "        if False:"),
    Mutant(
        "publish with the claim of another life",
        SOURCE,
        "        self.until = await log.highwater(self.partition)",
        "        self.until = self.position",
    ),
)
