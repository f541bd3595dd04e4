"""What can be set about a process as a whole, and how settings are read and shown."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperCommand, TyperGroup

from deploy.errors import Misuse

S = TypeVar("S", bound=BaseSettings)
PREFIX = "YIZHAN_"
Kind = Callable[[], type[BaseSettings]]
"""Settings that are loaded only when somebody wants to read about them."""


class Settings(BaseSettings):
    """Settings of a process; each is an environment variable YIZHAN_<NAME>."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0: any free one")
    data: Path = Field(Path("data"), description="folder for keys, states and the embedded log")
    bus: str = Field("", description="the log: kafka://HOST:PORT,… or sqlite:///PATH")
    partitions: int | None = Field(
        None, ge=1, le=1000, description="partitions that the log must have been made with"
    )


def read(kind: type[S], **given: Any) -> S:  # noqa: ANN401
    """Read settings from the environment; what is given wins. Misuse when a value is wrong."""
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        name = f"{PREFIX}{'.'.join(map(str, wrong['loc']))}".upper()
        raise Misuse(f"{name} cannot be {wrong['input']!r}: {wrong['msg']}") from None


def documented(*kinds: Kind) -> type[TyperCommand]:
    """Return a kind of command whose help lists these settings, the first of each name."""

    class Documented(TyperCommand):
        def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  # Click's own
            super().format_help(ctx, formatter)
            Console().print(_table([Settings, *(kind() for kind in kinds)]))

    return Documented


def documented_group(*kinds: Kind) -> type[TyperGroup]:
    """Return the same for a command that has others below it."""

    class Documented(TyperGroup):
        def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  # Click's own
            super().format_help(ctx, formatter)
            Console().print(_table([Settings, *(kind() for kind in kinds)]))

    return Documented


def _table(kinds: Iterable[type[BaseSettings]]) -> Table:
    table = Table("Environment", "default", "meaning", box=box.SIMPLE)
    seen: set[str] = set()
    for name, field in (pair for kind in kinds for pair in kind.model_fields.items()):
        if name not in seen:
            default = "" if field.default in (None, "") else str(field.default)
            table.add_row(f"{PREFIX}{name.upper()}", default, escape(field.description or ""))
        seen.add(name)
    return table
