"""Control characters: a person sees none of them, and a terminal obeys them."""

from collections.abc import Iterator, Mapping
from re import compile as pattern

from schemas.errors import Invalid

_CONTROL = pattern(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""All but tab and line breaks, and the marks that turn the order of what follows them."""


def control(data: object, path: str) -> Iterator[Invalid]:
    """Find control characters in the texts of `data`: they would act on who prints them later."""
    if isinstance(data, str):
        if found := _CONTROL.search(data):
            detail = f"this holds U+{ord(found[0]):04X}, which nobody can see: leave it out"
            yield Invalid(path, "control_character", detail)
    elif isinstance(data, Mapping):
        for name, value in data.items():
            yield from control(value, f"{path}.{name[:80]}")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from control(value, f"{path}.{index}")
