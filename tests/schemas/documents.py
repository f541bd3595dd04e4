"""Random documents for a JSON Schema, and what becomes of them when one place is spoiled."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from schemas.contract import Schema

Strategy = st.SearchStrategy[Any]

_ZONES = st.builds(
    lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-14 * 60, 14 * 60)
)
TIMES = st.builds(
    lambda seconds, zone: (
        (datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(zone).isoformat()
    ),
    st.integers(0, 3_155_000_000),
    _ZONES,
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JUNK = st.sampled_from(
    [None, True, 0, -1, 1.5, 10**16, 2**70, "", "x", "X", "1", "２０２３", "a\n", "x" * 2001,
     "2023-05-06", [], [None], ["x"] * 101, {}, {"x": 1}]
)  # fmt: skip


def ordered(made: Any) -> Any:
    """Return a document whose times lie as only the code demands: forward, one span of each kind.

    What begins and ends in the same moment is left to the code.
    """
    if isinstance(made, list):
        return [ordered(entry) for entry in (made[:1] if _spans(made) else made)]
    if not isinstance(made, dict):
        return made
    found = {name: ordered(value) for name, value in made.items()}
    for first, last in (("start", "end"), ("not_before", "need_by")):
        if isinstance(found.get(first), str) and isinstance(found.get(last), str):
            found[first], found[last] = sorted((found[first], found[last]), key=_instant)
    return found


def _spans(entries: list[Any]) -> bool:
    return bool(entries) and isinstance(entries[0], dict) and entries[0].keys() == {"start", "end"}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def documents(part: Schema, root: Schema) -> Strategy:
    """Return a strategy for what a schema (or a part of one) takes."""
    if "$ref" in part:
        return documents(root["$defs"][part["$ref"].rpartition("/")[2]], root)
    if "anyOf" in part:
        return st.one_of([documents(one, root) for one in part["anyOf"]])
    if "const" in part or "enum" in part:
        return st.sampled_from(part.get("enum") or [part["const"]])
    return _TYPED[part["type"]](part, root)


def _string(part: Schema, _root: Schema) -> Strategy:
    if part.get("format") == "date-time":
        return TIMES
    if "pattern" in part:
        # Python's $ also stands before a newline at the end; JSON Schema's does not.
        return st.from_regex(part["pattern"].removesuffix("$") + r"\Z")
    size = {"min_size": part.get("minLength", 0), "max_size": min(part.get("maxLength", 20), 20)}
    return st.text(st.characters(codec="utf-8"), **size)


def _integer(part: Schema, _root: Schema) -> Strategy:
    return st.integers(part.get("minimum"), part.get("maximum"))


def _array(part: Schema, root: Schema) -> Strategy:
    least, most = part.get("minItems", 0), min(part.get("maxItems", 3), 3)
    return st.lists(documents(part["items"], root), min_size=least, max_size=most)


def _object(part: Schema, root: Schema) -> Strategy:
    if "properties" not in part:
        return st.dictionaries(TEXT, documents(part["additionalProperties"], root), max_size=3)
    fields = {name: documents(field, root) for name, field in part["properties"].items()}
    must = {name: fields.pop(name) for name in part.get("required", ())}
    return st.fixed_dictionaries(must, optional=fields)


_TYPED: dict[str, Callable[[Schema, Schema], Strategy]] = {
    "string": _string,
    "integer": _integer,
    "array": _array,
    "object": _object,
    "boolean": lambda _part, _root: st.booleans(),
    "null": lambda _part, _root: st.none(),
}


@st.composite
def spoiled(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """Return a document in which one field, at any depth, is gone or has another value."""
    made = deepcopy(whole)
    place, name = draw(st.sampled_from(list(_places(made))))
    if draw(st.booleans()):
        place[name] = draw(JUNK)
    else:
        del place[name]
    return made


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    entries = part.items() if isinstance(part, dict) else enumerate(part)
    for name, value in entries:
        yield part, name
        if isinstance(value, dict | list):
            yield from _places(value)
