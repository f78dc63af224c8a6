"""`bellwether retention`: what is too old to be kept, and its removal."""

from typing import Annotated

import typer
from django.utils import timezone

from bellwether.common.terminal import terminal_progress
from bellwether.health.retention import Retention, apply_retention


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Remove what is older than BELLWETHER_KEEP_USAGE_DAYS, _SCORES_DAYS and _ACTIVITIES_DAYS; cannot be undone.

    The worker does the same every night.
    """
    with terminal_progress() as progress:
        done = apply_retention(now=timezone.now(), progress=progress, dry_run=dry_run)
    for line in lines(done, dry_run=dry_run):
        typer.echo(line)


def lines(done: Retention, *, dry_run: bool) -> list[str]:
    """Return what went, or would go, in sentences."""
    lake, goes = done.lake, "would go" if dry_run else "went"
    folded = "would be folded" if dry_run else "were folded"

    def kept(day: object) -> str:
        return f"kept from {day}" if day else "kept for ever"

    return [
        f"Events are {kept(lake.events_from)}: {lake.days:,} days in {lake.parts:,} parts, "
        f"{lake.bytes / 2**20:,.1f} MB, {goes}.",
        f"Daily facts are {kept(lake.facts_from)}: {lake.months:,} months {folded}, {lake.rows:,} rows {goes}.",
        f"Scores are {kept(done.scores_from)}: {done.scores:,} {goes}.",
        f"Activities are {kept(done.activities_from)}: {done.activities:,} {goes}.",
    ]
