"""The registry as it stands: nodes by day, enterprises with their merges, who can be sent.

Pure: whoever reads the registry topic applies its events here, in the order of the log.

Two documents that were checked at the same moment may close a circle of parents that neither closes
by itself. Every day's parents are a tree all the same: of the nodes in a circle, the one whose id
comes first lies right below the root while the circle lasts. So nothing in it is lost to the root,
and no two nodes lie below each other.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from schemas.registry import ROOT, Enterprise, Node
from schemas.slots import Standing, Verdict, verdict
from schemas.supply import Agency, Equipment, Expert

if TYPE_CHECKING:  # the codec routes events by pools, which are found in a registry
    from schemas.codec import Event


@dataclass(slots=True)
class Registry:
    """All documents, by id; `standing` holds what stands in each of their slots."""

    nodes: dict[str, Node] = field(default_factory=dict)
    enterprises: dict[str, Enterprise] = field(default_factory=dict)
    experts: dict[str, Expert] = field(default_factory=dict)
    agencies: dict[str, Agency] = field(default_factory=dict)
    equipment: dict[str, Equipment] = field(default_factory=dict)
    standing: dict[tuple[str, str], Standing] = field(default_factory=dict)

    def apply(self, event: "Event") -> Verdict:
        """Judge a registry event and take it in if it stands."""
        slot = (event.slot, event.subject)
        found = verdict(self.standing.get(slot), event.data.revision, event.content)
        if found is Verdict.STANDS:
            self.standing[slot] = _Stated(event.data.revision, event.content)
            self._documents(event.data)[event.subject] = event.data
        return found

    def _documents(self, document: object) -> dict[str, Any]:
        match document:
            case Node():
                return self.nodes
            case Enterprise():
                return self.enterprises
            case Expert():
                return self.experts
            case Agency():
                return self.agencies
        return self.equipment

    def parent(self, node: str, day: str) -> str | None:
        """Return the parent that `node` had on `day`; before its first interval, the first one.

        That is what its document says, also where this closes a circle.
        """
        document = self.nodes.get(node)
        if document is None or node == ROOT:
            return None
        if not document.parents:
            return document.parent
        at = bisect_right(document.parents, day, key=lambda interval: interval.since)
        return document.parents[max(at - 1, 0)].parent

    def path(self, node: str, day: str) -> list[str]:
        """Return `node` and all above it on `day`, upwards; a circle is cut, as said above.

        What nobody registered has nothing above it: there the path ends.
        """
        found = [node]
        while (above := self.parent(found[-1], day)) is not None:
            if above in found:
                first = min(found[found.index(above) :])
                return [*found[: found.index(first) + 1], ROOT]
            found.append(above)
        return found

    def ring(self, node: str) -> set[str]:
        """Return what its document puts above `node` and others put below it, on whatever days.

        Whenever there is a circle through it, that lies in the ring.
        """
        above = self._ever_above(node)
        return {other for other in above if node in self._ever_above(other)}

    def _ever_above(self, node: str) -> set[str]:
        found, waiting = set[str](), [node]
        while waiting:
            document = self.nodes.get(waiting.pop())
            fresh = (named(document) if document else set()) - found
            found |= fresh
            waiting += fresh
        return found

    def covers(self, scope: str, node: str, day: str) -> bool:
        """Whether `node` is `scope` or lay below it on `day`."""
        return scope == ROOT or scope in self.path(node, day)

    def below(self, node: str, day: str) -> list[str]:
        """Return `node` and all nodes below it on `day`, in the order of their ids."""
        return sorted(n for n in {*self.nodes, node} if n == node or node in self.path(n, day))

    def resolve(self, enterprise: str) -> str:
        """Return what an enterprise was merged into in the end; itself if that runs in a circle."""
        seen = [enterprise]
        while (document := self.enterprises.get(seen[-1])) and document.merged_into:
            if document.merged_into in seen:
                return enterprise
            seen.append(document.merged_into)
        return seen[-1]


def named(node: Node) -> set[str]:
    """Return the parents that a node's document names, on whatever days."""
    return {p for p in (node.parent, *(i.parent for i in node.parents)) if p is not None}


@dataclass(frozen=True, slots=True)
class _Stated:
    revision: int
    content: str
