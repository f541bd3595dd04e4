"""One sitting of the judge: what is at hand, and what is said in it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from schemas.codec import Event
from schemas.decisions import FEW, Moved, Offer, Outcome, Refused, State
from schemas.fields import Frozen
from schemas.lifecycle import ENDED, legal, row
from schemas.pools import owner
from schemas.types import PREFIX, TYPES
from services.matching.book import START, Book, Said
from services.matching.rules import Rules
from services.matching.supply import Supply
from services.matching.times import bounded

if TYPE_CHECKING:
    from schemas.asks import Ask

AGAIN = timedelta(hours=1)
"""How often that is, though nobody has come back: time itself opens calendars."""
JUDGE = "matching"
"""Who does what nobody asked for."""


class Sitting:
    """Everything that is said goes into the book at once, so what comes later sees it."""

    def __init__(self, book: Book, supply: Supply, now: datetime, rules: Rules) -> None:
        self.book, self.supply, self.now, self.rules = book, supply, now, rules
        self.said: list[Said] = []

    def say(self, name: str, subject: str, data: Frozen) -> None:
        """Decide something; `name` is the type without its prefix."""
        said = Said(TYPES[PREFIX + name], subject, data)
        self.book.apply(*said)
        self.said.append(said)

    def move(self, request: str, state: State, cause: str, **changes: Any) -> Moved:  # noqa: ANN401
        """Move a request that is there; what `changes` does not name stays as it was."""
        case = self.book.cases[request]
        standing = {
            "revision": case.revision + 1,
            "occurred_at": self.now,
            "before": case.state,
            "state": state,
            "cause": cause,
            "by": JUDGE,
            "ask": None,
            "content": None,
            "note": None,
            "since": self.now,
            "wake_at": None,
        }
        moved = case.model_copy(update=standing | changes)
        self.say("request.moved", request, moved)
        return moved

    def settle(self, assignment: str, outcome: Outcome, **changes: Any) -> Offer:  # noqa: ANN401
        """Say what became of a living assignment."""
        offer = self.book.offers[assignment]
        standing = {
            "revision": offer.revision + 1,
            "occurred_at": self.now,
            "outcome": outcome,
            "reason": None,
            "member": None,
        }
        settled = offer.model_copy(update=standing | changes)
        self.say(f"match.{outcome}", assignment, settled)
        return settled

    def refuse(self, event: Event, cause: str, detail: str, case: str | None = None) -> None:
        """Refuse an ask; `case` is the request that it is about, if there is one."""
        ask: Ask = event.data
        moved = self.book.cases.get(case) if case else None
        data = Refused(
            **self.signed(owner(event.subject), 1, ask.node_id),
            request_id=case or getattr(ask, "request_id", None),
            assignment_id=getattr(ask, "assignment_id", None),
            asked=named(event),
            content=event.content,
            cause=cause,
            detail=detail,
            state=moved.state if moved else None,
            legal=_others(cause, event, moved),
        )
        self.say("request.refused", event.subject, data)

    def signed(self, pool: str, revision: int, node: str) -> dict[str, Any]:
        """Return what every decision states."""
        return {
            "pool": pool,
            "revision": revision,
            "node_id": node,
            "occurred_at": self.now,
            "actor_role": JUDGE,
            "actor_ref": pool,
        }

    def until(self, case: Moved) -> datetime:
        """Return when a case that nobody serves is given up."""
        return case.demand.need_by or bounded(case.submitted_at + self.rules.patience)

    def again(self, case: Moved) -> datetime:
        """Return when to look again at a case that no tier can serve now.

        It is the same time for all, so that they are looked at together, the longest wait first.
        """
        return min(self.until(case), self.now - (self.now - START) % AGAIN + AGAIN)


def _others(cause: str, event: Event, moved: Moved | None) -> tuple[str, ...]:
    """Return what would be legal: about a referral only answers to its offers are."""
    may = legal(moved.state if moved else None, [event.data.actor_role])
    if moved is not None and moved.kind == "referral":
        may = tuple(ask for ask in may if ask.startswith("offer."))
    if cause in {"state", "no_tier_above", "no_time"}:
        may = tuple(ask for ask in may if ask != named(event))
    if cause == "moves" and moved is not None:
        may = tuple(ask for ask in may if ends(ask, moved.state))
    return may


def ends(ask: str, state: State) -> bool:
    """Whether an ask, legal in this state, ends a request."""
    lawful = row(ask, state)
    return lawful is not None and lawful.to in ENDED


def named(event: Event) -> str:
    """Return an event's type without its prefix."""
    return event.kind.name.removeprefix(PREFIX)


def verdict(event: Event) -> dict[str, Any]:
    """Return what marks a move as the verdict on an ask."""
    return {"ask": event.subject, "content": event.content, "by": event.data.actor_role}


def assignment(case: Moved, request: str, number: int) -> str:
    """Return the id of a request's next assignment: it names the pool, and is no longer than ids.

    Two requests share one with probability 2^-80 for each pair.
    """
    return f"{case.pool}.{blake2b(request.encode(), digest_size=10).hexdigest()}-{number}"


def excluding(case: Moved, members: Sequence[str]) -> tuple[str, ...]:
    """Return who has been asked in vain, with these; of very many only the latest."""
    return tuple(dict.fromkeys((*case.excluded, *members)))[-FEW:]
