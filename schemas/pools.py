"""Pools: the administrative nodes that own work and resources, a county by default.

The pool of a node is the nearest node at or above it that is an area of tier county or higher; the
root, when there is none. The pool above a pool is found in the same way, from its parent.
"""

import re

from schemas.registry import ROOT
from schemas.tree import Registry

TIERS = frozenset({"county", "city", "province", "country"})

_CHILD = re.compile(r"\.[1-9]$")
_LONGEST = 62
"""Characters after the pool that leave room for a referral's end within the 64 of an id."""


def pool(registry: Registry, node: str, day: str) -> str:
    """Return the pool that serves `node` on a day."""
    return next((n for n in registry.path(node, day) if _is_pool(registry, n)), ROOT)


def above(registry: Registry, of: str, day: str) -> str | None:
    """Return the pool that `of` refers to on a day; None: there is none above."""
    if of == ROOT:
        return None
    higher = registry.path(of, day)[1:]
    return next((n for n in higher if _is_pool(registry, n)), ROOT)


def owner(subject: str) -> str:
    """Return the pool that the id of a request, an ask, an assignment or a resource names."""
    return subject.partition(".")[0]


def misnamed(request: str) -> str | None:
    """Return why a request cannot have this id, though its form is right; None: it can."""
    if _CHILD.search(request):
        return "a request's id must not end like a referral's, in .1 to .9"
    if len(request.partition(".")[2]) > _LONGEST:
        return f"a request's id has at most {_LONGEST} characters after its pool, for referrals"
    return None


def _is_pool(registry: Registry, node: str) -> bool:
    document = registry.nodes.get(node)
    return document is not None and document.kind in ("area", "hub") and document.tier in TIERS
