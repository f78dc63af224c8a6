"""`bellwether config`: the versions of a scorecard at a terminal."""

import json
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from django.utils import timezone

from bellwether.common.errors import BellwetherError, InvalidInputError
from bellwether.common.toml_text import toml_text
from bellwether.health import config_changes as changes
from bellwether.health.config_reading import ConfigVersion, versions
from bellwether.health.config_scopes import Scope
from bellwether.health.config_words import difference_in_words
from bellwether.health.configs import main_scorecard
from bellwether.health.custom_registry import custom_measures
from bellwether.health.selectors import find_client

app = typer.Typer(no_args_is_help=True, help="How the health score is made: versions, for whom, in force or not.")
Scorecard = Annotated[str, typer.Option(help="Which scorecard, default the workspace's main one.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the history.")]
Number = Annotated[int, typer.Argument(metavar="VERSION", help="Number of the version.")]
Tier = Annotated[str, typer.Option(help="Only clients of this contract tier.")]
Segment = Annotated[str, typer.Option(help="Only clients of this segment.")]
Client = Annotated[str, typer.Option(help="Only this client: organization id, id, or a part of the name.")]


def register(parent: typer.Typer) -> None:
    """Add the command group to `parent`."""
    parent.add_typer(app, name="config")


@app.command("list")
def list_versions(scorecard: Scorecard = "") -> None:
    """List the versions, newest first: for whom, in force or not, who, when and why."""
    for version in versions(scorecard or main_scorecard(), now=timezone.now()):
        row = version.row
        state = "in force" if version.active else "draft" if version.draft else "was in force"
        who = row.created_by.email if row.created_by else "the product"
        typer.echo(f"v{row.version}: {row.name}, {version.scope.words.lower()}, {state}")
        typer.echo(f"  {row.created_at:%Y-%m-%d} by {who}{f': {row.reason}' if row.reason else ''}")


@app.command("show")
def show(
    number: Number, scorecard: Scorecard = "", json_: Annotated[bool, typer.Option("--json", help="JSON.")] = False
) -> None:
    """Print a definition as TOML, or JSON: what `bellwether config save` takes."""
    definition = _find(number, scorecard).row.definition
    typer.echo(json.dumps(definition, indent=2, ensure_ascii=False) if json_ else toml_text(definition), nl=json_)


@app.command("diff")
def diff(
    before: Number,
    after: Annotated[int, typer.Argument(metavar="OTHER", help="Number of the version to compare it with.")],
    scorecard: Scorecard = "",
) -> None:
    """Say in words what changes from one version to another."""
    labels = {custom.slug: custom.name for custom in custom_measures(archived=True)}
    first, second = _find(before, scorecard).row.definition, _find(after, scorecard).row.definition
    found = difference_in_words(first, second, labels=labels)
    typer.echo("\n".join(found) or f"Versions {before} and {after} say the same.")


@app.command("save")
def save(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The definition, TOML or JSON.")],
    scorecard: Scorecard = "",
    tier: Tier = "",
    segment: Segment = "",
    client: Client = "",
    name: Annotated[str, typer.Option(help="What the version is called, default the title.")] = "",
    reason: Reason = "",
) -> None:
    """Save a definition as a new version: a draft, until `bellwether config activate`."""
    card, now = scorecard or main_scorecard(), timezone.now()
    scope = _scope(tier, segment, client)
    known = [version for version in versions(card, now=now) if version.scope == scope]
    base = next((version.row for version in known if version.active), known[0].row if known else None)
    saved = changes.save_config(
        card, _read(file), scope=scope, name=name, reason=reason, based_on=base, by=None, now=now
    )  # fmt: skip
    typer.echo(f"Saved as version {saved.version} for {scope.words.lower()}, not in force yet.")


@app.command("activate")
def activate(
    number: Number,
    reason: Reason,
    scorecard: Scorecard = "",
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Also make scores of this day and later anew with it."),
    ] = None,
) -> None:
    """Bring a version into force for its clients; the worker scores today with it within seconds."""
    version = _find(number, scorecard)
    first = since.date() if since else None
    changes.activate(version.row, reason=reason, by=None, now=timezone.now(), since=first)
    typer.echo(f"Version {number} is in force for {version.scope.words.lower()}{f', since {first}' if first else ''}.")


@app.command("rollback")
def rollback(
    reason: Reason, scorecard: Scorecard = "", tier: Tier = "", segment: Segment = "", client: Client = ""
) -> None:
    """Bring back what was in force before, for all clients or for a tier, a segment or one client."""
    scope = _scope(tier, segment, client)
    card = scorecard or main_scorecard()
    made = changes.roll_back(scope, scorecard=card, reason=reason, by=None, now=timezone.now())
    now = f"version {made.config.version} is in force again" if made.config else "no configuration of their own now"
    typer.echo(f"{scope.words}: {now}.")


def _find(number: int, scorecard: str) -> ConfigVersion:
    card = scorecard or main_scorecard()
    known = versions(card, now=timezone.now())
    found = next((version for version in known if version.row.version == number), None)
    if found is None:
        raise BellwetherError(f"{card} has no version {number}; the newest is {known[0].row.version}.")
    return found


def _scope(tier: str, segment: str, client: str) -> Scope:
    row = find_client(client) if client else None
    return Scope(tier.upper() or None, segment, row.pk if row else None, row.name if row else "")


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8")
        data = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{file.name} cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise InvalidInputError(f"{file.name} holds no definition: it is a {type(data).__name__}.")
    return data
