"""`bellwether score FILE`: scores a table of measures, no database."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bellwether.health.score_file import score_table, to_csv, to_json
from bellwether.health.scorecard import load_scorecard


class ScorecardName(StrEnum):
    """The shipped scorecards."""

    OPERATIONS = "operations"
    PRD_015 = "prd-015"
    SUPPLIERS = "suppliers"
    USAGE_ONLY = "usage-only"


class Format(StrEnum):
    """How the scores are written."""

    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command()
    def score(
        file: Annotated[
            Path, typer.Argument(help="CSV with client_id and measures; - for standard input.", allow_dash=True)
        ],
        scorecard: Annotated[ScorecardName, typer.Option(help="Which scorecard.")] = ScorecardName.PRD_015,
        format_: Annotated[Format, typer.Option("--format", help="How the scores are written.")] = Format.CSV,
    ) -> None:
        """Score a table of measures and print one row a client. No database is touched."""
        try:
            text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            typer.echo(f"Error: {file} cannot be read: {error}. Give a CSV file in UTF-8.", err=True)
            raise typer.Exit(2) from None
        scored = score_table(text, load_scorecard(scorecard.value))
        typer.echo(to_json(scored) if format_ is Format.JSON else to_csv(scored), nl=format_ is Format.JSON)
        if scored.ignored_columns:
            typer.echo(f"Columns not read by {scorecard.value}: {', '.join(scored.ignored_columns)}", err=True)
        for reject in scored.rejects:
            typer.echo(f"Row {reject.row} ({reject.client_id or 'no client_id'}) not scored: {reject.reason}", err=True)
        without = sum(row["score"] is None for row in scored.rows)
        typer.echo(
            f"{len(scored.rows)} scored, {without} of them without a score (coverage), {len(scored.rejects)} rejected",
            err=True,
        )
        if scored.rejects:
            raise typer.Exit(1)
