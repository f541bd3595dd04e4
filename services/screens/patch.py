"""JSON merge patches (RFC 7396).

A merge patch cannot say null, it takes members out instead: after a patch, a member that is
missing means null. Lists are replaced as a whole and may hold nulls.
"""

from collections.abc import Mapping
from typing import Any


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merge patch that makes `new` of `old`; {} when nothing differs."""
    patch: dict[str, Any] = {key: None for key in old if old[key] is not None and key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            if inner := difference(before, value):
                patch[key] = inner
        elif before != value:
            patch[key] = value
    return patch


def merge(target: object, patch: object) -> Any:  # noqa: ANN401  # any JSON value
    """Return what a patch makes of a document."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged
