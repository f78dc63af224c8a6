"""`bellwether playbooks`: list, try, run, and carry playbooks from one workspace to another as TOML."""

import tomllib
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone

from bellwether.common.terminal import terminal_progress


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    group = typer.Typer(no_args_is_help=True, help="Playbooks: steps for clients that meet a trigger.")
    group.command("list")(list_playbooks)
    group.command("dry-run")(try_playbook)
    group.command("run")(run_playbooks)
    group.command("export")(export)
    group.command("import")(import_file)
    app.add_typer(group, name="playbooks")


Key = Annotated[str, typer.Argument(help="The playbook's key, as `bellwether playbooks list` shows it.")]


def list_playbooks() -> None:
    """List the playbooks with their state, version and how many clients are under way."""
    from django.db.models import Count, Q

    from bellwether.playbooks.library import load_library
    from bellwether.playbooks.models import Playbook
    from bellwether.playbooks.services import definition_of
    from bellwether.playbooks.wording import trigger_words

    load_library(now=timezone.now())
    rows = Playbook.objects.select_related("version").annotate(
        active=Count("enrolments", filter=Q(enrolments__state="ACTIVE"))
    )
    for row in rows:
        words = trigger_words(definition_of(row.version).trigger) if row.version else "-"
        number = f"v{row.version.number}" if row.version else "-"
        typer.echo(f"{row.key:26} {row.get_state_display():9} {number:4} {row.active:>5,} under way  {words}")


def try_playbook(key: Key) -> None:
    """Say what a playbook would do now: who would be enrolled, what would be sent first. Nothing is sent or stored."""
    from bellwether.playbooks.dry_run import dry_run
    from bellwether.playbooks.services import definition_of

    playbook = _find(key)
    if playbook.version is None:
        raise typer.Exit(1)
    found = dry_run(definition_of(playbook.version), now=timezone.now(), playbook=playbook)
    typer.echo(
        f"{found.meeting:,} of {found.clients:,} clients meet the trigger; {len(found.enrolled):,} would be enrolled, "
        f"about {found.expected_held_out:.1f} of them held out ({found.hold_out}%)."
    )
    for one in found.enrolled:
        first = f"{one.first.words} on {one.first.due_at:%Y-%m-%d %H:%M}" if one.first else ""
        problem = f"  ! {one.first.problem}" if one.first and one.first.problem else ""
        typer.echo(f"  {one.client.name:30} {one.arm.replace('_', ' ').lower():9} {one.reason}; {first}{problem}")
    for other in found.others:
        typer.echo(f"  {other.client.name:30} not: {other.detail}")


def run_playbooks() -> None:
    """Run all running playbooks now, as the worker does every minute. Doing it again does nothing again."""
    from dataclasses import asdict

    from bellwether.common.locks import exclusive
    from bellwether.playbooks.running import run

    with exclusive("job-playbooks") as free:
        if not free:
            typer.echo("The worker is at it. Try again in a moment.", err=True)
            raise typer.Exit(1)
        with terminal_progress() as progress:
            done = asdict(run(timezone.now(), progress=progress))
    typer.echo(", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in done.items()))


def export(
    keys: Annotated[
        list[str] | None, typer.Argument(help="Keys of playbooks; none: all that are not archived.")
    ] = None,
) -> None:
    """Write playbooks and the templates that they name as TOML to the standard output."""
    from bellwether.playbooks.exchange import export_toml

    typer.echo(export_toml([_find(key) for key in keys] if keys else None), nl=False)


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file of `bellwether playbooks export`.")],
) -> None:
    """Read playbooks and templates from TOML: new ones come as drafts, changed ones get another version."""
    from bellwether.common.errors import InvalidInputError
    from bellwether.playbooks.exchange import import_data

    try:
        done = import_data(tomllib.loads(file.read_text("utf-8")), actor=None, now=timezone.now())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        typer.echo(f"{file.name} is no TOML: {error}", err=True)
        raise typer.Exit(1) from None
    except InvalidInputError as error:
        for path, sentence in error.errors.items():
            typer.echo(f"{path}: {sentence}", err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"{done.made:,} playbooks made, {done.changed:,} changed, {done.unchanged:,} as they were; "
        f"{done.templates:,} templates written."
    )


def _find(key: str):  # type: ignore[no-untyped-def]
    from django.http import Http404

    from bellwether.playbooks.library import load_library
    from bellwether.playbooks.services import find_playbook

    load_library(now=timezone.now())
    try:
        return find_playbook(key)
    except Http404:
        typer.echo(f"There is no playbook {key!r}. `bellwether playbooks list` shows them.", err=True)
        raise typer.Exit(1) from None
