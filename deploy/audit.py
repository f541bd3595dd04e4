"""`yizhan audit`: recount the log and say whether the published counters agree."""

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

import bus
from deploy.log import DATA, Data, Url, existing
from deploy.visible import visible
from schemas.errors import Unusable

if TYPE_CHECKING:
    from services.stats.audit import Report

DIFFERS = 3
"""The exit code when counters and recount differ."""


def audit(
    data: Data = DATA,
    url: Url = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document")] = False,
) -> None:
    """Recount every fact from offset 0 and compare with the counters as published.

    Exit code 0: they agree; 3: they differ.
    """
    reports = asyncio.run(_recount(existing(url, data)))
    if not reports:
        raise Unusable("nothing to compare: no counters have been published on this log yet")
    drift = any(report.differences for report in reports)
    if as_json:
        found = [asdict(report) | {"source": report.source._asdict()} for report in reports]
        typer.echo(json.dumps({"drift": drift, "sources": found}, ensure_ascii=False, indent=2))
    else:
        _show(reports)
    if drift:
        raise typer.Exit(DIFFERS)


async def _recount(url: str) -> "list[Report]":
    from services.stats.audit import auditing

    async with bus.connect(url) as log, auditing(log) as auditor:
        return await auditor.check()


def _show(reports: "list[Report]") -> None:
    table = Table("source", "facts up to", "places", "differences")
    for report in reports:
        name = f"{report.source.topic}/{report.source.number}"
        table.add_row(name, str(report.position), str(report.places), str(len(report.differences)))
    console = Console()
    console.print(table)
    for report in reports:
        for difference in report.differences:
            console.print(visible(difference), markup=False)
    differ = sum(bool(report.differences) for report in reports)
    console.print(f"{differ} of {len(reports)} sources differ" if differ else "all agree")
