"""The command line. Each package registers its own commands; this module only assembles them."""

import importlib
import importlib.util
import os
import sys

import typer

COMMANDS = (
    "config",
    "staff",
    "webhooks",
    "delivery",
    "usage",
    "portfolio",
    "health",
    "benchmarks",
    "milestones",
    "churn",
    "alerts",
    "playbooks",
    "analytics",
    "demo",
    "api",
)

# Long-running processes and what is run beside them load no other package's commands, which spares each some 40 MB.
OF_CONFIG = frozenset({"serve", "worker", "migrate", "doctor", "django"})


def main() -> None:
    """Run the `bellwether` command: exit status 0 done, 1 some rows rejected or failed, 2 wrong usage."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bellwether.config.settings")
    import django

    django.setup()
    from django.db import DatabaseError

    from bellwether.common.errors import BellwetherError

    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    wanted = ("config",) if sys.argv[1:2] and sys.argv[1] in OF_CONFIG else COMMANDS
    for package in wanted:
        if importlib.util.find_spec(f"bellwether.{package}.commands"):
            importlib.import_module(f"bellwether.{package}.commands").register(app)
    try:
        app()
    except BellwetherError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except DatabaseError as error:
        if not is_behind():
            raise
        typer.echo(f"Error: the database is not up to date ({error}). Run: bellwether migrate", err=True)
        sys.exit(1)


def is_behind() -> bool:
    """Return whether a migration of this version has not been applied to the database yet."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
