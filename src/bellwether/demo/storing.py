"""Writes the demo's records into the database, in bulk, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import models, transaction

from bellwether.common.progress import Progress
from bellwether.demo import rows
from bellwether.demo.portfolio import Portfolio
from bellwether.demo.sources import Refused, as_rows
from bellwether.demo.staffing import PASSWORD
from bellwether.portfolio.models import Activity, Client, Note, Tag
from bellwether.staff.models import StaffUser, Team
from bellwether.usage.models import RejectedEvent, SourceDay
from bellwether.usage.source_tally import Tally

CHUNK = 2000


def store(portfolio: Portfolio, *, user_keys: list[str], seen: rows.Seen, progress: Progress) -> dict[str, int]:
    """Write every record of `portfolio` into an empty database, all or none, and return how many of each kind.

    `user_keys` are the pseudonyms of the platform users by position, `seen` when each was seen first and last.
    """
    kinds: list[tuple[str, Sequence[models.Model]]] = [
        ("clients", rows.client_rows(portfolio)),
        ("contacts", rows.contact_rows(portfolio, user_keys, seen)),
        ("contract terms", rows.term_rows(portfolio)),
        ("outcomes", rows.outcome_rows(portfolio)),
        ("activities", rows.activity_rows(portfolio)),
        ("notes", rows.note_rows(portfolio)),
        ("tickets", rows.ticket_rows(portfolio)),
        ("survey answers", rows.survey_rows(portfolio)),
        ("feature states", rows.feature_rows(portfolio)),
        ("platform users", rows.platform_user_rows(portfolio, user_keys, seen)),
    ]
    progress.start("Storing records", sum(len(made) for _, made in kinds))
    with transaction.atomic():
        counts = {"staff": _store_staff(portfolio)}
        for name, made in kinds:
            _insert(made, progress)
            counts[name] = len(made)
        _store_tags(portfolio)
        _store_participants(portfolio)
        _date_notes(portfolio)
    return counts


def store_sources(days: Mapping[tuple[str, date], Tally], refused: list[Refused]) -> None:
    """Write what each source sent by day, and the rejected events, all or none."""
    with transaction.atomic():
        SourceDay.objects.bulk_create(
            [SourceDay(source=source, date=day, last_part="demo", **vars(one)) for (source, day), one in days.items()],
            batch_size=500,
        )
        RejectedEvent.objects.bulk_create([RejectedEvent(**values) for values in as_rows(refused)], batch_size=500)


def _insert(made: Sequence[models.Model], progress: Progress) -> None:
    for start in range(0, len(made), CHUNK):
        chunk = made[start : start + CHUNK]
        manager: Any = type(chunk[0])._default_manager
        manager.bulk_create(chunk, batch_size=500)
        progress.advance(len(chunk))


def _store_staff(portfolio: Portfolio) -> int:
    plan = portfolio.world.plan
    teams = {
        name: Team(id=plan.uuid("team", name), name=name) for name in sorted({m.team for m in portfolio.staff} - {""})
    }
    Team.objects.bulk_create(teams.values())
    password = make_password(PASSWORD)  # hashed once: a hash is slow on purpose
    members = [
        StaffUser(
            id=member.id,
            email=member.email,
            first_name=member.first_name,
            last_name=member.last_name,
            role=member.role,
            team=teams.get(member.team),
            password=password,
        )
        for member in portfolio.staff
    ]
    return len(StaffUser.objects.bulk_create(members))


def _store_tags(portfolio: Portfolio) -> None:
    companies = portfolio.world.companies
    names = sorted({tag for company in companies for tag in company.tags})
    Tag.objects.bulk_create([Tag(name=name) for name in names], ignore_conflicts=True)
    ids = dict(Tag.objects.values_list("name", "id"))
    link: Any = Client.tags.through
    link.objects.bulk_create(
        [link(client_id=company.id, tag_id=ids[tag]) for company in companies for tag in company.tags]
    )


def _store_participants(portfolio: Portfolio) -> None:
    link: Any = Activity.client_contacts.through
    pairs = [(row.id, contact) for row in portfolio.activities for contact in row.contacts]
    link.objects.bulk_create([link(activity_id=a, contact_id=c) for a, c in pairs], batch_size=500)


def _date_notes(portfolio: Portfolio) -> None:
    """Give the notes the day they were written on; saving had set it to now."""
    notes = [Note(id=row.id, created_at=row.at) for row in portfolio.notes]
    Note.objects.bulk_update(notes, ["created_at"], batch_size=250)
