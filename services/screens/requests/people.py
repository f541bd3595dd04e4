"""Names: of nodes, enterprises and whoever serves, as the registry has them now."""

from dataclasses import dataclass
from typing import Any

from schemas.tree import Registry


@dataclass(frozen=True, slots=True)
class People:
    """Looks names up; an id that nobody registered has none."""

    registry: Registry

    def node(self, node: str) -> str:
        """Return the name of a node, its id if it has none."""
        found = self.registry.nodes.get(node)
        return found.name if found else node

    def enterprise(self, enterprise: str) -> str | None:
        """Return the name of an enterprise, or of what it was merged into."""
        documents = self.registry.enterprises
        found = documents.get(enterprise) or documents.get(self.registry.resolve(enterprise))
        return found.name if found else None

    def label(self, resource: str) -> str | None:
        """Return what an expert, an agency or a device is called."""
        found = self._resource(resource)
        return found.label if found else None

    def performer(self, resource: str) -> dict[str, Any]:
        """Return who serves: {"id", "kind", "label"}."""
        return {"id": resource, "kind": self._kind(resource), "label": self.label(resource)}

    def _kind(self, resource: str) -> str | None:
        if (agency := self.registry.agencies.get(resource)) is not None:
            return agency.kind
        if resource in self.registry.experts:
            return "expert"
        return "equipment" if resource in self.registry.equipment else None

    def _resource(self, resource: str) -> Any:  # noqa: ANN401  # an expert, an agency or a device
        known = self.registry
        return (
            known.experts.get(resource)
            or known.agencies.get(resource)
            or known.equipment.get(resource)
        )
