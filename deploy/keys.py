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
from schemas.pools import owner
from schemas.registry import ROOT

app = typer.Typer(help="Keys: who may read and write, below which node.")

Data = Annotated[
    Path, typer.Option(help="Folder of the hub.", file_okay=False, envvar="YIZHAN_DATA")
]
FOLDER = Path("data")
FILE = "keys.db"
_DAY = 86_400
_ID = "[a-z0-9-]{1,64}"


@app.command()
def issue(  # noqa: PLR0913, PLR0917  # the options of the command
    scope: Annotated[
        str | None,
        typer.Option(
            help="Node at the top of what the key reaches.", show_default="hub, or --for's pool"
        ),
    ] = None,
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.WRITER,
    label: Annotated[str, typer.Option(help="Whose key this is.")] = "",
    subject: Annotated[
        str | None,
        typer.Option(
            "--for",
            help="Whom it speaks for, and for nobody else: the id of an expert or an agency "
            "(POOL.ID), or of an enterprise.",
            metavar="ID",
            show_default="nobody",
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, help="Days until it expires.", show_default="never"),
    ] = None,
    data: Data = FOLDER,
) -> None:
    """Make a key and print it: this once, since only its hash is kept."""
    if subject is not None and not fullmatch(rf"{_ID}(\.[A-Za-z0-9._:~-]{{1,64}})?", subject):
        raise Misuse(f"{subject!r} is no id of an enterprise, nor POOL.ID of an expert or agency")
    top = _top(subject) if scope is None else scope
    if not fullmatch(_ID, top):
        raise Misuse(f"{top!r} is no node: ids have small letters, digits and hyphens")
    if not (data / FILE).exists():
        typer.echo(f"There were no keys in {data}: this is the first one.", err=True)
    with Keys.open(data / FILE) as keys:
        until = None if days is None else time.time() + days * _DAY
        typer.echo(keys.issue(top, role, label=label, not_after=until, subject=subject))


@app.command("list")
def list_(data: Data = FOLDER) -> None:
    """Show all keys, without their secrets."""
    with Keys.open(_there(data)) as keys:
        found = keys.list()
    table = Table("id", "scope", "role", "for", "state", "until", "label")
    for key in found:
        who = key.principal
        until = _day(key.not_after) if key.not_after else "never"
        told = (who.scope, who.role.value, who.subject or "", _state(key), until)
        table.add_row(who.id, *told, escape(who.label))
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


def _top(subject: str | None) -> str:
    """Return the pool of a resource; the root for all others."""
    return owner(subject) if subject is not None and "." in subject else ROOT


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
