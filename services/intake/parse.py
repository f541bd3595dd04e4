"""Strict JSON: what two readers could take for different things is refused."""

import json
from collections import Counter
from collections.abc import Iterable
from math import isfinite
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
    """Return the items of a JSON array as they were written, so that each is judged by itself."""
    try:
        return [bytes(item) for item in _items(raw)]
    except (ValueError, RecursionError) as error:
        raise Invalid("", "json", f"not a JSON array: {str(error)[:200]}") from error


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
