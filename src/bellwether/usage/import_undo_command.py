"""The command `bellwether import-undo [ID]`."""

from typing import Annotated
from uuid import UUID

import typer
from django.utils import timezone

from bellwether.common.errors import BellwetherError, ConflictError
from bellwether.common.locks import exclusive
from bellwether.common.terminal import terminal_progress
from bellwether.portfolio.choices import ImportState
from bellwether.portfolio.models import ImportRun

SHOWN = 20
UNDOABLE = (ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED, ImportState.UNDOING)


def import_undo(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="Id of an import; without one they are listed.")] = "",
) -> None:
    """Take back an import that was made in the browser: what it made goes, what it changed is as before."""
    if not run_id:
        _list()
        return
    try:
        run = ImportRun.objects.filter(pk=UUID(run_id)).first()
    except ValueError:
        run = None
    if run is None:
        typer.echo(f"Error: there is no import {run_id}. Without an id they are listed.", err=True)
        raise typer.Exit(2)
    from bellwether.usage.import_work import request_undo, undo

    try:
        with exclusive("job-imports") as free, terminal_progress() as progress:
            if not free:
                raise ConflictError("The worker is at an import just now. Try again in a moment.")
            if run.state != ImportState.UNDOING:
                request_undo(run, user=None, now=timezone.now())
            undo(run, progress)
    except BellwetherError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None
    run.refresh_from_db()
    told = run.result["undo"]
    for sentence in told["left"]:
        typer.echo(sentence, err=True)
    typer.echo(f"put back {told['restored']}, left {told['left_count']}")
    if told["left_count"]:
        raise typer.Exit(1)


def _list() -> None:
    runs = ImportRun.objects.filter(state__in=UNDOABLE, change__isnull=False, change__undone_at__isnull=True)
    for run in runs.select_related("made_by")[:SHOWN]:
        who = run.made_by.email if run.made_by else "-"
        typer.echo(f"{run.pk}  {run.created_at:%Y-%m-%d %H:%M}  {run.kind:<10}  {run.file_name}  {who}")
    if not runs:
        typer.echo("No import can be undone.")
