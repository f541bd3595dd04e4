"""What one post sees: what the log says, then what the post itself has said."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from schemas.asks import RequestSubmitted
from schemas.codec import Event
from schemas.errors import Forbidden, Invalid
from schemas.problems import Refusal
from schemas.topics import REGISTRY
from schemas.tree import Registry
from services.intake.cases import Cases
from services.intake.scene import Assignment, Request
from services.intake.view import View

T = TypeVar("T")


class Outlook:
    """The registry and the requests as one post sees them."""

    def __init__(self, view: View, cases: Cases) -> None:
        self._view, self._cases = view, cases
        self._own: list[Event] = []
        self._submitted: dict[str, Request] = {}
        self._copy: Registry | None = None
        self._fresh = False
        self._read: set[int] = set()

    @property
    def registry(self) -> Registry:
        """What is registered."""
        return self._copy or self._view.registry

    def request(self, id_: str) -> Request | None:
        """Return a request, if it is known."""
        return self._cases.request(id_) or self._submitted.get(id_)

    def assignment(self, id_: str) -> Assignment | None:
        """Return an assignment, if it is known."""
        return self._cases.assignment(id_)

    def take(self, event: Event) -> None:
        """Add an event of this very post."""
        if event.kind.topic is REGISTRY:
            self._register(event)
        elif isinstance(event.data, RequestSubmitted):
            made = Request(event.data.node_id, event.data.enterprise_id)
            self._submitted.setdefault(event.subject, made)

    async def judge(self, check: Callable[[], T], pool: str | None = None) -> T:
        """Return what `check` finds; before it refuses, the log is read to its end, once.

        That is the registry, and what the log holds of `pool`, if it is about requests.
        """
        try:
            return check()
        except (Invalid, Forbidden, Refusal):
            if not await self._renew(pool):
                raise
        return check()

    async def refresh(self) -> None:
        """Read the registry to its current end, unless that was done for this post."""
        if self._fresh:
            return
        await self._view.current()
        self._fresh, self._copy = True, None
        own, self._own = self._own, []
        for event in own:
            self._register(event)

    async def _renew(self, pool: str | None) -> bool:
        """Return whether anything was read that this post has not read before."""
        number = None if pool is None else self._cases.partition(pool)
        if self._fresh and (number is None or number in self._read):
            return False
        await self.refresh()
        if number is not None:
            await self._cases.current(number)
            self._read.add(number)
        return True

    def _register(self, event: Event) -> None:
        if self._copy is None:
            self._copy = _copied(self._view.registry)
        self._own.append(event)
        self._copy.apply(event)


def _copied(now: Registry) -> Registry:
    return replace(
        now,
        nodes=dict(now.nodes),
        enterprises=dict(now.enterprises),
        experts=dict(now.experts),
        agencies=dict(now.agencies),
        equipment=dict(now.equipment),
        standing=dict(now.standing),
    )
