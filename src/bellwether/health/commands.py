"""Commands about scores."""

import json
from datetime import datetime
from typing import Annotated

import typer
from django.conf import settings
from django.utils import timezone

from bellwether.common.terminal import terminal_progress
from bellwether.common.time import day_of
from bellwether.health import (
    backtest_command,
    config_commands,
    custom_commands,
    data_command,
    score_command,
    verify_command,
)
from bellwether.health.configs import main_scorecard
from bellwether.health.explain_reading import explained
from bellwether.health.explain_text import as_json, as_text
from bellwether.health.recompute import recompute
from bellwether.health.retention_command import retention
from bellwether.health.selectors import find_client


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    score_command.register(app)
    custom_commands.register(app)
    config_commands.register(app)
    backtest_command.register(app)
    app.command("recompute")(recompute_scores)
    app.command("explain")(explain_score)
    app.command("verify-scores")(verify_command.verify)
    app.command("retention")(retention)
    app.command("data")(data_command.data)


def recompute_scores(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="First day.")],
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DATE", help="Last day, default today.")
    ] = None,
    scorecard: Annotated[list[str] | None, typer.Option(help="Which scorecards, default all in use.")] = None,
    facts: Annotated[bool, typer.Option("--facts/--no-facts", help="Count the events of the days anew first.")] = True,
) -> None:
    """Make facts, measures and scores of a span of dates anew."""
    now = timezone.now()
    until = last.date() if last else day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    with terminal_progress() as progress:
        done = recompute(
            first.date(), until, now=now, progress=progress, scorecards=scorecard or None, with_facts=facts
        )
    typer.echo(
        f"{done.scores.dates} days: {done.scores.scored} scored, {done.scores.unscored} without a score (coverage), "
        f"{done.scores.changed} rows changed, {done.scores.clients} clients updated; "
        f"{done.fact_days} days of facts counted, {done.fact_files} files changed."
    )


def explain_score(
    client: Annotated[str, typer.Argument(help="Organization id, id, or a part of the name that only one has.")],
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The day, default the newest score.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Split the change since this day.")
    ] = None,
    scorecard: Annotated[str, typer.Option(help="Which scorecard, default the workspace's main one.")] = "",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain a score: inputs, formulas, weights and configuration, made again from what is stored."""
    found = find_client(client)
    today = day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)
    main = not scorecard or scorecard == main_scorecard()
    day = date.date() if date else (found.scored_on if main and found.scored_on else today)
    made = explained(found, day, since=since.date() if since else None, scorecard=scorecard or None)
    explanation, change = made.explanation, made.change
    if json_:
        typer.echo(json.dumps(as_json(found.name, found.organization_id, explanation, change), indent=2))
    else:
        typer.echo(as_text(found.name, explanation, change, drivers=made.drivers))
        if since and change is None:
            typer.echo(f"There is no score on {since.date()} or on {day}, so the change cannot be split.")
    if explanation.differences:
        raise typer.Exit(1)
