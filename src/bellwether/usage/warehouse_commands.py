"""`bellwether source`: tables of events in databases of the workspace's own."""

import os
import sys
from datetime import date, datetime
from typing import Annotated

import typer
from django.utils import timezone

from bellwether.common.errors import InvalidInputError
from bellwether.common.terminal import terminal_progress
from bellwether.portfolio.importing.columns import MappingError, parse_pairs
from bellwether.usage.models import WarehouseSource
from bellwether.usage.services import roll_up_dirty
from bellwether.usage.warehouse import (
    SourceCheck,
    add_source,
    check_source,
    remove_source,
    test_source,
)
from bellwether.usage.warehouse_sweep import read_sources

Name = Annotated[str, typer.Argument(help="The source's name, such as warehouse: letters, digits, - and _.")]


def register_sources(app: typer.Typer) -> None:
    """Add `source add|list|test|read|remove` to `app`."""
    source = typer.Typer(no_args_is_help=True, help="Tables of events in your own databases, counted where they are.")
    source.command("add")(source_add)
    source.command("list")(source_list)
    source.command("test")(source_test)
    source.command("read")(source_read)
    source.command("remove")(source_remove)
    app.add_typer(source, name="source")


def source_add(
    name: Name,
    table: Annotated[str, typer.Option(help="TABLE, SCHEMA.TABLE or CATALOG.SCHEMA.TABLE.")],
    url: Annotated[
        str | None,
        typer.Option(help="Connection URL. Better: BELLWETHER_SOURCE_URL, standard input, or the prompt."),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", help="THEIRS=OURS: their column is our field, or properties.NAME. Repeatable."),
    ] = None,
    constants: Annotated[list[str] | None, typer.Option("--set", help="OURS=VALUE for every row. Repeatable.")] = None,
    time_zone: Annotated[str, typer.Option(help="Zone of times that name none.")] = "UTC",
    unit: Annotated[str, typer.Option(help="Of times that are numbers since 1970: s, ms or us.")] = "s",
    lookback_days: Annotated[int, typer.Option(help="Days that are looked at every few minutes; all once a day.")] = 3,
    dry_run: Annotated[bool, typer.Option(help="Check and show, but store nothing.")] = False,
) -> None:
    """Name a TABLE of events as a source: checks the columns, shows a sample of counts, and stores it."""
    url, now = url or _asked_url(), timezone.now()
    try:
        check = check_source(
            url,
            table,
            now=now,
            given=parse_pairs(maps or [], option="--map"),
            constants=parse_pairs(constants or [], option="--set"),
            zone=time_zone,
            unit=unit,
        )
    except MappingError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from None
    _show(check)
    if dry_run:
        typer.echo("Dry run, nothing stored.")
        return
    add_source(name, url, table, check.mapping, lookback_days=lookback_days, actor=None, now=now)
    typer.echo(f"Added {name}. The worker reads it within five minutes; at once: bellwether source read {name}")


def source_list() -> None:
    """List the sources: where they are, when they were read last and what went wrong."""
    sources = list(WarehouseSource.objects.order_by("name"))
    for source in sources:
        read = f"read {source.last_read_at:%Y-%m-%d %H:%M} UTC" if source.last_read_at else "not read yet"
        state = "" if source.is_active else "  paused"
        typer.echo(f"{source.name}  {source.shown_as}  {source.table}  {source.days.count()} days  {read}{state}")
        if source.last_error:
            typer.echo(f"  {source.last_error}")
    failing = sum(bool(source.last_error) for source in sources)
    typer.echo(f"{len(sources)} sources, {failing} with an error.")


def source_test(name: Name) -> None:
    """Connect to the source NAME and show columns, rows a day and lag. Exit status 1 when it cannot be read."""
    _show(test_source(name, now=timezone.now()))


def source_read(
    name: Name,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="YYYY-MM-DD")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="YYYY-MM-DD")] = None,
    rollup: Annotated[bool, typer.Option(help="Bring the daily facts up to date afterwards.")] = True,
) -> None:
    """Count the changed days of NAME now; with --from and --to all days between, changed or not."""
    now = timezone.now()
    if first and last and first > last:
        raise typer.BadParameter("lies after --to.", param_hint="--from")
    with terminal_progress() as progress:
        done = read_sources(now=now, progress=progress, name=name, first=_day(first), last=_day(last), is_whole=True)
        if done.failed:
            raise InvalidInputError(WarehouseSource.objects.get(name=name).last_error)
        if rollup:
            roll_up_dirty(now=now, progress=progress, wait_seconds=600)
    typer.echo(f"{done.days} days counted, {done.events:,} events on them.")


def source_remove(name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Forget the source NAME; what was counted of it leaves the facts with the next rollup."""
    if not yes:
        typer.confirm(f"Forget {name} and everything counted of it?", abort=True)
    days = remove_source(name, actor=None, now=timezone.now())
    typer.echo(f"Removed {name}. {days} days are counted anew.")


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


def _asked_url() -> str:
    if url := os.environ.get("BELLWETHER_SOURCE_URL"):
        return url
    if not sys.stdin.isatty() and (url := sys.stdin.readline().strip()):
        return url
    return str(typer.prompt("Connection URL", hide_input=True))


def _show(check: SourceCheck) -> None:
    typer.echo(f"{check.shown_as} answers.")
    for field, column in check.mapping.columns.items():
        typer.echo(f"  {field:16} {column} ({check.columns[column]})")
    for label, column in check.mapping.labels.items():
        typer.echo(f"  {'properties.' + label:16} {column} ({check.columns[column]})")
    for field, value in check.mapping.constants.items():
        typer.echo(f"  {field:16} = {value}")
    used = {*check.mapping.columns.values(), *check.mapping.labels.values()}
    if unused := [column for column in check.columns if column not in used]:
        typer.echo(f"Columns left out: {', '.join(unused)}.")
    if check.first is None:
        typer.echo("The table has no events yet.")
    else:
        typer.echo(f"Events from {check.first} to {check.last}. On the last days:")
        for day, events in check.days:
            typer.echo(f"  {day}  {events:>12,}")
        typer.echo(f"On {check.last}: {check.users:,} users of {check.clients:,} clients.")
    if check.lag_seconds is not None:
        typer.echo(f"The latest event happened {check.lag_seconds / 60:,.0f} minutes ago.")
    if check.without_time:
        typer.echo(f"{check.without_time:,} rows have no time after 1970 and are not counted.")
    if check.later:
        typer.echo(f"{check.later:,} rows lie after today and are counted when their day has come.")
