"""Commands about the usage that comes in."""

from typing import Annotated

import typer
from django.utils import timezone

from bellwether.usage import feature_commands, lake_commands
from bellwether.usage.import_command import import_file
from bellwether.usage.import_reference import import_columns_page
from bellwether.usage.import_undo_command import import_undo
from bellwether.usage.keys import add_key, revoke_key
from bellwether.usage.models import WriteKey
from bellwether.usage.warehouse_commands import register_sources


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    key = typer.Typer(no_args_is_help=True, help="Write keys: who may send events.")
    key.command("add")(key_add)
    key.command("list")(key_list)
    key.command("revoke")(key_revoke)
    app.add_typer(key, name="key")
    register_sources(app)
    app.command("import")(import_file)
    app.command("import-columns")(import_columns)
    app.command("import-undo")(import_undo)
    feature_commands.register(app)
    lake_commands.register(app)


Source = Annotated[
    str, typer.Argument(help="Where the events come from, such as web-app: lower case, digits, - and _.")
]


def key_add(source: Source) -> None:
    """Make a write key for SOURCE and print it, the only time that it can be read."""
    key = add_key(source, now=timezone.now())
    typer.echo(f"Write key of {source}, shown once:", err=True)
    typer.echo(key)


def key_list() -> None:
    """List the sources with their keys, when each was last used and by what."""
    keys = list(WriteKey.objects.order_by("source"))
    for key in keys:
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "working"
        used = (
            f"last used {key.last_used_at:%Y-%m-%d %H:%M} UTC {key.last_library}" if key.last_used_at else "never used"
        )
        typer.echo(f"{key.source}  {key.prefix}…  {state}  {used.strip()}")
    working = sum(key.revoked_at is None for key in keys)
    typer.echo(f"{len(keys)} keys: {working} working, {len(keys) - working} revoked.")


def key_revoke(source: Source) -> None:
    """Revoke the key of SOURCE. Running servers refuse it within seconds."""
    revoke_key(source, now=timezone.now())
    typer.echo(f"The key of {source} is revoked.")


def import_columns() -> None:
    """Print which columns each kind of import understands, in Markdown."""
    typer.echo(import_columns_page(), nl=False)
