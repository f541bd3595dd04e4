"""Strict JSON: what two readers could take for different things is refused."""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from math import isfinite
from re import DOTALL
from re import compile as pattern
from typing import Any

import msgspec

from schemas.errors import Invalid

_read = msgspec.json.Decoder().decode
_DEEP = 50
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


def parse(raw: bytes | memoryview) -> dict[str, Any]:
    """Return the JSON object in `raw`; raises Invalid for anything else, and for a key twice."""
    text = bytes(raw)
    try:
        tree = _read(text)
        json.loads(text, object_pairs_hook=_unique, parse_float=_finite)
    except Invalid:
        raise
    except (ValueError, RecursionError) as error:
        raise Invalid("", "json", f"not valid JSON: {str(error)[:200]}") from error
    if not isinstance(tree, dict):
        raise Invalid("", "object", "this must be a JSON object")
    if not _shallow(tree):
        raise Invalid("", "json", f"nested more than {_DEEP} levels deep")
    return tree


def split(raw: bytes) -> list[bytes]:
    """Return the items of a JSON array as they were written, so that each is judged by itself.

    Where an item is no JSON that a strict reader takes, the array may still be one.
    """
    try:
        return [bytes(item) for item in _items(raw)]
    except (ValueError, RecursionError) as error:
        if (items := _apart(raw)) is not None:
            return items
        raise Invalid("", "json", f"not a JSON array: {str(error)[:200]}") from error


_MARK = pattern(rb'"(?:[^"\\]++|\\.)*+"|[\[{]++|[\]}]++|,|"', DOTALL)
_MARKS = 1_000_000
"""The most marks looked at, which takes a moment; 10,000 events have far fewer."""
_SPACE = b" \t\r\n"
_OPENING = bytes.maketrans(b"]}", b"[{")


def _apart(raw: bytes) -> list[bytes] | None:
    """Split an array at its own commas, whatever stands between them; None if it is no array.

    All brackets must match and all texts end: then no part of one item can pass for another.
    """
    whole = raw.strip(_SPACE)
    if whole[:1] + whole[-1:] != b"[]":
        return None
    inner = whole[1:-1]
    ends = _commas(inner)
    if ends is None:
        return None
    edges = pairwise([-1, *ends, len(inner)])
    items = [inner[before + 1 : end].strip(_SPACE) for before, end in edges]
    return items if all(items) else None


def _commas(inner: bytes) -> list[int] | None:
    """Return where the commas outside of all brackets and texts stand; None if those never end."""
    found: list[int] = []
    open_ = bytearray()
    for count, mark in enumerate(_MARK.finditer(inner)):
        text = mark[0]
        if count == _MARKS or text == b'"':
            return None
        if text == b",":
            if not open_:
                found.append(mark.start())
        elif text[:1] in b"[{":
            open_ += text
        elif text[:1] in b"]}":
            if not open_.endswith(text[::-1].translate(_OPENING)):
                return None
            del open_[-len(text) :]
    return None if open_ else found


def lines(raw: bytes) -> list[bytes]:
    """Return the lines of NDJSON that are not empty."""
    return [line for line in raw.split(b"\n") if line.strip()]


def _shallow(tree: object) -> bool:
    """Whether whoever walks down `tree` may do so by calling itself."""
    level = [tree]
    for _ in range(_DEEP):
        level = [child for one in level for child in _children(one)]
        if not level:
            return True
    return False


def _children(tree: object) -> Iterable[object]:
    if isinstance(tree, dict):
        return tree.values()
    return tree if isinstance(tree, list) else ()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise Invalid(twice[:80], "duplicate_key", "the same key stands twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise Invalid("", "json", f"{text[:40]} is too large a number")
    return number
