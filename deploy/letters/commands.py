"""`yizhan dead-letters list|show|replay|repair|dismiss`."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

import bus
from bus import Bus
from deploy.errors import Misuse
from deploy.letters import book, replay, shown
from deploy.letters import repair as repairing
from deploy.letters.book import PREFIX, Filed, Wanted
from deploy.letters.settle import Deed, settling
from deploy.letters.shelf import shelf
from deploy.log import DATA, Data, Url, existing
from schemas.errors import Invalid
from schemas.topics import TOPICS

T = TypeVar("T")
app = typer.Typer(help="Dead letters: records that could not be used.")
OPEN = 3
"""The exit code of `list --check` when letters are open."""

Origin = Annotated[str, typer.Argument(help="TOPIC/PARTITION/OFFSET, as `list` shows it.")]
Rule = Annotated[str | None, typer.Option(help="Only those of this rule, as `list` shows it.")]
OfTopic = Annotated[str | None, typer.Option("--topic", help="Only those of this topic.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@app.command("list")
def list_(  # noqa: PLR0913  # its options
    url: Url = None,
    data: Data = DATA,
    rule: Rule = None,
    topic: OfTopic = None,
    most: Annotated[
        int | None, typer.Option(min=1, help="The most to show, the last ones. [default: 100]")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that are settled.")] = False,
    as_json: Json = False,
    check: Annotated[bool, typer.Option(help="Exit code 3 when any is open.")] = False,
) -> None:
    """Show those that nothing was done about, by where they came from."""
    found = _on(url, data, book.read)
    wanted = _wanted(rule, topic)
    letters = [f for f in found.values() if f in wanted and (every or not f.settled)]
    if as_json:
        typer.echo(shown.document(letters if most is None else letters[-most:]))
    else:
        settled = sum(f.settled is not None and f in wanted for f in found.values())
        shown.table(letters, most or 100, settled)
    if check and found.open(wanted):
        raise typer.Exit(OPEN)


@app.command()
def show(origin: Origin, url: Url = None, data: Data = DATA, *, as_json: Json = False) -> None:
    """Say why a record could not be used, on stderr, and write its bytes to stdout."""
    filed, value = _on(url, data, lambda log: _look(log, origin))
    if as_json:
        typer.echo(shown.whole(filed, value))
        return
    typer.echo(shown.why(filed), err=True)
    if value is None and filed.letter.size:
        typer.echo("Its bytes were too many to be kept, and the log has them no more.", err=True)
    elif value is not None:
        sys.stdout.buffer.write(value + b"\n")


@app.command("replay")
def replay_(  # noqa: PLR0913  # its options
    origin: Annotated[str | None, typer.Argument(help="TOPIC/PARTITION/OFFSET of one.")] = None,
    url: Url = None,
    data: Data = DATA,
    rule: Rule = None,
    topic: OfTopic = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    dry_run: Dry = False,
) -> None:
    """Put records back as they were, each once, where they can be used now.

    Exit code 1: some cannot; for those nothing is written.
    """
    if (origin is None) is not every or (origin and (rule or topic)):
        raise Misuse(
            "Name one letter, as `yizhan dead-letters list` shows it, or give --all; "
            "--rule and --topic narrow --all down."
        )
    wanted = _wanted(rule, topic)
    do = replay.rehearse if dry_run else replay.replay
    outcome = _on(url, data, lambda log: do(log, origin, wanted))
    for filed in outcome.before:
        typer.echo(f"{filed.origin} is settled already: {shown.settled(filed)}")
    for refused, flaw in outcome.refused:
        typer.echo(shown.flawed(refused, flaw), err=True)
    would = "would be " if dry_run else ""
    typer.echo(f"{len(outcome.replayed)} {would}replayed, {len(outcome.refused)} refused")
    if outcome.refused:
        raise typer.Exit(1)


@app.command()
def repair(  # noqa: PLR0913  # its options
    origin: Origin,
    file: Annotated[
        Path | None, typer.Argument(help="The event as it should have been; -: stdin.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=JSON", help="On top of what lies there; repeatable."),
    ] = None,
    url: Url = None,
    data: Data = DATA,
    *,
    dry_run: Dry = False,
) -> None:
    """Write what a record should have been, once, judged by all the rules of intake."""
    if (file is None) is (not set_):
        raise Misuse("Say what it should have been: as a FILE (- for stdin), or by --set PATH=JSON")
    mend = repairing.of(file, set_ or [])
    do = repairing.rehearse if dry_run else repairing.repair
    try:
        done = _on(url, data, lambda log: do(log, origin, mend))
    except Invalid as error:
        for one in error.errors:
            typer.echo(shown.flawed(origin, one), err=True)
        raise typer.Exit(1) from None
    if isinstance(done, Filed):
        _settled_before(done, "repaired")
    elif dry_run:
        typer.echo((done.value or b"").decode())
    else:
        typer.echo(f"{origin} is repaired")


@app.command()
def dismiss(
    origin: Origin,
    reason: Annotated[str, typer.Option(help="Why nothing need be done, up to 500 characters.")],
    url: Url = None,
    data: Data = DATA,
) -> None:
    """Settle a letter without writing anything in its place."""
    if not 1 <= len(reason.strip()) <= 500:
        raise Misuse("--reason has 1 to 500 characters")
    filed = _on(url, data, lambda log: _dismiss(log, origin, reason.strip()))
    if filed.settled:
        _settled_before(filed, "dismissed")
    else:
        typer.echo(f"{filed.origin} is dismissed")


async def _dismiss(log: Bus, origin: str, reason: str) -> Filed:
    async with settling(log) as settlement:
        filed = settlement.book.one(origin)
        if not filed.settled:
            await settlement.do([Deed(filed, "dismissed", reason=reason)])
        return filed


async def _look(log: Bus, origin: str) -> tuple[Filed, bytes | None]:
    filed = (await book.read(log)).one(origin)
    async with shelf(log, [filed]) as opened:
        return filed, (await opened.values([filed])).get(filed.origin)


def _settled_before(filed: Filed, how: str) -> None:
    """Say what became of a letter before; exit code 1 unless that is what was asked for now."""
    assert filed.settled is not None
    same = filed.settled.report.how == how
    typer.echo(f"{filed.origin} is settled already: {shown.settled(filed)}", err=not same)
    if not same:
        raise typer.Exit(1)


def _wanted(rule: str | None, topic: str | None) -> Wanted:
    names = [known.name for known in TOPICS]
    full = next((name for name in names if topic in {name, name.removeprefix(PREFIX)}), None)
    if topic is not None and full is None:
        raise Misuse(f"--topic {topic}: there are {', '.join(names)}")
    return Wanted(rule, full)


def _on(url: str | None, data: Path, work: Callable[[Bus], Coroutine[Any, Any, T]]) -> T:
    async def connected() -> T:
        async with bus.connect(existing(url, data)) as log:
            return await work(log)

    return asyncio.run(connected())
