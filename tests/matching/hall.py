"""Several pools and their judges without a log: every event goes through the codec all the same."""

from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from schemas.codec import Event, decode, encode
from schemas.days import SHANGHAI
from schemas.decisions import Moved, Offer, Refused, Unmatched
from schemas.pools import owner
from schemas.topics import ASSIGNMENTS
from schemas.types import PREFIX
from services.matching.book import Book, Said
from services.matching.judge import decide
from services.matching.rules import Rules
from services.matching.supply import Supply

MORNING = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)
"""A Monday."""
HOME, CITY, PROVINCE = "xiaonan-qu", "xiaogan", "hubei"
STATION = "yinhu"
NODES = {
    PROVINCE: ("area", "province", "hub"),
    CITY: ("area", "city", PROVINCE),
    HOME: ("area", "county", CITY),
    "hanchuan-shi": ("area", "county", CITY),
    STATION: ("station", "park", HOME),
    "xiaonan": ("station", "park", HOME),
    "hanchuan": ("station", "park", "hanchuan-shi"),
}
Json = dict[str, Any]


def read(kind: str, subject: str, data: Mapping[str, Any]) -> Event:
    """Return an event as it comes out of the log."""
    value = encode(
        {
            "specversion": "1.0", "id": "1", "source": "/nodes/test", "type": PREFIX + kind,
            "subject": subject, "time": "2026-03-02T09:00:00+08:00", "data": dict(data),
        }
    )  # fmt: skip
    event = decode(value)
    assert isinstance(event, Event), event
    return event


def written(said: Said) -> Event:
    """Return a decision as whoever reads the log gets it."""
    data = said.data.model_dump(mode="json", by_alias=True)
    event = read(said.kind.name.removeprefix(PREFIX), said.subject, data)
    assert event.data == said.data
    return event


