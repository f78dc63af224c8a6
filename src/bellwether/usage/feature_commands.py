"""Commands about the catalogue of features."""

from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from bellwether.usage.catalogue import as_draft, features
from bellwether.usage.catalogue_changes import TIERS, import_features
from bellwether.usage.catalogue_toml import catalogue_toml, drafts_from_toml


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    commands = typer.Typer(no_args_is_help=True, help="The catalogue of features: what counts as use.")
    commands.command("list")(features_list)
    commands.command("export")(features_export)
    commands.command("import")(features_import)
    app.add_typer(commands, name="features")


def features_list() -> None:
    """List the features with their module, what counts as use and what is expected."""
    catalogue = features(archived=True)
    for feature in catalogue:
        draft = as_draft(feature)
        expects = "any use" if draft.target == "any" else f"{draft.expected:g} {draft.target} a {draft.period}"
        state = "  archived" if feature.archived_at else ""
        typer.echo(f"{feature.key}  {feature.module or '-'}  {expects}  {', '.join(map(str, draft.events))}{state}")
    archived = sum(feature.archived_at is not None for feature in catalogue)
    current = len(catalogue) - archived
    typer.echo(f"{current} feature{'' if current == 1 else 's'}, {archived} archived.")


def features_export() -> None:
    """Print the catalogue as TOML."""
    typer.echo(catalogue_toml(as_draft(feature) for feature in features()), nl=False)


def features_import(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TOML with [[features]], as exported.")],
    replace: Annotated[bool, typer.Option("--replace", help="Archive the features that FILE does not name.")] = False,
) -> None:
    """Add and change the features that FILE names; others stay as they are. All or nothing."""
    drafts = drafts_from_toml(file.read_text("utf-8"), tiers=TIERS)
    done = import_features(drafts, actor=None, now=timezone.now(), replace=replace)
    counts = f"{len(done.added)} added, {len(done.changed)} changed, {len(done.unchanged)} unchanged"
    typer.echo(f"{counts}, {len(done.archived)} archived.")
    if done.added or done.changed or done.archived:
        typer.echo("The scores of today are due and will be made again; earlier ones keep their inputs.")
