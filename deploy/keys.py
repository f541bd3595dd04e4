"""`yizhan keys issue`, `list` and `revoke`."""

import time
from datetime import datetime
from pathlib import Path
from re import fullmatch
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bus.keys import Key, Keys, Role
from deploy.errors import Misuse
from schemas.days import SHANGHAI
from schemas.registry import ROOT

app = typer.Typer(help="Keys: who may read and write, below which node.")

Data = Annotated[
    Path, typer.Option(help="Folder of the hub.", file_okay=False, envvar="YIZHAN_DATA")
]
FOLDER = Path("data")
FILE = "keys.db"
_DAY = 86_400


@app.command()
def issue(
    scope: Annotated[str, typer.Option(help="Node at the top of what the key reaches.")] = ROOT,
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.WRITER,
    label: Annotated[str, typer.Option(help="Whose key this is.")] = "",
    days: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, help="Days until it expires.", show_default="never"),
    ] = None,
    data: Data = FOLDER,
) -> None:
    """Make a key and print it: this once, since only its hash is kept."""
    if not fullmatch(r"[a-z0-9-]{1,64}", scope):
        raise Misuse(f"{scope!r} is no node: ids have small letters, digits and hyphens")
    with Keys.open(data / FILE) as keys:
        until = None if days is None else time.time() + days * _DAY
        typer.echo(keys.issue(scope, role, label=label, not_after=until))


@app.command("list")
def list_(data: Data = FOLDER) -> None:
    """Show all keys, without their secrets."""
    with Keys.open(_there(data)) as keys:
        found = keys.list()
    table = Table("id", "scope", "role", "state", "until", "label")
    for key in found:
        who = key.principal
        until = _day(key.not_after) if key.not_after else "never"
        table.add_row(who.id, who.scope, who.role.value, _state(key), until, escape(who.label))
    Console().print(table)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Its id, as `list` shows it.", metavar="ID")],
    data: Data = FOLDER,
) -> None:
    """End a key; services stop taking it within a second."""
    with Keys.open(_there(data)) as keys:
        if not keys.revoke(key):
            raise Misuse(f"There is no key {key} in {data}; `yizhan keys list` shows them.")
    typer.echo(f"Key {key} is revoked.", err=True)


def _there(data: Path) -> Path:
    """Return the store's path; a look at a wrong folder must not make one."""
    if not (data / FILE).exists():
        raise Misuse(f"There are no keys in {data}: name the hub's folder with --data.")
    return data / FILE


def _state(key: Key) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    return "valid" if key.valid(time.time()) else "expired"


def _day(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, SHANGHAI).date().isoformat()
    except (OverflowError, ValueError):  # a store may hold what no calendar does
        return "after 9999" if seconds > 0 else "before 0001"
