"""Whether a newer schema still keeps what an older one promised.

The log keeps events for ever, and stations and downstream systems update when they can. So whatever
the old schema takes, the new one must take and understand the same way; and what readers find in
every event must stay there. Anything may be added: a field that need not be there, a value of an
enumeration, room within a bound. (Readers pass over fields they do not know; a value they do not
know they refuse, so readers are updated before writers.)

A deliberate change of meaning is a new type of event beside the old one. As long as nobody keeps
events of the old form, a release may break instead: `make schemas RELEASE=--release` makes the
schemas of today the baseline, and the review sees what that changes.
"""

from collections.abc import Iterable, Iterator
from typing import Any

Schema = dict[str, Any]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SAID = {"$schema", "$id", "$defs", "title", "description", "examples", "deprecated", "default"}
_JUDGED = {
    *_SAID, *_LOWER, *_UPPER, "anyOf", "type", "const", "enum", "properties", "required", "items",
    "additionalProperties",
}  # fmt: skip


def breaks(old: Schema, new: Schema) -> list[str]:
    """Say how `new` breaks what `old` promised, each as "field: what"; empty: not at all."""
    return list(_breaks(_inlined(old, old), _inlined(new, new), ""))


def _breaks(old: Schema, new: Schema, place: str) -> Iterator[str]:
    if "anyOf" in old or "anyOf" in new:
        yield from _choices(old, new, place)
        return
    for judge in (_types, _values, _bounds, _fields, _members, _others):
        yield from judge(old, new, place)


def _choices(old: Schema, new: Schema, place: str) -> Iterator[str]:
    """Each alternative of the old needs one in the new that takes all of it."""
    for one in _alternatives(old):
        found = [list(_breaks(one, other, place)) for other in _alternatives(new)]
        if all(found):
            yield from min(found, key=len)


def _types(old: Schema, new: Schema, place: str) -> Iterator[str]:
    was, now = _named(old), _named(new)
    if now and not (was and was <= now | ({"integer"} if "number" in now else set())):
        yield _says(place, f"was {_either(was) or 'anything'}, is {_either(now)}")


def _values(old: Schema, new: Schema, place: str) -> Iterator[str]:
    was, now = _listed(old), _listed(new)
    if now is not None and was is None:
        yield _says(place, f"takes nothing but {_either(now)} any more")
    elif now is not None and was is not None and (gone := [v for v in was if v not in now]):
        yield _says(place, f"no longer takes {_either(gone)}")


def _bounds(old: Schema, new: Schema, place: str) -> Iterator[str]:
    for names, tighter in ((_LOWER, max), (_UPPER, min)):
        for name in names:
            now, was = new.get(name), old.get(name)
            if now is not None and (was is None or (now != was and tighter(now, was) == now)):
                yield _says(place, f"{name} was {'none' if was is None else was}, is {now}")


def _fields(old: Schema, new: Schema, place: str) -> Iterator[str]:
    was, now = old.get("properties", {}), new.get("properties", {})
    for name in _missing(old.get("required"), new.get("required")):
        if name in now:
            yield _says(_below(place, name), "need not be there any more")
    for name in _missing(new.get("required"), old.get("required")):
        yield _says(_below(place, name), "must be there now")
    for name, field in was.items():
        if name not in now:
            yield _says(_below(place, name), "is gone (a new name is a new field)")
        else:
            yield from _breaks(field, now[name], _below(place, name))
            yield from _absent(field, now[name], _below(place, name))


def _absent(old: Schema, new: Schema, place: str) -> Iterator[str]:
    """Find what a reader takes to be there, or to be meant by its absence, and is no more."""
    if "default" in old and "default" in new and old["default"] != new["default"]:
        yield _says(place, f"meant {old['default']!r} when absent, means {new['default']!r}")
    if _nullable(new) and not _nullable(old) and "default" not in new:
        yield _says(place, "may be null now")


def _members(old: Schema, new: Schema, place: str) -> Iterator[str]:
    """Compare what the entries of a list, and the unnamed fields of an object, may be."""
    for name, mark in (("items", "[]"), ("additionalProperties", ".*")):
        was, now = old.get(name, True), new.get(name, True)
        if now is False and was is not False:
            yield _says(place + mark, "takes nothing any more")
        elif isinstance(now, dict) and was is not False:
            yield from _breaks(was if isinstance(was, dict) else {}, now, place + mark)


def _others(old: Schema, new: Schema, place: str) -> Iterator[str]:
    """Refuse any other rule that is new or different: nothing here knows whether it narrows."""
    for name in sorted(new.keys() - _JUDGED):
        if name not in old:
            yield _says(place, f"{name} is new: {new[name]!r}")
        elif old[name] != new[name]:
            yield _says(place, f"{name} was {old[name]!r}, is {new[name]!r}")


def _inlined(part: Any, root: Schema, within: tuple[str, ...] = ()) -> Any:  # noqa: ANN401  # any piece
    """Put what is referred to in place; what refers to itself keeps its reference."""
    if isinstance(part, list):
        return [_inlined(one, root, within) for one in part]
    if not isinstance(part, dict):
        return part
    target = part.get("$ref")
    if isinstance(target, str) and target not in within:
        whole = {**root["$defs"][target.rpartition("/")[2]], **part}
        del whole["$ref"]
        return _inlined(whole, root, (*within, target))
    return {name: _inlined(one, root, within) for name, one in part.items() if name != "$defs"}


def _alternatives(schema: Schema) -> list[Schema]:
    """Return what a schema lets one choose from, each with the rules that stand beside."""
    beside = {name: rule for name, rule in schema.items() if name not in {"anyOf", *_SAID}}
    return [{**one, **beside} for one in schema.get("anyOf", [{}])]


def _named(schema: Schema) -> set[str]:
    kind = schema.get("type", [])
    return {kind} if isinstance(kind, str) else set(kind)


def _listed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _nullable(schema: Schema) -> bool:
    return any("null" in _named(one) for one in _alternatives(schema))


def _missing(here: list[str] | None, there: list[str] | None) -> list[str]:
    return [name for name in here or () if name not in (there or ())]


def _either(values: Iterable[Any]) -> str:
    return " or ".join(sorted(map(str, values)))


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _says(place: str, what: str) -> str:
    return f"{place or 'the whole'}: {what}"
