"""All dead letters of a log, each with what became of it."""

from dataclasses import dataclass
from typing import NamedTuple

from bus import Bus, Position
from deploy.errors import Misuse
from deploy.log import records
from schemas.codec import Event, decode
from schemas.reports import DeadLetter, LetterSettled
from schemas.topics import DEAD_LETTERS

PREFIX = "yizhan."


class Settled(NamedTuple):
    """What became of a letter, and when."""

    report: LetterSettled
    when: str


class Filed(NamedTuple):
    """The last letter about one record, without its bytes, and where itself lies in the log.

    `logged` is the log's own time, in milliseconds since 1970.
    """

    origin: str
    letter: DeadLetter
    when: str
    at: Position
    logged: int
    settled: Settled | None = None

    @property
    def of(self) -> Position:
        """Where the record lies that the letter is about."""
        return Position(self.letter.topic, self.letter.partition, self.letter.offset)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant: of a rule, of a topic; None: any."""

    rule: str | None = None
    topic: str | None = None

    def __contains__(self, filed: Filed) -> bool:
        """Whether a letter is meant."""
        return self.rule in {None, filed.letter.rule} and self.topic in {None, filed.letter.topic}


class Book(dict[str, Filed]):
    """The letters by origin, in the order in which they were written."""

    def open(self, wanted: Wanted) -> list[Filed]:
        """Return those that nothing was done about yet."""
        return [filed for filed in self.values() if filed.settled is None and filed in wanted]

    def one(self, origin: str) -> Filed:
        """Return the letter of an origin, also as positions are written; raises Misuse."""
        name = origin.replace(":", "/")
        found = self.get(name) or self.get(PREFIX + name)
        if found is None:
            raise Misuse(
                f"There is no dead letter of {origin}: "
                "`yizhan dead-letters list` shows them as TOPIC/PARTITION/OFFSET."
            )
        return found


async def read(log: Bus) -> Book:
    """Read the topic to its present end; of a letter written again the last counts."""
    letters: dict[str, Filed] = {}
    settled: dict[str, Settled] = {}
    async for place, record in records(log, DEAD_LETTERS):
        event = decode(record.value)
        if not isinstance(event, Event):
            continue
        when = event.envelope.time.isoformat(timespec="seconds")
        if isinstance(data := event.data, LetterSettled):
            settled.setdefault(event.subject, Settled(data, when))
        elif isinstance(data, DeadLetter):
            bare = data.model_copy(update={"value": None})
            at = Position(*place, record.offset)
            letters[event.subject] = Filed(event.subject, bare, when, at, record.timestamp)
    found = sorted(letters.values(), key=lambda filed: filed.logged)
    return Book({f.origin: f._replace(settled=settled.get(f.origin)) for f in found})
