"""The words of the pages: whole in both languages, for everything that the contract can say."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from schemas.decisions import Outcome, Reason, State
from schemas.demand import Channel
from schemas.lifecycle import OWN, ROLES, TABLE
from schemas.supply import Kind
from services.screens import pages
from services.screens.pages.texts import Language, texts

PARTS = {"knows", "campaign", "industry", "resident", "near", "bonus", "load", "soon", "continuity"}
REFUSED = {
    "state", "role", "unknown_request", "unknown_offer", "referral", "not_yours", "over", "id",
    "conflict", "no_tier_above",
}  # fmt: skip
ASKS = {row.ask for row in TABLE}
SAID = {
    "state": get_args(State),
    "reason": get_args(Reason),
    "outcome": (*get_args(Outcome), "done", "unmet", "withdrawn"),
    "ask": ASKS,
    "cause": ASKS | {cause for _, _, cause in OWN} | {"done", "withdrawn"},
    "refusal": REFUSED,
    "kind": get_args(Kind),
    "channel": get_args(Channel),
    "role": set().union(*ROLES.values()) | {"matching"},
    "part": PARTS,
    "answer": ("accepted", "declined"),
}
SCRIPTS = Path(pages.__file__).parent / "static" / "js"


def leaves(told: Any, path: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield the path of each text and the holes in it."""
    if isinstance(told, str):
        yield path, set(re.findall(r"\{(\w+)\}", told))
        return
    for name, below in told.items():
        yield from leaves(below, f"{path}/{name}")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("group", SAID)
def test_everything_that_the_contract_can_say_has_words(lang: Language, group: str) -> None:
    assert set(SAID[group]) <= {name for name, words in texts(lang)[group].items() if words}


def test_both_languages_have_the_same_texts_but_for_units() -> None:
    chinese, english = (
        {k: v for k, v in texts(lang).items() if k != "units"} for lang in get_args(Language)
    )
    assert {path for path, _ in leaves(chinese)} == {path for path, _ in leaves(english)}


def test_every_text_that_a_script_names_is_there() -> None:
    named = {
        (script.name, path)
        for script in SCRIPTS.rglob("*.js")
        for path in re.findall(r'\btext\("([\w.]+)"', script.read_text("utf-8"))
    }
    known = {path.strip("/").replace("/", ".") for path, _ in leaves(texts("zh"))}
    assert len(named) > 80
    assert {(script, path) for script, path in named if path not in known} == set()
