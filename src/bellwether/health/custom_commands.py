"""`bellwether measures`: the workspace's own measures at a terminal."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from bellwether.common.errors import BellwetherError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.health import custom_changes as changes
from bellwether.health.custom_measures import slug_of
from bellwether.health.custom_preview import Preview, preview
from bellwether.health.custom_registry import as_custom, coverage
from bellwether.health.custom_text import sentence
from bellwether.health.models import CustomMeasure
from bellwether.staff.models import Role, StaffUser
from bellwether.usage.custom_wants import recount_all

app = typer.Typer(no_args_is_help=True, help="The workspace's own measures, made without code.")
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TOML: name, slug, description, [definition].")]


def register(parent: typer.Typer) -> None:
    """Add the command group to `parent`."""
    parent.add_typer(app, name="measures")


@app.command("list")
def show(archived: Annotated[bool, typer.Option("--archived", help="Archived ones too.")] = False) -> None:
    """List the measures: slug, name, what it is, what uses it, and how many clients have a value."""
    used, covered = changes.used_by(), coverage()
    rows = [row for row in CustomMeasure.objects.order_by("name", "slug") if archived or row.archived_at is None]
    for row in rows:
        found = covered.get(row.slug)
        values = f"{found.with_value} of {found.clients} clients have a value" if found else "no values yet"
        state = " (archived)" if row.archived_at else ""
        typer.echo(f"{row.slug} v{row.version}: {row.name}{state}")
        typer.echo(f"  {sentence(as_custom(row).definition)}")
        typer.echo(f"  {values}; used by {', '.join(used.get(row.slug, [])) or 'no scorecard'}")
    if not rows:
        typer.echo("There are no measures of your own yet. `bellwether measures add FILE.toml` makes one.")


@app.command("add")
def add(file: File) -> None:
    """Make the measure that a TOML file describes, or change the one with its slug to what the file says."""
    draft, now = _read(file), timezone.now()
    row = CustomMeasure.objects.filter(slug=draft.slug or slug_of(draft.name)).first()
    if row is None:
        row = changes.create_measure(draft, actor=None, now=now)
    else:
        row = changes.change_measure(row, draft, actor=None, now=now)
    definition = as_custom(row).definition
    typer.echo(f"{row.slug} v{row.version}: {sentence(definition)}")
    if definition.needs_raw:
        typer.echo("Its raw events are counted by the worker; until that is done no client has a value.")


@app.command("preview")
def try_out(file: File) -> None:
    """Show what the measure of a TOML file comes to today on sample clients; nothing is saved."""
    now = timezone.now()
    viewer = StaffUser.objects.filter(role=Role.ADMIN, is_active=True).order_by("created_at").first()
    if viewer is None:
        raise BellwetherError(
            "There is no administrator whose clients could be shown. `bellwether user add` makes one."
        )
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    definition = changes.read_definition(_read(file).definition)
    typer.echo(_text(preview(definition, viewer, today=today, now=now, cache=caches["memory"])))


@app.command("recount")
def recount() -> None:
    """Have everything that measures keep of raw events counted again by the worker."""
    count = recount_all(now=timezone.now())
    typer.echo(f"{count} selections of events will be counted again; their measures have no value until then.")


def _text(found: Preview) -> str:
    lines = [found.sentence, f"{found.with_value} of {found.clients} clients have a value on {found.day}."]
    if found.quartiles:
        lines.append("Quartiles: {:g}, {:g}, {:g}".format(*found.quartiles))
    shown = [(s.name, "none" if s.value is None else f"{s.value:.6g}", s.place) for s in found.samples]
    lines += [f"  {name:<32} {value:>12}  {place}" for name, value, place in shown]
    return "\n".join([*lines, found.note] if found.note else lines)


def _read(file: Path) -> changes.Draft:
    try:
        data: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{file.name} is not TOML: {error}") from None
    unknown = sorted(set(data) - {"name", "slug", "description", "definition"})
    if unknown:
        raise InvalidInputError(f"{file.name} holds what does not belong there: {', '.join(unknown)}.")
    texts = {field: data.get(field, "") for field in ("name", "slug", "description")}
    wrong = [field for field, value in texts.items() if not isinstance(value, str)]
    if wrong:
        raise InvalidInputError(f"{file.name}: {', '.join(wrong)} must be texts.")
    return changes.Draft(definition=data.get("definition"), **texts)
