"""The registry as it stands, what it answers on every tick, and what it was at an earlier time."""

from typing import NamedTuple

from schemas.codec import Event
from schemas.registry import ROOT, Enterprise, Node
from schemas.slots import Verdict
from schemas.tree import Registry, named

_PLACES = frozenset({"hub", "area"})
_KEPT = 10_000  # answers, so that odd questions cannot fill the memory


class Change(NamedTuple):
    """What an event moved: nodes that may have another path, enterprises resolved differently."""

    nodes: frozenset[str] = frozenset()
    enterprises: frozenset[str] = frozenset()


class Chronicle:
    """The registry with every event that made it; answers by day are kept until it changes."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.version = 0
        self._events: list[tuple[int, Event]] = []
        self._below: dict[tuple[str, str], tuple[str, ...]] = {}
        self._merged: set[str] = set()
        self._catchment: dict[tuple[str, str], set[str]] = {}

    def apply(self, event: Event, logged: int) -> Change:
        """Take an event in, logged at a time in milliseconds; say what it moved.

        What comes later in the log was known later, also when the log's clock was set back.
        """
        if self._events:
            logged = max(logged, self._events[-1][0])
        old_node = self.registry.nodes.get(event.subject)
        old_enterprise = self.registry.enterprises.get(event.subject)
        # Where a circle is cut depends on all in it: they move when it is opened, or closed.
        ring = self.registry.ring(event.subject)
        self._events.append((logged, event))
        if self.registry.apply(event) is not Verdict.STANDS:
            return Change()
        self.version += 1
        if isinstance(event.data, Node):
            self._below.clear()
            moved = {event.subject} | ring | self.registry.ring(event.subject)
            return Change(frozenset(moved) if _moved(old_node, event.data) else frozenset())
        if not isinstance(event.data, Enterprise):
            return Change()
        self._catch(event.subject, old_enterprise, event.data)
        return Change(enterprises=self._remerged(event.subject, old_enterprise, event.data))

    def at(self, logged: int) -> "Chronicle":
        """Return what was known at a time; any thread may ask."""
        then = Chronicle()
        for known, event in tuple(self._events):
            if known <= logged:
                then.apply(event, known)
        return then

    def known(self, node: str) -> bool:
        """Whether there is such a node; the root is always there."""
        return node == ROOT or node in self.registry.nodes

    def below(self, node: str, day: str) -> tuple[str, ...]:
        """Return a node and all nodes below it on a day, by id."""
        found = self._below.get((node, day))
        if found is None:
            if len(self._below) >= _KEPT:
                self._below.clear()
            found = self._below[node, day] = tuple(self.registry.below(node, day))
        return found

    def ever_below(self, node: str) -> frozenset[str] | None:
        """Return a node and all that ever lay below it; None for the root: anything may."""
        if node == ROOT:
            return None
        found, above = {node}, self._ever()
        waiting = [node]
        while waiting:
            fresh = above.get(waiting.pop(), set()) - found
            found |= fresh
            waiting.extend(fresh)
        return frozenset(found)

    def stations(self, node: str, day: str) -> list[str]:
        """Return the nodes that serve, at or below a node, that are not closed by a day."""
        return [n for n in self.below(node, day) if serves(self.registry.nodes.get(n), day)]

    def caught(self, node: str, kind: str) -> set[str]:
        """Return the enterprises inside a node's park, or radiated from it, as registered."""
        return self._catchment.get((node, kind), set())

    def _ever(self) -> dict[str, set[str]]:
        """Return the nodes that ever lay right below each node."""
        found: dict[str, set[str]] = {}
        for node, document in tuple(self.registry.nodes.items()):
            for parent in named(document):
                found.setdefault(parent, set()).add(node)
        return found

    def _catch(self, subject: str, old: Enterprise | None, new: Enterprise) -> None:
        for place in old.catchment if old else ():
            self._catchment[place.node, place.kind].discard(subject)
        for place in new.catchment:
            self._catchment.setdefault((place.node, place.kind), set()).add(subject)

    def _remerged(self, subject: str, old: Enterprise | None, new: Enterprise) -> frozenset[str]:
        if (old.merged_into if old else None) == new.merged_into:
            return frozenset()
        before = {subject} | {e for e in self._merged if self._passes(e, subject)}
        self._merged.add(subject)
        return frozenset(before)

    def _passes(self, enterprise: str, through: str) -> bool:
        """Whether the chain of an enterprise's merges leads through another."""
        seen: set[str] = set()
        at: str | None = enterprise
        while at is not None and at not in seen:
            seen.add(at)
            document = self.registry.enterprises.get(at)
            at = document.merged_into if document else None
        return through in seen


def serves(node: Node | None, day: str) -> bool:
    """Whether a node is one that serves enterprises (no hub, no area) and is not closed by then."""
    return (
        node is not None and node.kind not in _PLACES and (node.closed is None or day < node.closed)
    )


def _moved(old: Node | None, new: Node) -> bool:
    return old is None or (old.parent, old.parents) != (new.parent, new.parents)
