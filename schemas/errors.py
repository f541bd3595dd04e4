"""The error tree. Callers ask the error (`retriable`, its fields), never a list of types.

YizhanError
├── Invalid            a value breaks a rule: which field, which rule
│   └── Rejected       several values do, each said in `errors`
├── Denied             who asks may not
│   ├── Unauthenticated   no key, or none that is valid
│   └── Forbidden      the key's role or scope does not reach that far
├── Unusable           something a process needs cannot be used (folder, port, broker, state)
│   └── Full           a disk takes no more for the time being  (retriable)
│       └── Failing    a disk fails, for a moment or for good
└── LogError           the log
    ├── Unavailable    cannot answer or take records now  (retriable)
    ├── TooLarge       a record is larger than its topic takes
    ├── Fenced         another process owns what this one tried to move
    ├── OutOfRange     a position lies outside the log
    └── Mismatch       the log was made with another number of partitions, or is another log
"""

from collections.abc import Sequence


class YizhanError(Exception):
    """Anything Yizhan reports by itself; `str(error)` is one clear sentence for people."""

    retriable = False


class Invalid(YizhanError):
    """A value breaks a rule.

    `field` is a dotted path into the value ("data.revision", "" for the whole), `rule` a short
    stable name ("range", "duplicate_key"), `detail` the rule in words.
    """

    def __init__(self, field: str, rule: str, detail: str) -> None:
        super().__init__(f"{field or 'value'}: {detail} [{rule}]")
        self.field, self.rule, self.detail = field, rule, detail

    @property
    def errors(self) -> "Sequence[Invalid]":
        """Everything that is wrong, one by one."""
        return (self,)


class Rejected(Invalid):
    """Several values break rules; its own field and rule are those of the first."""

    def __init__(self, errors: Sequence[Invalid]) -> None:
        super().__init__(errors[0].field, errors[0].rule, errors[0].detail)
        self._errors = tuple(errors)

    @property
    def errors(self) -> Sequence[Invalid]:
        """Everything that is wrong, one by one."""
        return self._errors


class Denied(YizhanError):
    """Who asks may not."""


class Unauthenticated(Denied):
    """There is no key, or none that is valid."""


class Forbidden(Denied):
    """The key is valid, but its role or its scope does not reach that far."""


class Unusable(YizhanError):
    """Something a process needs cannot be used."""


class Full(Unusable):
    """A disk takes no more for the time being: nothing was written, and all may be tried again."""

    retriable = True


class Failing(Full):
    """A disk fails, full or not: it may be away for a moment, or for good."""


class LogError(YizhanError):
    """The log refused or failed."""


class Unavailable(LogError):
    """The log cannot answer or take records now. What was sent may or may not be written."""

    retriable = True


class TooLarge(LogError):
    """A record is larger than its topic takes (`size` and `limit` in bytes)."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"a record of {size} bytes is larger than the {limit} bytes its topic takes"
        )
        self.size, self.limit = size, limit


class Fenced(LogError):
    """Another process has claimed this owner, or moved its positions: this one must end."""

    def __init__(self, owner: str) -> None:
        super().__init__(f"{owner} belongs to another process now")
        self.owner = owner


class OutOfRange(LogError):
    """A position lies outside what the log holds."""

    def __init__(self, topic: str, partition: int, position: int, start: int, end: int) -> None:
        super().__init__(
            f"position {position} of {topic}/{partition} is outside the log, "
            f"which holds {start} to {end}"
        )
        self.topic, self.partition, self.position = topic, partition, position
        self.start, self.end = start, end


class Mismatch(LogError):
    """The log is not the one this process was set up for."""
