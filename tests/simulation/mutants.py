"""Deliberate bugs, each of which some seed must find as what it is."""

from tests.simulation.mutant import Change, Mutant

WORKER, SOURCE = "services/stats/worker.py", "services/stats/source.py"
FOLD, HOST = "services/stats/fold.py", "services/stats/app.py"
JUDGE, TAKEOVER = "services/matching/source.py", "services/matching/takeover.py"
VIEWS, COUNTERS = "services/screens/views.py", "services/screens/counters.py"
BOOK, DOOR = "services/matching/book.py", "services/intake/door.py"
STATE = "bus/state.py"
PUBLISH = "self._log.publish(records)"
MOVE = """\
        with self.write() as connection:
            if not self._swap(source, base, to):
                raise Fenced(f"the position of {source.topic}/{source.number} in {self._place}")
            yield connection
"""
NUMBER = ("row:", "drift:", "ledger:")
"""A wrong number: in a row as it is published, by the audit, or on a screen in the end."""
OLDER = ("stale row:", "mark went back:")
"""A number that replaces a newer one."""

MUTANTS = (
    Mutant(
        "drop the base check",
        NUMBER,
        (
            Change(WORKER, "if batch.base != source.position:", "if False:"),
            # The state compares as well: it is asked to move from wherever it stands.
            Change(
                WORKER,
                "at = batch.source, batch.base, batch.next",
                "at = batch.source, self._store.position(batch.source), batch.next",
            ),
        ),
    ),
    Mutant(
        "position before state",
        NUMBER,
        (
            Change(
                STATE,
                MOVE,
                MOVE.replace(" as connection", "").replace(
                    "            yield connection\n",
                    "        with self.write() as connection:\n            yield connection\n",
                ),
            ),
        ),
    ),
    Mutant(
        "ack before durable",
        ("lost:",),
        (
            Change(
                DOOR,
                f"positions = await {PUBLISH}",
                f"positions = []\n                __import__('asyncio').ensure_future({PUBLISH})",
            ),
        ),
    ),
    Mutant(
        "add instead of replace",
        NUMBER,
        (Change(FOLD, "self._add(before, -1)", "self._add((), -1)"),),
    ),
    Mutant(
        "forget a release",
        ("reserved:",),
        (Change(BOOK, "        self.diary.free(assignment, members)", "        pass"),),
    ),
    Mutant(
        "publish before caught up",
        OLDER,
        (
            Change(
                SOURCE,
                "self.until is not None and self.position >= self.until",
                "self.until is not None",
            ),
        ),
    ),
    Mutant(
        "decide while replaying",
        ("decisions:", "takeover:"),
        (
            Change(TAKEOVER, "while position < end:", "while position < min(end, 1):"),
            # Nor is it noticed that the book is not where the log says its owner stands.
            Change(TAKEOVER, "if at != (told :=", "if False and at != (told :="),
        ),
    ),
    Mutant(
        "a zombie is not fenced",
        (*OLDER, "decisions:", "takeover:"),
        (Change("tests/simulation/log.py", "if holder.epoch != epoch:", "if False:"),),
    ),
    Mutant(
        "forget what was unpublished at a restart",
        NUMBER,
        (Change(WORKER, "source.ledger, source.dirty = await", "source.ledger, _ = await"),),
    ),
    Mutant(
        "forget what changed during a commit",
        NUMBER,
        (Change(SOURCE, "if self.dirty[place] <= position:", "if True:"),),
    ),
    Mutant(
        "forget an input in pool.advanced",
        ("liveness:", "decisions:"),
        (
            Change(
                JUDGE,
                "for place, at in self._decided.items()}\n        mark",
                "for place, at in self._decided.items() if 'ref' not in place.topic}\n        mark",
            ),
        ),
    ),
    Mutant(
        "answer an ask again",
        ("decisions:",),
        (
            Change(
                "services/matching/asking.py",
                "if (named(event), event.subject) in sitting.book.answered:",
                "if False:",
            ),
        ),
    ),
    Mutant(
        "offers that never expire",
        ("liveness:", "decisions:"),
        (Change("services/matching/clock.py", "offering.expire(sitting, request)", "pass"),),
    ),
    Mutant(
        "do not read again what Faust dropped",
        ("liveness:",),
        (Change(HOST, "if self._dropped.lost(partition, position, read):", "if False:"),),
    ),
    Mutant(
        "go on when a dead letter was not written",
        ("letters:", "liveness:"),
        (
            Change(
                WORKER,
                "await self.log.publish(letters)",
                "await __import__('asyncio').gather("
                "self.log.publish(letters), return_exceptions=True)",
            ),
        ),
    ),
    Mutant(
        "show rows before their mark",
        ("flicker:",),
        (
            Change(
                COUNTERS,
                "self._rows(row.topic, row.partition).keep_back(row)",
                "rows = self._rows(row.topic, row.partition)\n        rows.keep_back(row)\n"
                "        [self._put(at, one, one.row()) for at, one in rows.waiting.items()]",
            ),
        ),
    ),
    Mutant(
        "forget to merge again",
        ("ledger:", "screens:"),
        (Change(VIEWS, "        if enterprises:", "        if False:"),),
    ),
    Mutant(
        "forget that a node has moved",
        NUMBER,
        (Change(VIEWS, "        if nodes:", "        if False:"),),
    ),
    Mutant(
        "count a parent twice",
        NUMBER,
        (
            Change(
                COUNTERS,
                "Share(tuple(self._path(*place)), sums, sets)",
                "Share((*(path := self._path(*place)), *path[1:2]), sums, sets)",
            ),
        ),
    ),
    Mutant(
        "add enterprises up instead of uniting them",
        NUMBER,
        (
            Change(
                COUNTERS,
                "cell.hold(key, member, times)",
                "cell.hold(key, member if at[0] == path[0] else path[0] + member, times)",
            ),
        ),
    ),
    Mutant(
        "publish with the claim of another life",
        OLDER,
        (
            Change(
                SOURCE,
                "        self.until = await log.highwater(self.partition)",
                "        self.until = self.position",
            ),
        ),
    ),
    Mutant(
        "index what is older over what stands",
        ("index:",),
        (
            Change(
                "services/screens/judge.py",
                "verdict(before, one.event",
                "verdict(None, one.event",
            ),
        ),
    ),
)
