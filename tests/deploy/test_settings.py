"""What can be set, and what no setting takes."""

from typing import Any, get_args

import pytest
from pydantic_settings import BaseSettings

from deploy.errors import Misuse
from deploy.parts import PARTS
from deploy.settings import Settings, read

KINDS: tuple[type[BaseSettings], ...] = (Settings, *(part.settings() for part in PARTS))


def named(*types: type) -> list[Any]:
    """Every setting of one of these types."""
    return [
        pytest.param(kind, f"YIZHAN_{name.upper()}", id=name)
        for kind in KINDS
        for name, field in kind.model_fields.items()
        if {field.annotation, *get_args(field.annotation)} & set(types)
    ]


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e300", "1" + "0" * 30, "-1", ""])
@pytest.mark.parametrize(("kind", "name"), named(int, float))
def test_a_number_that_nothing_could_work_with_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, kind: type[BaseSettings], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misuse, match=f"^{name} cannot be '"):
        read(kind)


@pytest.mark.parametrize("value", ["", " ", "a b", "x" * 300])
def test_a_group_that_kafka_would_not_take_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("YIZHAN_GROUP", value)
    with pytest.raises(Misuse, match=r"^YIZHAN_GROUP cannot be '"):
        read(next(part.settings() for part in PARTS if part.name == "stats"))


def test_an_empty_host_is_not_every_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIZHAN_HOST", "")
    with pytest.raises(Misuse, match=r"^YIZHAN_HOST cannot be ''"):
        read(Settings)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_set_by_default_is_within_the_bounds(kind: type[BaseSettings]) -> None:
    kind.model_validate(kind().model_dump())
