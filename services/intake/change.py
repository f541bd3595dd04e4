"""What a new document in the registry changes, which the type of its event says."""

from typing import Any

from schemas.codec import content
from schemas.registry import Enterprise, Node
from schemas.tree import Registry
from schemas.types import ENTERPRISES, NODES, PREFIX, TYPES, EventType
from services.intake.answer import FOLDERS

SLOTS = {folder: slot for slot, folder in FOLDERS.items()}
_KINDS = {"nodes": NODES, "enterprises": ENTERPRISES}


def changed(registry: Registry, folder: str, subject: str, data: dict[str, Any]) -> EventType:
    """Say what changed; a repeat gets the type it had, because that is part of its content."""
    standing = registry.standing.get((SLOTS[folder], subject))
    if standing is not None and standing.revision == data["revision"]:
        for kind in _KINDS[folder]:
            if content(kind.name, data) == standing.content:
                return kind
    document = getattr(registry, folder).get(subject)
    name = _node_change(document, data) if folder == "nodes" else _change(document, data)
    return TYPES[PREFIX + name]


def _node_change(before: Node | None, data: dict[str, Any]) -> str:
    if before is None:
        return "node.opened"
    old = before.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if data.get("closed") != old.get("closed"):
        return "node.closed" if data.get("closed") else "node.opened"
    if any(data.get(name) != old.get(name) for name in ("parent", "parents")):
        return "node.moved"
    return "node.flags_changed"


def _change(before: Enterprise | None, data: dict[str, Any]) -> str:
    if before is None:
        return "enterprise.registered"
    old = before.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if data.get("merged_into") != old.get("merged_into"):
        return "enterprise.merged_into" if data.get("merged_into") else "enterprise.registered"
    now, then = _categories(data), _categories(old)
    if now == then:
        return "enterprise.registered"
    ended = len(now) < len(then) or _open(now) < _open(then)
    return "enterprise.category_ended" if ended else "enterprise.category_granted"


def _categories(document: dict[str, Any]) -> list[Any]:
    """Return the categories, of a document that nobody has validated yet."""
    found = document.get("categories")
    return found if isinstance(found, list) else []


def _open(categories: list[Any]) -> int:
    return sum(isinstance(c, dict) and not c.get("to") for c in categories)
