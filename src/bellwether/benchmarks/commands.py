"""`bellwether benchmarks`: the figures of the night, now."""

import typer
from django.utils import timezone

from bellwether.benchmarks.nightly import make_night
from bellwether.common.terminal import terminal_progress


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    app.command("benchmarks")(benchmarks)


def benchmarks() -> None:
    """Make the benchmarks of the newest scored day now. The worker does it every night."""
    with terminal_progress() as progress:
        made = make_night(now=timezone.now(), progress=progress)
    if not made:
        typer.echo("There are no scores yet, so there is nothing to compare.")
        return
    typer.echo(f"{made['clients']:,} clients, {made['figures']:,} figures, {made['months']:,} months of the past.")
