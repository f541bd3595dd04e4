"""How values by key become the measures that people read."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from schemas.measures import MEASURES, NAMED, Measure, parse
from schemas.types import FACTS

_SENSITIVE = frozenset({"product"})
_FACTS = frozenset(kind.slot for kind in FACTS)
Number = int | Decimal
Document = dict[str, dict[str, Any]]
"""{measure: {"value": n | None, "unit": …, "by": {dimension: {value: n}}, "slices": […]}}."""


def measures(values: Mapping[str, int], *, whole: bool) -> Document:
    """Return every measure of the catalogue, with slices where there are any.

    A slice by product can point to the few enterprises that make it: unless `whole`, there is none.

    A slice by one dimension stands in `by`, one by several in `slices`, each with its dimensions
    and `value`; `value` is None where slices must not be added up.
    """
    document: Document = {
        m.name: {"value": scaled(m.name, values.get(m.name, 0)) if m.total else None,
                 "unit": m.unit}
        for m in MEASURES
    }  # fmt: skip
    for key in sorted(values):
        name, dimensions = _parsed(key)
        shown = whole or _SENSITIVE.isdisjoint(dimension for dimension, _ in dimensions)
        if dimensions and shown and name in document:
            _slice(document[name], dimensions, scaled(name, values[key]))
    return document


def untold() -> Document:
    """Return the measures that the fact index cannot tell of an earlier time: those of requests."""
    return {m.name: {"value": None, "unit": m.unit} for m in MEASURES if m.fact not in _FACTS}


def named(text: str) -> Measure | None:
    """Return the measure of facts that a key, or what somebody takes for one, is of."""
    try:
        found = NAMED.get(parse(text)[0])
    except ValueError:
        return None
    return found if found and found.fact in _FACTS else None


def scaled(name: str, amount: int) -> Number:
    """Return an amount in its measure's unit, exactly: an int when it is whole."""
    whole, rest = divmod(amount, NAMED[name].scale)
    return whole if rest == 0 else (Decimal(amount) / NAMED[name].scale).normalize()


def _slice(measure: dict[str, Any], dimensions: tuple[tuple[str, str], ...], n: Number) -> None:
    if len(dimensions) == 1:
        ((dimension, value),) = dimensions
        measure.setdefault("by", {}).setdefault(dimension, {})[value] = n
    else:
        measure.setdefault("slices", []).append({**dict(dimensions), "value": n})


@lru_cache(maxsize=65_536)
def _parsed(key: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    name, dimensions = parse(key)
    return name, tuple(dimensions.items())
