"""What a pool can send: the resources of the registry, as matching looks at them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schemas.codec import Event
from schemas.days import business_day
from schemas.pools import above, owner
from schemas.slots import Verdict
from schemas.supply import Agency, Equipment, Kind, Resource
from schemas.tree import Registry

RESOURCES = frozenset({"yizhan.expert", "yizhan.agency", "yizhan.equipment"})
"""Slots of resources."""


@dataclass(slots=True)
class Supply:
    """The registry, and its resources by pool. `version` rises whenever anything changes.

    `_changed` holds by version what changed, so it is as long as the registry.
    """

    registry: Registry = field(default_factory=Registry)
    version: int = 0
    _pools: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _changed: list[str] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        """Take a registry event in, if it stands."""
        if self.registry.apply(event) is not Verdict.STANDS:
            return
        self.version += 1
        self._changed.append(event.subject)
        if event.slot in RESOURCES:
            self._pools.setdefault(owner(event.subject), {})[event.subject] = event.data

    def since(self, version: int) -> set[str]:
        """Return the ids of all that has changed since a version."""
        return set(self._changed[version:])

    def of(self, pool: str) -> Mapping[str, Resource]:
        """Return the resources of a pool, by id."""
        return self._pools.get(pool, {})

    def find(self, resource: str) -> Resource | None:
        """Return one resource; None when there is none of that id."""
        return self.of(owner(resource)).get(resource)

    def instead(self, subject: str, resource: Resource) -> "Supply":
        """Return a supply in which a resource is as given, to see what would be; nothing else."""
        pool = {**self.of(owner(subject)), subject: resource}
        return Supply(self.registry, self.version, {**self._pools, owner(subject): pool})

    def above(self, pool: str, now: datetime) -> str | None:
        """Return the pool above, which the request is referred to."""
        return above(self.registry, pool, business_day(now))

    def industry(self, enterprise: str) -> str | None:
        """Return the industry of an enterprise, if the registry tells."""
        document = self.registry.enterprises.get(self.registry.resolve(enterprise))
        return document.industry if document else None

    def categories(self, enterprise: str, day: str) -> Iterator[str]:
        """Yield the categories that an enterprise has on a day."""
        document = self.registry.enterprises.get(self.registry.resolve(enterprise))
        for one in document.categories if document else ():
            if (one.since or day) <= day <= (one.until or day):
                yield one.category


def kind_of(resource: Resource) -> Kind:
    """Return what a resource is."""
    if isinstance(resource, Agency):
        return resource.kind
    return "equipment" if isinstance(resource, Equipment) else "expert"
