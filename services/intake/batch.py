"""Many events in one request: every one gets its own answer, and the good ones are kept."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from bus.keys import Principal
from bus.port import Position
from schemas.errors import Invalid, LogError, YizhanError
from schemas.problems import Refusal, problem
from schemas.topics import HEARTBEATS, REGISTRY, REQUESTS, RESULTS
from schemas.types import TYPES
from services.intake.answer import summary, told
from services.intake.check import Admissible
from services.intake.door import BATCHES, Door
from services.intake.draft import Draft
from services.intake.openapi import events
from services.intake.parse import lines, parse, split

_Split = Callable[[bytes], Sequence[bytes]]
_SPLIT: dict[str, _Split] = dict(zip(BATCHES, (lambda raw: [raw], split, lines), strict=True))
_TAKEN = (REQUESTS, RESULTS, REGISTRY, HEARTBEATS)
_TURN = 50  # items judged before other posts get their turn
_SHOWN = 10  # errors told of one item; a batch has thousands
Refused = dict[str, Any]
Judged = Admissible | Refused


def router(door: Door) -> APIRouter:
    """Return the route for events in their own envelopes."""
    routes = APIRouter(tags=["intake"])

    async def post(request: Request) -> Response:
        async with door.enter(request, door.batches) as visit:
            items = _SPLIT[visit.media](visit.body)
            if len(items) > (most := door.settings.batch_items):
                raise Refusal(413, "items", f"send at most {most} events at a time")
            with door.items.entered(len(items)):
                judged = await _judge(door, items, visit.principal)
                return told(207, await _answers(door, judged))

    events(routes, post, BATCHES)
    return routes


async def _judge(door: Door, items: Sequence[bytes], principal: Principal) -> list[Judged]:
    """Judge the items in their order: each sees what those before it register and submit.

    A refusal is kept as its short answer: the error itself would hold on to all it was made from.
    """
    outlook = door.outlook()
    judged: list[Judged] = []
    for index, item in enumerate(items):
        if index % _TURN == 0:
            await door.rounds.next()
        try:
            admitted = await door.admit(_draft(item), principal, outlook)
        except YizhanError as error:
            judged.append(_refused(door, error))
            continue
        outlook.take(admitted.event)
        judged.append(admitted)
    return judged


def _draft(item: bytes) -> Draft:
    attributes = parse(item)
    name = attributes.get("type")
    kind = TYPES.get(name) if isinstance(name, str) else None
    if kind is None or kind.topic not in _TAKEN:
        raise Invalid("type", "type", f"no events of type {str(name)[:80]!r} are taken here")
    return Draft(kind, attributes)


async def _answers(door: Door, judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Publish what is good, in one call, and answer for each item."""
    outcomes = iter(await _kept(door, [one for one in judged if isinstance(one, Admissible)]))
    return [
        _answer(door, one, next(outcomes)) | {"index": index}
        if isinstance(one, Admissible)
        else one | {"index": index}
        for index, one in enumerate(judged)
    ]


async def _kept(door: Door, good: Sequence[Admissible]) -> Sequence[Position | LogError]:
    try:
        return await door.publish(good) if good else []
    except LogError as error:
        return [error] * len(good)


def _answer(door: Door, one: Admissible, outcome: Position | LogError) -> dict[str, Any]:
    if isinstance(outcome, LogError):
        return _refused(door, outcome)
    return {"status": 202, **summary(one, outcome)}


def _refused(door: Door, error: YizhanError) -> Refused:
    """Answer with the first few errors of an item, and with how many `more` there are."""
    door.metrics.refuse(error)
    status, told_ = problem(error)
    if isinstance(error, Invalid) and (more := len(error.errors) - _SHOWN) > 0:
        told_ |= {"errors": told_["errors"][:_SHOWN], "more": more}
    return {"status": status, "problem": told_}
