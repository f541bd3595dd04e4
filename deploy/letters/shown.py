"""Dead letters as people and programs read them."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from deploy.letters.book import Filed
from deploy.visible import visible
from schemas.codec import Flaw
from schemas.errors import Invalid


def table(letters: Sequence[Filed], most: int, settled: int) -> None:
    """Print the last letters and how many there are; `settled` is how many were dealt with."""
    console = Console()
    console.print(_rows(letters[-most:]))
    rules = Counter(filed.letter.rule for filed in letters).most_common()
    counts = ", ".join(f"{rule} {count}" for rule, count in rules)
    shown = sum(filed.settled is not None for filed in letters)
    hidden = f"; {settled} are settled, --all shows them" if settled and not shown else ""
    console.print(f"{len(letters)} dead letters" + (f": {counts}" if counts else "") + hidden)


def _rows(letters: Sequence[Filed]) -> Table:
    found = Table(
        Column("origin", overflow="fold"), "when", "rule", "field", "bytes", "why", "settled"
    )
    for filed in letters:
        letter = filed.letter
        why = (letter.rule, letter.field, str(letter.size), letter.detail, settled(filed))
        told = (escape(visible(one)) for one in why)
        found.add_row(escape(filed.origin), filed.when, *told)
    return found


def settled(filed: Filed) -> str:
    """Return what became of a letter, "" if nothing."""
    if filed.settled is None:
        return ""
    report, when = filed.settled
    return f"{report.how} {when}" + (f", {visible(report.reason)}" if report.reason else "")


def flawed(origin: str, flaw: Flaw | Invalid) -> str:
    """Return what is wrong with a record, in a line."""
    return visible(f"{origin}: {flaw.rule} {flaw.field}: {flaw.detail}")


def why(filed: Filed) -> str:
    """Return what a letter says about its record, and what became of it."""
    letter = filed.letter
    lines = [
        f"{filed.origin}, {filed.when}, {letter.size} bytes, sha256 {letter.sha256}",
        f"{letter.rule} {letter.field}: {letter.detail}",
    ]
    lines += [settled(filed)] if filed.settled else []
    return "\n".join(map(visible, lines))


def document(letters: Sequence[Filed]) -> str:
    """Return letters as JSON."""
    return _json({"letters": [_letter(filed) for filed in letters]})


def whole(filed: Filed, value: bytes | None) -> str:
    """Return one letter as JSON, with its bytes in base64 if anybody has them."""
    return _json(_letter(filed) | {"value": None if value is None else b64encode(value).decode()})


def _letter(filed: Filed) -> dict[str, Any]:
    said = filed.letter.model_dump(exclude={"value"})
    became = None
    if filed.settled is not None:
        became = filed.settled.report.model_dump(include={"how", "reason", "sha256"})
        became["when"] = filed.settled.when
    return {"origin": filed.origin, "when": filed.when} | said | {"settled": became}


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
