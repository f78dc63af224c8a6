"""`bellwether alerts replay` and `bellwether alerts detect`: what rules would have meant, and what they find now."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
from django.utils import timezone

from bellwether.common.errors import InvalidInputError

if TYPE_CHECKING:
    from bellwether.alerts.frames import Facts
    from bellwether.alerts.labelled import Labelled
    from bellwether.alerts.replaying import Replay

Day = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="First day.")]
LastDay = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DATE", help="Last day.")]
Types = Annotated[list[str] | None, typer.Option("--type", help="Of this type only, repeatable, such as HEALTH_DROP.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group of alerts."""
    group.command("replay")(replay)
    group.command("detect")(detect_now)


def replay(
    types: Types = None,
    first: Day = None,
    last: LastDay = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another threshold to compare with; needs one --type."),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Make all scores anew, for days from before scores were stored.")
    ] = False,
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV with organization_id, as_of (month starts) and a column of 0, 1 or empty."),
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="A column of --labels, repeatable.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What alerts would the rules in force have given, by default in the past 52 weeks? Nothing is stored."""
    from bellwether.alerts.replay_text import replay_data, replay_lines
    from bellwether.alerts.replays import facts_for, replay_rules, span_of
    from bellwether.portfolio.models import Client

    now, wanted = timezone.now(), [name.upper() for name in types or []]
    if changes and len(wanted) != 1:
        raise typer.BadParameter("--set needs exactly one --type, whose threshold it is.")
    if bool(labels) != bool(label):
        raise typer.BadParameter("--labels FILE and --label COLUMN belong together.")
    thresholds = {wanted[0]: _thresholds(changes)} if changes else None
    try:
        begin, end = span_of(_day(first), _day(last), now=now)
        facts = facts_for(begin, end, types=wanted, anew=anew)
        done = replay_rules(now=now, types=wanted, first=begin, last=end, thresholds=thresholds, facts=facts)
        told = [_labelled(labels, column, done.present, facts) for column in label or []] if labels else []
    except InvalidInputError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        data = {"present": replay_data(done.present)}
        data |= {"candidate": replay_data(done.candidate)} if done.candidate else {}
        from bellwether.alerts.labelled import as_data

        data |= {"labels": {name: as_data(rows) for name, rows in zip(label or [], told, strict=True)}} if told else {}
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    from bellwether.alerts.replay_text import labelled_lines

    names = {pk.hex: name for pk, name in Client.objects.order_by().values_list("pk", "name")}
    for line in replay_lines(done.present, names, done.candidate):
        typer.echo(line)
    for name, rows in zip(label or [], told, strict=True):
        typer.echo("")
        for line in labelled_lines(rows, name):
            typer.echo(line)


def _labelled(path: Path, column: str, replay: "Replay", facts: "Facts") -> "tuple[Labelled, ...]":
    from bellwether.alerts.defaults import KIND
    from bellwether.alerts.labelled import labelled
    from bellwether.health.backtest_outcomes import read_labels
    from bellwether.health.backtest_reading import ids_by_organization

    try:
        rows = read_labels(path.read_bytes(), column)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error}") from None
    known = rows.join(ids_by_organization(), on="organization_id", how="inner")
    inside = known.filter(pl.col("as_of").is_between(replay.first, replay.last + timedelta(days=1)))
    if inside.is_empty():
        raise InvalidInputError(f"No row of {path.name} is about a client and a day of this replay.")
    types = [one.alert_type for one in replay.types]
    percent = KIND["USAGE_DECLINE"].defaults["percent"]
    return labelled(replay.episodes, inside, types=types, usage=facts.usage, percent=percent)


def detect_now(
    types: Types = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what is found; say so, because nothing else is done here.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one alert a line.")] = False,
) -> None:
    """List what the detectors find today under the rules in force. Storing and telling is `alerts evaluate`."""
    if not dry_run:
        raise typer.BadParameter("this command stores nothing: give --dry-run, or use `bellwether alerts evaluate`.")
    from bellwether.alerts.replays import open_now
    from bellwether.portfolio.models import Client

    try:
        found = open_now(now=timezone.now(), types=[name.upper() for name in types or []])
    except InvalidInputError as error:
        raise typer.BadParameter(str(error)) from None
    names = {pk.hex: name for pk, name in Client.objects.order_by().values_list("pk", "name")}
    for row in found.iter_rows(named=True):
        if as_json:
            data = {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
            typer.echo(json.dumps(data | {"client": names.get(row["client_id"], "")}, ensure_ascii=False))
        else:
            typer.echo(
                f"{row['severity']:8}  {row['opened_on']}  {row['alert_type']:24}  "
                f"{names.get(row['client_id'], '')[:32]:32}  {row['value']}"
            )
    if not as_json:
        typer.echo(f"{found.height:,} open.")


def _thresholds(changes: list[str]) -> dict[str, float]:
    found = {}
    for one in changes:
        name, _, value = one.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise typer.BadParameter(f"--set {one}: give NAME=NUMBER, such as points=15.") from None
    return found


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None
