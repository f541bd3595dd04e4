"""Rules beyond the shape of an event. Pure: the clock and the registry come in as arguments."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from re import compile as pattern
from unicodedata import normalize

from schemas.errors import Invalid
from schemas.registry import ROOT, Enterprise, Node
from schemas.tree import Registry

_GAP = r"[\s._/()\u00ad\u00b7\u200b-\u200d\u2010-\u2015\u2022\u2060\u2212\u30fb\ufeff-]{0,3}"
"""What people write between the groups of a number, and what nobody sees there."""
_PERSONAL = pattern(
    rf"(?<![0-9])(?:[1-9][0-9]{{16}}[0-9Xx]"
    rf"|[1-9][0-9]{{5}}{_GAP}(?:19|20)[0-9]{{6}}{_GAP}[0-9]{{3}}[0-9Xx]"
    rf"|(?:(?:\+|00)?86{_GAP})?1[3-9][0-9]{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}})(?![0-9])"
)
"""ID numbers, and mobile numbers with or without gaps (3-4-4, the way they are read out)."""

_SERIALS = {
    "request_id",
    "visit_id",
    "campaign_id",
    "project_id",
    "project",
    "evidence",
    "findings",
}
_SERIALS |= {"consent_ref"}
"""References to things. They are serial numbers by nature, so there only what stands alone and in
one piece is a person's number: "150-2023-0506" is a serial, and of 18 digits only those are an ID
number that hold the birth date of an adult (before 2010, so that region, date and count make no
such number) and the right check digit. References to persons (actor_ref,
performers, approved_by) get the rule of free texts: there a number is likely somebody's own.
"""
_MOBILE = pattern(r"(?<![0-9A-Za-z])(?:(?:\+|00)?86)?1[3-9][0-9]{9}(?![0-9A-Za-z])")
_ID_NUMBER = pattern(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19[0-9]|200)[0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
)
_DIGEST = pattern(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-fA-F]{32,}")
"""UUIDs and hashes, in which such a number may stand by chance."""

_LONGEST = 5000

DAYS = {"from", "to", "closed", "valid_from", "valid_to", "calibration_until"}
"""The fields of the registry's documents that hold a day."""
_FORM = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_CODED = {"uscc", "region_code", "enterprises", "parent", "merged_into", "node"}
_CODED |= {"occurred_at", "complete_to", "target_type", "conflicts", "employer", "body", "owner"}
_CODED |= {"not_before", "need_by", "due_at", "start", "end"}
"""Fields whose form is fixed; some hold 18 digits by right."""


def personal(data: object, path: str, *, serial: bool = False) -> Iterator[Invalid]:
    """Find ID and mobile numbers in the texts and references of `data`: no log may keep them."""
    if isinstance(data, str):
        if _someones(data, serial=serial):
            detail = "this holds an ID number or a mobile number; refer to a person by a reference"
            yield Invalid(path, "personal_data", detail)
    elif isinstance(data, Mapping):
        for name, value in data.items():
            kind = name in _SERIALS
            if kind or not (name in _CODED or name.endswith("_id")):
                yield from personal(value, f"{path}.{name[:80]}", serial=kind)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from personal(value, f"{path}.{index}", serial=serial)


def _someones(text: str, *, serial: bool) -> bool:
    """Whether a text, or a serial number, holds a mobile number or an ID number."""
    # What is longer than any text may be is refused for that.
    text = _DIGEST.sub("", normalize("NFKC", text[:_LONGEST]))
    if not serial:
        return _PERSONAL.search(text) is not None
    numbers = _ID_NUMBER.finditer(text)
    return _MOBILE.search(text) is not None or any(_checks(found[0]) for found in numbers)


def _checks(number: str) -> bool:
    """Whether the last character of an ID number follows from the others (GB 11643)."""
    digits = [10 if digit in "Xx" else int(digit) for digit in number]
    return sum(digit << (17 - place) for place, digit in enumerate(digits)) % 11 == 1


def days(data: object, path: str) -> Iterator[Invalid]:
    """Find days in a document of the registry that no calendar has, such as 2023-02-31.

    The schema tells only their form, and goes on taking what it took once; new ones end here.
    """
    items: Iterable[tuple[object, object]] = ()
    if isinstance(data, Mapping):
        items = data.items()
    elif isinstance(data, list):
        items = enumerate(data)
    for name, value in items:
        place = f"{path}.{str(name)[:80]}"
        if isinstance(value, str) and name in DAYS and _FORM.fullmatch(value):
            yield from _calendar(value, place)
        else:
            yield from days(value, place)


def _calendar(day: str, path: str) -> Iterator[Invalid]:
    try:
        date.fromisoformat(day)
    except ValueError:
        yield Invalid(path, "day", f"there is no day {day}")


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
