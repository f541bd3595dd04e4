"""What the pages say, per language. Chinese speaks first; English answers to `?lang=en`."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

Language = Literal["zh", "en"]

_FOLDER = Path(__file__).parent / "texts"


def language(wanted: str | None) -> Language:
    """Return the language that was asked for, or Chinese."""
    return "en" if wanted == "en" else "zh"


@cache
def texts(lang: Language) -> dict[str, Any]:
    """Return every text of one language; the pages and their scripts share it."""
    return cast("dict[str, Any]", json.loads((_FOLDER / f"{lang}.json").read_text("utf-8")))
