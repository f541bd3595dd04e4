"""What is told of many: requests of a node or a key, offers made to somebody, an enterprise's."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from schemas.registry import ROOT
from services.screens.desk import Desk
from services.screens.requests.answers import unknown
from services.screens.requests.case import Case
from services.screens.requests.index import Requests
from services.screens.requests.people import People
from services.screens.requests.reading import Where, cases, deals, made_to
from services.screens.requests.sight import Sight, alike
from services.screens.requests.stir import Key
from services.screens.requests.tables import REQUEST
from services.screens.requests.timeline import timelines
from services.screens.requests.waiting import Waiting
from services.screens.requests.wanted import Wanted, WantedOffers, WantedRequests

_LAST = 100  # requests of an enterprise that its page shows
_SOON = 5.0  # seconds that a question waits for the start to be over


class Lists:
    """Every list says of which version it is: whoever has it may wait for the next."""

    def __init__(self, desk: Desk, requests: Requests) -> None:
        self._desk, self._requests = desk, requests
        self._waiting = Waiting(desk, requests)
        self._people = People(desk.views.chronicle.registry)

    async def requests(self, eyes: Sight, wanted: WantedRequests) -> dict[str, Any]:
        """Return the requests of a node and all below it, or of whom the key speaks for."""
        await self._waiting.begun(self._waiting.patience(_SOON))
        node = await self._node(eyes, wanted.node)
        chronicle, desk = self._desk.views.chronicle, self._desk
        await self._changed(wanted, lambda: wanted.keys(eyes, chronicle, node))
        version = self._requests.stir.version
        where = [eyes.own(), *wanted.where(chronicle, node, desk.today, desk.now)]
        after, more = wanted.after, wanted.limit + 1
        found = await self._requests.read(lambda c: cases(c, *where, limit=more, after=after))
        rows = [self._row(eyes, case, version) for case in found[: wanted.limit]]
        return {"version": version, "requests": rows, "next": wanted.next(found)}

    async def offers(self, eyes: Sight, wanted: WantedOffers) -> dict[str, Any]:
        """Return the offers made to a resource; raises Forbidden to who speaks for another."""
        resource = wanted.of(eyes.subject)
        if eyes.subject not in {None, resource}:
            raise eyes.forbid(resource)
        await self._waiting.begun(self._waiting.patience(_SOON))
        await self._changed(wanted, lambda: [("resource", resource)])
        version = self._requests.stir.version
        where = [made_to(resource), *wanted.where(eyes, self._desk.views.chronicle)]
        found = await self._requests.read(lambda c: deals(c, *where, limit=wanted.limit))
        rows = [deal.told(self._people, others=eyes.others) for deal in found]
        return {"version": version, "offers": rows}

    async def enterprise(self, eyes: Sight, enterprise: str) -> dict[str, Any]:
        """Return an enterprise's requests with their timelines; raises Forbidden, or a 404."""
        await self._waiting.begun(self._waiting.patience(_SOON))
        if eyes.subject is not None and not eyes.speaks(enterprise):
            raise eyes.forbid(enterprise)
        registry = self._people.registry
        mine = REQUEST.c.enterprise.in_(alike(registry, enterprise)), REQUEST.c.kind == "request"
        version = self._requests.stir.version
        where = [*mine, *self._reached(eyes)]
        seen = await self._requests.read(lambda c: cases(c, *where, limit=_LAST))
        if not seen:
            await self._hidden(eyes, mine)
            if enterprise not in registry.enterprises:
                raise unknown("enterprise", enterprise)
        history = await self._requests.read(lambda c: timelines(c, [case.row.id for case in seen]))
        rows = [
            self._row(eyes, case, version) | {"timeline": history[case.row.id]} for case in seen
        ]
        name = self._people.enterprise(enterprise)
        return {"enterprise_id": enterprise, "name": name, "requests": rows}

    def _reached(self, eyes: Sight) -> Iterator[Where]:
        scope = eyes.principal.scope
        if eyes.subject is None and scope != ROOT:
            yield REQUEST.c.node.in_(self._desk.views.chronicle.below(scope, eyes.day))

    async def _hidden(self, eyes: Sight, where: Sequence[Where]) -> None:
        """Raise Forbidden when there are such requests, none of which the key was shown."""
        for case in await self._requests.read(lambda c: cases(c, *where, limit=1)):
            raise eyes.forbid(case.moved.node_id)

    def _row(self, eyes: Sight, case: Case, version: int) -> dict[str, Any]:
        told = case.summary(self._people, self._desk.now, others=eyes.others)
        return told | {"version": version}

    async def _node(self, eyes: Sight, node: str | None) -> str | None:
        """Return the node whose requests are asked for; None: wherever they are."""
        if node is None and eyes.subject is not None:
            return None
        found = node or eyes.principal.scope
        await self._desk.known(found, self._waiting.patience(1))
        if eyes.subject is None and not eyes.covers(found):
            raise eyes.forbid(found)
        return found

    async def _changed(self, wanted: Wanted, keys: Callable[[], Iterable[Key]]) -> None:
        if wanted.version is not None:
            patience = self._waiting.patience(wanted.wait)
            await self._requests.stir.changed(wanted.version, keys, patience)
