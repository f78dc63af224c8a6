"""`bellwether backtest`: does the score predict churn?"""

import hashlib
import json
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from django.utils import timezone

from bellwether.common.errors import InvalidInputError
from bellwether.common.terminal import terminal_progress
from bellwether.health.backtest import definition_in_use, run_backtest
from bellwether.health.backtest_outcomes import read_labels
from bellwether.health.backtest_parameters import HORIZONS, STEP_DAYS, LabelsFile, Parameters
from bellwether.health.backtest_reading import rivals
from bellwether.health.backtest_text import as_text
from bellwether.health.configs import main_scorecard


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("backtest")(backtest)


def backtest(
    scorecard: Annotated[str, typer.Option(help="Which scorecard, default the workspace's main one.")] = "",
    config: Annotated[
        Path | None, typer.Option(help="A definition in TOML or JSON instead, such as a draft.", dir_okay=False)
    ] = None,
    horizon: Annotated[
        list[int] | None, typer.Option(help=f"Days within which churn counts, repeatable; default {HORIZONS}.")
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="First as-of day, default all there is."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], metavar="DATE", help="Last as-of day, default today."),
    ] = None,
    step_days: Annotated[int, typer.Option(help="Days between as-of days.")] = STEP_DAYS,
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV with organization_id, as_of and a column of 0, 1 or empty, instead of the outcomes."),
    ] = None,
    label: Annotated[str, typer.Option(help="The column of --labels, such as churn_next_90d.")] = "",
    against: Annotated[
        list[str] | None,
        typer.Option(help="Compare with these rules and scorecards only, repeatable; default all. none for none."),
    ] = None,
    hindsight: Annotated[
        bool, typer.Option("--hindsight", help="Use what arrived late too, as if it had been known in time.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Make it anew even where nothing changed.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Does the score predict churn? Scores of past days made anew and compared with what happened next."""
    if scorecard and config:
        raise typer.BadParameter("give --scorecard or --config, not both.")
    if bool(labels) != bool(label):
        raise typer.BadParameter("--labels FILE and --label COLUMN belong together.")
    now = timezone.now()
    if scorecard and scorecard not in (known := rivals(now=now)):
        raise typer.BadParameter(f"There is no scorecard {scorecard!r}; there are {', '.join(known)}.")
    definition = _definition(config) if config else definition_in_use(scorecard or main_scorecard(), now=now)
    rows, file = _labels(labels, label) if labels else (None, None)
    parameters = Parameters(
        first=_day(first),
        last=_day(last),
        step_days=step_days,
        horizons=tuple(horizon or HORIZONS),
        against=None if against is None else tuple(name for name in against if name != "none"),
        as_known=not hindsight,
        labels=file,
    )
    try:
        with terminal_progress() as progress:
            run = run_backtest(
                definition, parameters=parameters, by=None, now=now, progress=progress, labels=rows, again=again
            )
    except InvalidInputError as error:
        details = "".join(f"\n  {name}: {sentence}" for name, sentence in error.errors.items())
        typer.echo(f"Error: {error}{details}", err=True)
        raise typer.Exit(2) from None
    result = run.result or {}
    typer.echo(json.dumps(result, indent=2) if json_ else as_text(result))


def _definition(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8-sig")
        found = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{path} holds no scorecard definition.")
    return found


def _labels(path: Path, column: str) -> tuple[pl.DataFrame, LabelsFile]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from None
    try:
        rows = read_labels(content, column)
    except InvalidInputError as error:
        raise typer.BadParameter(str(error)) from None
    return rows, LabelsFile(column, hashlib.sha256(content).hexdigest())


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None
