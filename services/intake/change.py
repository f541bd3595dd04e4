"""What a new document in the registry changes, which the type of its event says."""

from typing import Any

from schemas.codec import content, encode
from schemas.fields import Stated
from schemas.registry import Enterprise, Node
from schemas.supply import Agency, Expert, Resource
from schemas.tree import Registry
from schemas.types import PREFIX, TYPES, EventType
from services.intake.answer import FOLDERS

SLOTS = {folder: slot for slot, folder in FOLDERS.items()}
_SUPPLIED = {
    "experts": "expert.registered",
    "agencies": "agency.admitted",
    "equipment": "equipment.registered",
}
"""What a first document of each is, and one that says nothing special."""
_GONE = {"suspended": "expert.suspended", "left": "expert.withdrawn"}
_AVAILABILITY = {"calendar", "busy", "status"}
_QUALIFICATION = {"qualifications"}


def changed(registry: Registry, folder: str, subject: str, data: dict[str, Any]) -> EventType:
    """Say what changed; a repeat gets the type it had, because that is part of its content."""
    standing = registry.standing.get((SLOTS[folder], subject))
    if standing is not None and standing.revision == data["revision"]:
        for kind in TYPES.values():
            if kind.slot == SLOTS[folder] and content(kind.name, data) == standing.content:
                return kind
    return TYPES[PREFIX + _name(folder, getattr(registry, folder).get(subject), data)]


def _name(folder: str, before: Any, data: dict[str, Any]) -> str:  # noqa: ANN401  # any document
    if folder == "nodes":
        return _node_change(before, data)
    if folder == "enterprises":
        return _change(before, data)
    return (before and _supply_change(before, data)) or _SUPPLIED[folder]


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


def _supply_change(before: Resource, data: dict[str, Any]) -> str | None:
    """Return None where it is just another document; one of the wrong shape is refused later."""
    try:
        now = type(before).model_validate_json(encode(data), by_alias=True, by_name=False)
    except (ValueError, OverflowError, RecursionError):
        return None
    named = type(before).model_fields.keys() - Stated.model_fields.keys()
    changes = {name for name in named if getattr(now, name) != getattr(before, name)}
    match now:
        case Expert():
            return _expert_change(before.status, now.status, changes)
        case Agency(status="left"):
            return "agency.left"
        case Agency():
            return "agency.qualification_changed" if changes == _QUALIFICATION else None
    return "equipment.taken_out" if now.status != "active" else None


def _expert_change(before: str, now: str, changes: set[str]) -> str | None:
    if now in _GONE:
        return _GONE[now]
    # Who comes back after having been suspended has changed by more than being there.
    only = changes and changes <= _AVAILABILITY and before not in _GONE
    return "expert.availability_changed" if only else None
