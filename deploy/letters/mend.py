"""What a letter's event should have been: a document of its own, or some fields set anew. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from deploy.errors import Misuse
from schemas.errors import Invalid, Unusable
from services.intake.parse import parse

Attributes = dict[str, Any]


def changed(value: bytes, sets: Sequence[str]) -> Attributes:
    """Return the event in `value` with PATH=JSON set; Unusable when it is no JSON object."""
    try:
        event = parse(value)
    except Invalid as error:
        raise Unusable(
            f"what lies there cannot be mended field by field ({error}): give the whole event, "
            "`yizhan dead-letters repair ORIGIN FILE`"
        ) from error
    for one in sets:
        path, equals, text = one.partition("=")
        if not equals or not path:
            raise Misuse(f"--set {one}: this is to be PATH=JSON, such as data.revision=2")
        _put(event, path, _json(path, text))
    return event


def _json(path: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise Misuse(
            f"--set {path}: {text} is no JSON; a text has quotes of its own: "
            f"--set '{path}=\"{text}\"'"
        ) from None


def _put(event: Attributes, path: str, value: object) -> None:
    *above, last = path.split(".")
    at: Any = event
    for name in above:
        at = at.setdefault(name, {}) if isinstance(at, dict) else _item(at, name, path)
    if isinstance(at, dict):
        at[last] = value
    else:
        _item(at, last, path)
        at[int(last)] = value


def _item(at: object, name: str, path: str) -> object:
    if isinstance(at, list) and name.isdecimal() and int(name) < len(at):
        return at[int(name)]
    raise Misuse(f"--set {path}: there is no {name} in what lies there")
