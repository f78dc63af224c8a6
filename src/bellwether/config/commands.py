"""Commands that run the product itself."""

import sys
from typing import Annotated

import typer
from django.core.management import call_command, execute_from_command_line
from django.utils import timezone

from bellwether.config.routers import SPOOL, SPOOL_APP


def migrate_databases() -> None:
    """Bring every database to the newest schema.

    The spool's file holds tables of one app only: to walk through the migrations of all others, none of which would do
    anything there, would double the time that a new home takes.
    """
    from django.db import connections

    for alias in connections:
        only = [SPOOL_APP] if alias == SPOOL else []
        call_command("migrate", *only, database=alias, interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def fill_library() -> None:
    """Put the preset's playbooks and templates that are not there yet on the shelf, as drafts."""
    from bellwether.playbooks.library import load_library

    load_library(now=timezone.now())


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""

    @app.command()
    def serve(
        port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; default BELLWETHER_PORT.")] = None,
        web_only: Annotated[
            bool, typer.Option("--web-only", help="No jobs here; run `bellwether worker` too.")
        ] = False,
    ) -> None:
        """Run web server, worker and schedule. Stops cleanly on SIGTERM and Ctrl C."""
        from bellwether.config.serve import serve as serve_until_stopped

        migrate_databases()
        fill_library()
        serve_until_stopped(port=port, web_only=web_only)

    @app.command()
    def worker(
        threads: Annotated[int, typer.Option(min=1, max=16, help="Jobs at the same time in this process.")] = 2,
        parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    ) -> None:
        """Run the jobs alone, for several processes or machines."""
        from bellwether.config.schedule import run_worker

        run_worker(threads=threads, parent=parent)

    @app.command()
    def migrate() -> None:
        """Bring the database to the newest schema."""
        migrate_databases()
        fill_library()
        typer.echo("The database is up to date.")

    @app.command()
    def doctor() -> None:
        """Look at settings, database, lake, clock, staff and jobs: what is wrong and how to mend it."""
        from bellwether.config.doctor import examine

        findings = list(examine(timezone.now()))
        for finding in findings:
            mark = "!!" if finding.serious else " !" if finding.cure else "ok"
            typer.echo(
                f"{mark}  {finding.subject}: {finding.state}" + (f"\n      {finding.cure}" if finding.cure else "")
            )
        serious = sum(finding.serious for finding in findings)
        hints = sum(bool(finding.cure) for finding in findings) - serious
        typer.echo(f"{len(findings)} looked at, {serious} to mend, {max(hints, 0)} hints")
        if serious:
            raise typer.Exit(1)

    @app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    def django(context: typer.Context, command: Annotated[str, typer.Argument(help="A Django command.")]) -> None:
        """Run one of Django's own commands, such as check or shell."""
        execute_from_command_line([sys.argv[0], command, *context.args])
