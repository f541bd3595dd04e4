"""Rules beyond the shape of an event. Pure: the clock and the registry come in as arguments."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from re import compile as pattern
from unicodedata import normalize

from schemas.errors import Invalid
from schemas.registry import ROOT, Enterprise, Node
from schemas.tree import Registry

_PERSONAL = pattern(
    r"(?<![0-9])(?:[1-9][0-9]{16}[0-9Xx]"
    r"|(?:(?:\+|00)?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2})(?![0-9])"
)
_DIGEST = pattern(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-fA-F]{32,}")
"""UUIDs and hashes, in which such a number may stand by chance."""

_LONGEST = 5000

_CODED = {"uscc", "region_code", "enterprises", "parent", "merged_into", "node"}
_CODED |= {"occurred_at", "complete_to", "target_type"}
"""Fields whose form is fixed; some hold 18 digits by right."""


def personal(data: object, path: str) -> Iterator[Invalid]:
    """Find ID numbers and mobile numbers in the free texts of `data`: no log may keep them."""
    if isinstance(data, str):
        # What is longer than any text may be is refused for that.
        if _PERSONAL.search(_DIGEST.sub("", normalize("NFKC", data[:_LONGEST]))):
            detail = "this holds an ID number or a mobile number; refer to a person by a reference"
            yield Invalid(path, "personal_data", detail)
    elif isinstance(data, Mapping):
        for name, value in data.items():
            if name not in _CODED and not name.endswith("_id"):
                yield from personal(value, f"{path}.{name}")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from personal(value, f"{path}.{index}")


def future(time: datetime, path: str, now: datetime, ahead: timedelta) -> Iterator[Invalid]:
    """Find a time that lies too far ahead of the hub's clock."""
    if time - now > ahead:
        hours = ahead / timedelta(hours=1)
        yield Invalid(path, "future", f"this is more than {hours:g} hours ahead of the hub's clock")


def unknown(registry: Registry, node: str, path: str) -> Iterator[Invalid]:
    """Find a node that nobody has registered; the root needs no registration."""
    if node != ROOT and node not in registry.nodes:
        yield Invalid(path, "unknown_node", f"no node {node} is registered")


def parents(node: Node) -> dict[str, str]:
    """Return all parents that a node's document names, with the field that names each first."""
    named = {} if not node.parent else {node.parent: "data.parent"}
    for index, interval in enumerate(node.parents):
        named.setdefault(interval.parent, f"data.parents.{index}.parent")
    return named


def circle(registry: Registry, subject: str, document: object) -> Iterator[Invalid]:
    """Find out whether a document would close a circle of parents or of merges."""
    if isinstance(document, Enterprise) and document.merged_into:
        if _closes(subject, partial(_merged, registry, subject, document)):
            yield Invalid("data.merged_into", "cycle", f"{subject} would be merged into itself")
    elif isinstance(document, Node):
        trial = Registry({**registry.nodes, subject: document})
        closing = [
            day for day in _days(trial, subject) if _closes(subject, partial(_above, trial, day))
        ]
        for day in closing[:1]:
            field = next(iter(parents(document).values()), "data.parent")
            since = day or "the beginning"
            yield Invalid(field, "cycle", f"{subject} would lie below itself from {since} on")


def _merged(registry: Registry, subject: str, document: Enterprise, at: str) -> str | None:
    found = document if at == subject else registry.enterprises.get(at)
    return found.merged_into if found else None


def _above(registry: Registry, day: str, at: str) -> str | None:
    return registry.parent(at, day)


def _closes(start: str, above: Callable[[str], str | None]) -> bool:
    seen, at = {start}, above(start)
    while at is not None and at not in seen:
        seen.add(at)
        at = above(at)
    return at == start


def _days(registry: Registry, subject: str) -> list[str]:
    """Return the days on which anything above `subject` changes, "" standing for before them."""
    days, reached, open_ = {""}, {subject}, [subject]
    while open_:
        document = registry.nodes.get(open_.pop())
        if document is not None:
            days.update(interval.since for interval in document.parents)
            new = parents(document).keys() - reached
            reached |= new
            open_ += new
    return sorted(days)
