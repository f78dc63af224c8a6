"""Commands that run the product itself."""

import sys
from typing import Annotated

import typer
from django.core.management import call_command, execute_from_command_line


def migrate_databases() -> None:
    """Bring every database to the newest schema."""
    from django.db import connections

    for alias in connections:
        call_command("migrate", database=alias, interactive=False, verbosity=0)
        call_command("createcachetable", database=alias, verbosity=0)


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""

    @app.command()
    def migrate() -> None:
        """Bring the database to the newest schema."""
        migrate_databases()
        typer.echo("The database is up to date.")

    @app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    def django(context: typer.Context, command: Annotated[str, typer.Argument(help="A Django command.")]) -> None:
        """Run one of Django's own commands, such as check or shell."""
        execute_from_command_line([sys.argv[0], command, *context.args])
