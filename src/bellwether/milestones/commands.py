"""`bellwether milestones`: find them, and say what there is."""

import time
from typing import Annotated

import typer
from django.db.models import Count
from django.utils import timezone

from bellwether.common.terminal import terminal_progress


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    group = typer.Typer(no_args_is_help=True, help="Milestones of clients.")
    group.command("detect")(detect)
    group.command("list")(list_definitions)
    app.add_typer(group, name="milestones")


def detect() -> None:
    """Find the milestones of all clients in all of the past. Doing it again changes nothing."""
    from bellwether.milestones.services import counts_of, detect_milestones

    started = time.perf_counter()
    with terminal_progress() as progress:
        done = counts_of(detect_milestones(now=timezone.now(), progress=progress), started)
    typer.echo(
        f"{done['new']:,} new, {done['earlier']:,} moved to an earlier day, {done['kept']:,} kept their day as they "
        f"were celebrated, {done['told']:,} people told; {done['milliseconds']:,} ms."
    )


def list_definitions(
    everything: Annotated[bool, typer.Option("--all", help="Those that are turned off, too.")] = False,
) -> None:
    """List the kinds of milestones with their rules and how many clients reached each."""
    from bellwether.milestones.definitions import definitions, rule_of
    from bellwether.milestones.models import Milestone
    from bellwether.milestones.rules import rule_text

    counts = dict(Milestone.objects.order_by().values_list("milestone_type").annotate(Count("pk")))
    for row in definitions(enabled_only=not everything):
        off = "" if row.enabled else "  (off)"
        typer.echo(f"{row.key:22} {counts.get(row.key, 0):>6,}  {rule_text(rule_of(row))}{off}")
