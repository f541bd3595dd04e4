"""Who sees what: a key reaches the nodes below its scope, or speaks for somebody and sees theirs.

A key that speaks for an enterprise or a resource sees what concerns these and nothing else, however
wide its scope: the scope says where it may write.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select, true

from bus.keys import Principal
from schemas.decisions import Moved
from schemas.errors import Forbidden
from schemas.tree import Registry
from services.screens.requests.tables import MEMBER, OFFER, REQUEST

LIVING = ("offered", "committed")
"""Outcomes of an offer by which its members have to do with the request."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a key sees, by the registry as it is on a day."""

    principal: Principal
    registry: Registry
    day: str

    @property
    def subject(self) -> str | None:
        """For whom the key speaks; None: for nobody."""
        return self.principal.subject

    @property
    def others(self) -> bool:
        """Whether the key sees who else might have served, and why they do not."""
        return self.subject is None

    def covers(self, node: str) -> bool:
        """Whether the key sees all of a node."""
        return self.principal.reads(self.registry, node, self.day)

    def speaks(self, enterprise: str | None) -> bool:
        """Whether the key speaks for an enterprise, or for one that was merged with it."""
        if enterprise is None or self.subject is None:
            return False
        return self.registry.resolve(self.subject) == self.registry.resolve(enterprise)

    def sees(self, moved: Moved, parent: str | None, members: set[str]) -> bool:
        """Whether the key sees a request: `parent` is the enterprise of its parent's request.

        `members` are all who have to do with it; what is private is not theirs to see.
        """
        if self.covers(moved.node_id) or self.speaks(moved.enterprise_id) or self.speaks(parent):
            return True
        served = not moved.demand.private and self.subject is not None
        return served and self.subject in members | set(moved.performers)

    def forbid(self, node: str) -> Forbidden:
        """Return the error of a key that does not see something of a node."""
        return self.principal.forbidden(node)

    def own(self) -> ColumnElement[bool]:
        """Return which rows of requests a key that speaks for somebody sees."""
        if self.subject is None:
            return and_(true(), REQUEST.c.kind == "request")
        names = alike(self.registry, self.subject)
        asked = select(REQUEST.c.id).where(REQUEST.c.enterprise.in_(names))
        served = (
            select(OFFER.c.request)
            .join(MEMBER, MEMBER.c.assignment == OFFER.c.assignment)
            .where(MEMBER.c.resource == self.subject, OFFER.c.outcome.in_(LIVING))
        )
        of_theirs = or_(REQUEST.c.enterprise.in_(names), REQUEST.c.parent.in_(asked))
        return or_(
            and_(of_theirs, REQUEST.c.kind == "request"),
            and_(REQUEST.c.id.in_(served), REQUEST.c.private.is_(False)),
        )


def alike(registry: Registry, enterprise: str) -> list[str]:
    """Return all ids of an enterprise: its own, and those of all that became one with it."""
    last = registry.resolve(enterprise)
    found = {enterprise, last}
    found.update(
        other
        for other, document in tuple(registry.enterprises.items())
        if document.merged_into and registry.resolve(other) == last
    )
    return sorted(found)
