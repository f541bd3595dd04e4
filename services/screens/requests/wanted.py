"""What lists are asked for: which requests, which offers, and since when they may have changed."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, not_

from schemas.errors import Invalid
from schemas.lifecycle import ENDED
from schemas.registry import ROOT
from services.screens.chronicle import Chronicle
from services.screens.requests.case import Case
from services.screens.requests.reading import OPEN
from services.screens.requests.sight import Sight, alike
from services.screens.requests.stand import STATES
from services.screens.requests.stir import ALL, Key
from services.screens.requests.tables import OFFER, REQUEST

Where = ColumnElement[bool]
_CURSOR = re.compile(r"(-?[0-9]{1,15}):(.+)")
_Version = Annotated[int | None, Field(description="`version` of an answer: wait for a newer one")]
_Wait = Annotated[float, Field(ge=0, description="seconds to wait for it")]


class Wanted(BaseModel):
    """What all lists are asked: how many, and after which version."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    version: _Version = None
    wait: _Wait = 25


class WantedRequests(Wanted):
    """Which requests: `state` may name several, with commas between them."""

    node: str | None = None
    state: str | None = None
    enterprise: str | None = None
    late: bool | None = None
    open: bool | None = None
    cursor: Annotated[str | None, Field(description="`next` of the page before")] = None

    def where(self, chronicle: Chronicle, node: str | None, day: str, now: int) -> Iterator[Where]:
        """Yield what rows of requests must be like."""
        if node is not None and node != ROOT:
            yield REQUEST.c.node.in_(chronicle.below(node, day))
        if self.enterprise is not None:
            yield REQUEST.c.enterprise.in_(alike(chronicle.registry, self.enterprise))
        if self.state is not None:
            yield REQUEST.c.state.in_(_states(self.state))
        if self.open is not None:
            ended = REQUEST.c.state.in_(sorted(ENDED))
            yield not_(ended) if self.open else ended
        if self.late is not None:
            late = REQUEST.c.late_at.is_not(None) & (REQUEST.c.late_at < now)
            yield late if self.late else not_(late)

    def keys(self, eyes: Sight, chronicle: Chronicle, node: str | None) -> Iterable[Key]:
        """Return what must change for the answer to change."""
        if eyes.subject is not None:
            theirs = alike(chronicle.registry, eyes.subject)
            return [*(("enterprise", one) for one in theirs), ("resource", eyes.subject)]
        if node is None or node == ROOT:
            return [ALL]
        return [("node", below) for below in chronicle.below(node, eyes.day)]

    @property
    def after(self) -> tuple[int, str] | None:
        """The request after which the page begins: when it was submitted, and its id."""
        if self.cursor is None:
            return None
        found = _CURSOR.fullmatch(self.cursor)
        if found is None:
            raise Invalid("cursor", "form", "this is no `next` of a page")
        return int(found[1]), found[2]

    def next(self, found: Sequence[Case]) -> str | None:
        """Return the cursor of the page after, if more was found than the page holds."""
        last = found[self.limit - 1].row if len(found) > self.limit else None
        return last and f"{last.submitted}:{last.id}"


class WantedOffers(Wanted):
    """Which offers: those made to `resource`; `open` are those that wait for answer or work."""

    resource: str | None = None
    open: bool | None = None

    def of(self, subject: str | None) -> str:
        """Return the resource: unless it is named, the one that the key speaks for."""
        found = self.resource or subject
        if found is None:
            raise Invalid("resource", "missing", "say to whom the offers were made")
        return found

    def where(self, eyes: Sight, chronicle: Chronicle) -> Iterator[Where]:
        """Yield what rows of offers must be like; who is not asked sees those of its nodes."""
        if self.open is not None:
            yield OPEN if self.open else not_(OPEN)
        scope = eyes.principal.scope
        if eyes.subject is None and scope != ROOT:
            yield OFFER.c.node.in_(chronicle.below(scope, eyes.day))


def _states(text: str) -> list[str]:
    found = [state for state in text.split(",") if state]
    if unknown := sorted(set(found) - set(STATES)):
        raise Invalid("state", "state", f"{unknown[0][:40]!r} is no state of a request")
    return found
