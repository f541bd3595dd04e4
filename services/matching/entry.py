"""A resource of a pool as choosing looks at it, and a time of it that is taken."""

from collections.abc import Callable
from typing import NamedTuple

from schemas.supply import Agency, Equipment, Expert, Kind, Resource


class Entry(NamedTuple):
    """A resource of a pool."""

    id: str
    resource: Resource
    kind: Kind


class Use(NamedTuple):
    """A resource is taken from `start` up to `end`, in microseconds."""

    id: str
    start: int
    end: int


def bodies(entry: Entry, resolve: Callable[[str], str]) -> set[str]:
    """Return the enterprises and agencies in whose interest a resource might act."""
    match entry.resource:
        case Expert(employer=body) | Equipment(owner=body):
            own = {body}
        case Agency(body=body):
            own = {body, entry.id.partition(".")[2]}
        case _:
            own = set()
    return {name for one in own if one for name in (one, resolve(one))}


def fee(entry: Entry) -> int:
    """Return what a resource asks for one assignment, in fen."""
    return (entry.resource.fee or 0) if isinstance(entry.resource, Agency) else 0
