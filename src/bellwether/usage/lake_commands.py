"""Commands that look after the lake."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

import typer
from django.conf import settings
from django.utils import timezone

from bellwether.common.errors import InvalidInputError
from bellwether.common.terminal import terminal_progress
from bellwether.common.time import day_of
from bellwether.usage.closed_days import compact_closed_days
from bellwether.usage.erasure import ErasureError, Found, erase, find_person
from bellwether.usage.kept import EVENTS, kept_from
from bellwether.usage.pseudonyms import pseudonym
from bellwether.usage.services import roll_up_dates
from bellwether.usage.workspace import workspace_lake

FROM = typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="First day, default the first with events.")
TO = typer.Option("--to", formats=["%Y-%m-%d"], metavar="DATE", help="Last day, default the last with events.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("erase")(erase_person)
    app.command("compact")(compact)
    app.command("rollup")(rollup)


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


def compact(
    first: Annotated[datetime | None, FROM] = None,
    last: Annotated[datetime | None, TO] = None,
) -> None:
    """Merge the parts of each day that is over into one, and drop copies of messages for good.

    The worker does the same every night. Figures do not change.
    """
    begin, end = _span(first, last)
    today = day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)
    with terminal_progress() as progress:
        done = compact_closed_days(workspace_lake(), today=today, progress=progress, first=begin, last=end)
    typer.echo(
        f"{done.days:,} days: {done.parts_before:,} parts became {done.parts_after:,}, "
        f"{done.bytes_before / 2**20:,.1f} MB became {done.bytes_after / 2**20:,.1f} MB, "
        f"{done.repeats:,} copies of messages dropped."
    )


def rollup(
    first: Annotated[datetime | None, FROM] = None,
    last: Annotated[datetime | None, TO] = None,
    everything: Annotated[bool, typer.Option("--all", help="All days that have events.")] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Let days whose events are gone lose their facts too.")
    ] = False,
) -> None:
    """Count the events of a span of days anew, or of all days. The worker makes the scores that follow."""
    begin, end = _span(first, last)
    if everything == (begin is not None or end is not None):
        raise InvalidInputError("Say which days: --from and --to, or --all.")
    lake, now = workspace_lake(), timezone.now()
    since = kept_from(lake, EVENTS)
    if begin is not None and since is not None and begin < since:
        raise InvalidInputError(
            f"The events before {since} were removed by the retention; take --from {since} or later."
        )
    span = (begin or date.min, end or date.max)
    with terminal_progress() as progress:
        done = roll_up_dates(*span, now=now, progress=progress, forget=forget)
    typer.echo(
        f"{done.days:,} days counted: {done.events:,} events, {done.repeats:,} copies, {done.unassigned:,} without a "
        f"client; {done.files:,} files of facts changed."
    )


def _span(first: datetime | None, last: datetime | None) -> tuple[date | None, date | None]:
    begin, end = first.date() if first else None, last.date() if last else None
    if begin and end and end < begin:
        raise InvalidInputError(f"--to {end} is before --from {begin}; exchange them.")
    return begin, end


def _line(found: Found) -> str:
    return (
        f"{found.events:,} events in {found.parts:,} parts, {found.fact_rows:,} rows of facts in {found.fact_files:,} "
        f"files, {found.users:,} users, {found.contacts:,} links of contacts, {found.answers:,} answers to surveys, "
        f"{found.rejects:,} rejected events"
    )
