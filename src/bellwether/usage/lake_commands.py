"""Commands that look after the lake."""

from dataclasses import asdict
from typing import Annotated

import typer
from django.conf import settings
from django.utils import timezone

from bellwether.common.terminal import terminal_progress
from bellwether.usage.erasure import ErasureError, Found, erase, find_person
from bellwether.usage.pseudonyms import pseudonym


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("erase")(erase_person)


def erase_person(
    user_id: Annotated[
        str, typer.Argument(help="The id that senders give this user; - asks for it, so that no history keeps it.")
    ],
    is_pseudonym: Annotated[bool, typer.Option("--pseudonym", help="USER_ID is a pseudonym, not an id.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the access log; without the person's id.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is stored about the person.")] = False,
) -> None:
    """Erase a person: identifiers, properties and links go, pseudonymous facts stay. Cannot be undone.

    Figures and scores do not change. A run that was cut off is finished by running it again, or by the worker.
    """
    given = typer.prompt("User id", hide_input=True) if user_id == "-" else user_id
    key = given if is_pseudonym else pseudonym(given, settings.BELLWETHER_PSEUDONYM_KEY)
    known_id = "" if is_pseudonym else given
    with terminal_progress() as progress:
        if dry_run:
            found = find_person(key, user_id=known_id, progress=progress)
        else:
            done = erase(key, user_id=known_id, reason=reason, actor=None, now=timezone.now(), progress=progress)
            found = Found(**{name: done.counts.get(name, 0) for name in asdict(Found())})
    if not found.anything:
        raise ErasureError("Nothing is stored about this person. Check the id: it is the one that senders give.")
    typer.echo(f"{'Would erase' if dry_run else 'Erased'}: {_line(found)}.")
    if not dry_run:
        typer.echo(f"Their facts go on under a random pseudonym. The erasure is {done.pk} in the access log.")


def _line(found: Found) -> str:
    return (
        f"{found.events:,} events in {found.parts:,} parts, {found.fact_rows:,} rows of facts in {found.fact_files:,} "
        f"files, {found.users:,} users, {found.contacts:,} links of contacts, {found.answers:,} answers to surveys, "
        f"{found.rejects:,} rejected events"
    )