class Hall:
    """Pools with a judge each, one registry, one clock. `log` keeps each pool's decisions."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules, self.now, self.supply = rules or Rules(), MORNING, Supply()
        self.books: dict[str, Book] = defaultdict(Book)
        self.log: dict[str, list[Event]] = defaultdict(list)
        self.delayed: deque[tuple[str, Event]] | None = None
        self._asks = 0
        for node, (kind, tier, parent) in NODES.items():
            self.register("node.opened", node, node_id=node, kind=kind, tier=tier, parent=parent,
                          name=node)  # fmt: skip

    def stated(self, **data: Any) -> Json:
        """Return what every event states, and `data`."""
        common = {"revision": 1, "node_id": STATION, "occurred_at": self.now.isoformat()}
        return common | {"actor_role": "staff", "actor_ref": "s-1"} | data

    def register(self, type_: str, subject: str, **data: Any) -> None:
        """Put a document into the registry."""
        self.supply.apply(read(type_, subject, self.stated(**data)))

    def expert(self, name: str, *elements: str, pool: str = HOME, **data: Any) -> str:
        """Register an expert of a pool, or restate one."""
        return self._resource("expert.registered", f"{pool}.{name}", elements, data)

    def agency(self, name: str, *elements: str, pool: str = HOME, **data: Any) -> str:
        """Register an agency, a lab, a department or a bank."""
        return self._resource("agency.admitted", f"{pool}.{name}", elements, data)

    def device(self, name: str, *elements: str, pool: str = HOME, **data: Any) -> str:
        """Register a device."""
        return self._resource("equipment.registered", f"{pool}.{name}", elements, data)

    def _resource(self, kind: str, subject: str, elements: tuple[str, ...], data: Json) -> str:
        known = self.supply.find(subject)
        revision = known.revision + 1 if known else 1
        whole = {"node_id": owner(subject), "revision": revision, "elements": list(elements)} | data
        self.register(kind, subject, **whole)
        return subject

    def submit(self, name: str, *elements: str, pool: str = HOME, **more: Any) -> str:
        """Submit a request by the station's staff, so that it is matched at once."""
        stated = {k: more.pop(k) for k in ("node_id", "actor_role") if k in more}
        enterprise = more.pop("enterprise_id", "ent-1")
        demand = {"elements": list(elements or ["STD"]), "mode": "diagnosis"} | more
        request = f"{pool}.{name}"
        self.hear("request.submitted", request, enterprise_id=enterprise, demand=demand, **stated)
        return request

    def ask(self, kind: str, of: str, role: str = "staff", **data: Any) -> Moved | Refused:
        """Ask something about a request or an offer; return the verdict."""
        self._asks += 1
        field = "assignment_id" if kind.startswith("offer.") else "request_id"
        subject = f"{owner(of)}.ask-{self._asks}"
        return self.hear(kind, subject, actor_role=role, **{field: of}, **data)

    def hear(self, kind: str, subject: str, **data: Any) -> Moved | Refused:
        """Let the judge hear an ask; return the verdict."""
        before = {pool: len(log) for pool, log in self.log.items()}
        self.decide({owner(subject): [read(kind, subject, self.stated(**data))]})
        new = self.log[owner(subject)][before.get(owner(subject), 0) :]
        (verdict,) = [
            e.data for e in new
            if (isinstance(e.data, Moved) and e.data.ask == subject)
            or (isinstance(e.data, Refused) and e.subject == subject)
        ]  # fmt: skip
        assert isinstance(verdict, Moved | Refused)
        return verdict

    def decide(self, inputs: Mapping[str, list[Event]] | None = None) -> None:
        """Let every judge decide, and deliver what pools say to each other until all is said.

        While letters are `delayed`, they wait there until `deliver`.
        """
        letters = deque(sorted((inputs or {pool: [] for pool in list(self.books)}).items()))
        while letters:
            pool, events = letters.popleft()
            said = decide(self.books[pool], self.supply, events, self.now, self.rules)
            for one in map(written, said):
                if one.kind.topic is ASSIGNMENTS:
                    self.log[pool].append(one)
                elif self.delayed is None:
                    letters.append((one.data.to_pool, [one]))
                else:
                    self.delayed.append((one.data.to_pool, one))

    def deliver(self) -> None:
        """Deliver the oldest letter that is under way, when letters take their time."""
        if self.delayed:
            pool, letter = self.delayed.popleft()
            self.decide({pool: [letter]})

    def later(self, **time: float) -> None:
        """Let time pass, stopping wherever the clock does something."""
        until = self.now + timedelta(**time)
        for _ in range(1000):
            due = [at for book in self.books.values() if (at := book.due()) and at <= until]
            if not due:
                break
            self.now = max(self.now, min(due))
            self.decide()
        self.now = until
        self.decide()

    def case(self, request: str) -> Moved:
        """Return a request as it stands at the pool its id names."""
        return self.books[owner(request)].cases[request]

    def offer(self, request: str) -> Offer:
        """Return the last offer made for a request, wherever it was made."""
        offer: Offer = self._last(Offer, request)
        return offer

    def why(self, request: str) -> Unmatched:
        """Return why nobody could serve a request when it was last looked at."""
        why: Unmatched = self._last(Unmatched, request)
        return why

    def _last(self, kind: type[Any], request: str) -> Any:
        found = [
            e.data for log in self.log.values() for e in log
            if isinstance(e.data, kind) and e.data.request_id.startswith(request)
        ]  # fmt: skip
        return max(reversed(found), key=lambda one: one.occurred_at)

    def assigned(self, request: str) -> str:
        """Return the assignment that a request has now, here or at the pool it was referred to."""
        case = self.case(request)
        if case.child and case.child_pool:
            case = self.books[case.child_pool].cases[case.child]
        assert case.assignment is not None
        return case.assignment

    def members(self, request: str) -> set[str]:
        """Return who is offered a request now."""
        return {member.id for member in self.offer(request).members}

    def accept(self, request: str) -> None:
        """Let all members accept the offer for a request."""
        which = self.assigned(request)
        for member in self.offer(request).members:
            if member.answer is None:
                verdict = self.ask("offer.accepted", which, "expert", resource=member.id)
                assert isinstance(verdict, Moved), verdict

    def replayed(self, pool: str) -> Book:
        """Return the book that whoever takes the pool over makes from its decisions."""
        book = Book()
        for event in self.log[pool]:
            book.apply(event.kind, event.subject, event.data)
        return book
