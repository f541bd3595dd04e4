"""`yizhan dead-letters list` and `show`: what could not be used, and why."""

import asyncio
import sys
from base64 import b64decode
from collections import Counter
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

import bus
from deploy.errors import Misuse
from deploy.log import DATA, Data, Url, existing, records
from schemas.codec import Event, decode
from schemas.reports import DeadLetter
from schemas.topics import DEAD_LETTERS

app = typer.Typer(help="Dead letters: records that could not be used.")

Letters = dict[str, tuple[DeadLetter, str]]
"""Origin -> the last letter about it, and when it was written."""


@app.command("list")
def list_(
    url: Url = None,
    data: Data = DATA,
    most: Annotated[int, typer.Option(min=1, help="The most to show, the last ones.")] = 100,
) -> None:
    """Show them by where they came from; a repeated letter is one."""
    letters = asyncio.run(_read(existing(url, data)))
    origin = Column("origin", overflow="fold")
    table = Table(origin, "when", "rule", "field", "bytes", "why")
    for about, (letter, when) in list(letters.items())[-most:]:
        why = (letter.rule, letter.field, str(letter.size), letter.detail)
        table.add_row(about, when, *map(escape, why))
    console = Console()
    console.print(table)
    rules = Counter(letter.rule for letter, _ in letters.values()).most_common()
    counts = ", ".join(f"{rule} {count}" for rule, count in rules)
    console.print(f"{len(letters)} dead letters" + (f": {counts}" if counts else ""))


@app.command()
def show(
    origin: Annotated[str, typer.Argument(help="TOPIC/PARTITION/OFFSET, as `list` shows it.")],
    url: Url = None,
    data: Data = DATA,
) -> None:
    """Say why a record could not be used, on stderr, and write its bytes to stdout."""
    found = asyncio.run(_read(existing(url, data))).get(origin)
    if found is None:
        raise Misuse(f"There is no dead letter of {origin}; `yizhan dead-letters list` shows them.")
    letter, when = found
    typer.echo(f"{origin}, {when}, {letter.size} bytes, sha256 {letter.sha256}", err=True)
    typer.echo(f"{letter.rule} {letter.field}: {letter.detail}", err=True)
    if letter.value is None:
        typer.echo("Its bytes were too many to be kept.", err=True)
    else:
        sys.stdout.buffer.write(b64decode(letter.value) + b"\n")


async def _read(url: str) -> Letters:
    found: dict[int, Letters] = {}
    async with bus.connect(url) as log:
        async for _, record in records(log, DEAD_LETTERS):
            event = decode(record.value)
            if isinstance(event, Event) and isinstance(event.data, DeadLetter):
                when = event.envelope.time.isoformat(timespec="seconds")
                found.setdefault(record.timestamp, {})[event.subject] = event.data, when
    return {origin: one for _, at in sorted(found.items()) for origin, one in at.items()}
