"""The requests, assignments and asks that the log holds, as far as intake must know them.

Whether a move is legal is not known here: matching alone judges that.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from sys import intern

import msgspec

from bus.port import Bus, Partition, Stored
from schemas.days import SHANGHAI
from schemas.errors import Unavailable
from schemas.pools import owner
from schemas.topics import ASSIGNMENTS, REQUESTS
from schemas.types import ASKS, MATCHES
from services.intake.scene import Assignment, Request
from services.intake.tail import Tail

_TOPICS = (REQUESTS, ASSIGNMENTS)
_SUBMITTED, _MOVED = "yizhan.request.submitted", "yizhan.request.moved"
_ASKS, _MATCHES = ({kind.name for kind in kinds} for kinds in (ASKS, MATCHES))


class Cases:
    """Follows requests and assignments.

    Of each record only the few fields that are kept are read, as they are written, in a third of
    the time that the whole check takes. What is unusable is told by stats; matching refuses it.
    """

    def __init__(self, log: Bus, patience: float, remembered: int) -> None:
        self._log = log
        self.tail = Tail(log, _TOPICS, patience, self._take)
        self._requests: dict[str, Request] = {}
        self._assignments: dict[str, Assignment] = {}
        self._asked, self._doubted = _Recent(remembered), _Recent(remembered)
        self._asking: dict[str, str] = {}
        self._posts = Counter[str]()

    def request(self, id_: str) -> Request | None:
        """Return a request, if it is known."""
        return self._requests.get(id_)

    def assignment(self, id_: str) -> Assignment | None:
        """Return an assignment, if it is known."""
        return self._assignments.get(id_)

    def partition(self, pool: str) -> int:
        """Return the number of the partitions, of both topics, that a pool's records stand in."""
        return REQUESTS.partition(pool, self._log.partitions(REQUESTS))

    async def current(self, number: int) -> None:
        """Return once all is known that these partitions hold now; raises Unavailable."""
        await self.tail.current([Partition(topic.name, number) for topic in _TOPICS])

    @asynccontextmanager
    async def asking(self, ask: str, now: datetime) -> AsyncIterator[str]:
        """Be one of the posts of an ask that tells no time; yields the time it was first posted.

        So a retry says what the first post said: as the log has it, or the post that failed or is
        under way here. One that failed may still be written, after the retry has looked.
        What differs, the log settles: the first there stands, and matching refuses the other as a
        conflict. That can be two first posts at the same moment through two intakes, or a retry
        through another intake, or after a restart, of one that failed and is written later.
        """
        if self._asked.get(ask) is None:
            await self.current(self.partition(owner(ask)))
        said = now.astimezone(SHANGHAI).isoformat(timespec="milliseconds")
        known = self._asked.get(ask) or self._doubted.get(ask)
        time = known or self._asking.setdefault(ask, said)
        self._posts[ask] += 1
        try:
            yield time
        except Unavailable:
            self._doubted.put(ask, time)
            raise
        finally:
            self._posts[ask] -= 1
            if not self._posts[ask]:
                del self._posts[ask]
                self._asking.pop(ask, None)

    def _take(self, record: Stored) -> None:
        try:
            head = _head(record.value or b"")
            if head.type in _ASKS:
                self._ask(head)
            elif head.type == _MOVED:
                self._moved(head.subject, _moved(head.data))
            elif head.type in _MATCHES:
                self._offered(head.subject, _offered(head.data))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return

    def _ask(self, head: "_Head") -> None:
        data = _asked(head.data)
        self._asked.put(head.subject, data.occurred_at)
        if head.type == _SUBMITTED:
            # The first in the log stands, and what matching has said about it stands above that.
            made = Request(intern(data.node_id), intern(data.enterprise_id))
            self._requests.setdefault(intern(head.subject), made)

    def _moved(self, subject: str, data: "_Moved") -> None:
        # What another pool asks for has an id of its own there, about which nobody else may ask.
        if data.kind == "request":
            performers = tuple(map(intern, data.performers))
            made = Request(intern(data.node_id), intern(data.enterprise_id), performers)
            self._requests[intern(subject)] = made

    def _offered(self, subject: str, data: "_Offered") -> None:
        members = tuple(intern(member.id) for member in data.members)
        self._assignments[subject] = Assignment(intern(data.request_id), members)


class _Recent:
    """The times of the last asks: of `limit` at least, of twice as many at most."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._young: dict[str, str] = {}
        self._old: dict[str, str] = {}

    def get(self, ask: str) -> str | None:
        return self._young.get(ask) or self._old.get(ask)

    def put(self, ask: str, time: str) -> None:
        if self.get(ask) is None:
            self._young[ask] = time
            if len(self._young) >= self._limit:
                self._old, self._young = self._young, {}


class _Head(msgspec.Struct):
    type: str
    subject: str
    data: msgspec.Raw


class _Asked(msgspec.Struct):
    occurred_at: str
    node_id: str
    enterprise_id: str = ""


class _Moved(msgspec.Struct):
    kind: str
    node_id: str
    enterprise_id: str
    performers: list[str] = []


class _Member(msgspec.Struct):
    id: str


class _Offered(msgspec.Struct):
    request_id: str
    members: list[_Member]


_head = msgspec.json.Decoder(_Head).decode
_asked = msgspec.json.Decoder(_Asked).decode
_moved = msgspec.json.Decoder(_Moved).decode
_offered = msgspec.json.Decoder(_Offered).decode
