"""What a definition would find, before it is saved: it is evaluated like all others, and nothing is kept."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.conf import settings

from bellwether.common.time import day_of
from bellwether.milestones.detecting import detect
from bellwether.milestones.reading import read_all
from bellwether.milestones.rules import Rule, progress_text
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

SHOWN = 8
KEY = "draft"


@dataclass(frozen=True)
class Preview:
    """How many clients reached it, how many of them on a day that is only the latest possible, first and last day, the
    newest of them, and those that are nearest to it."""

    reached: int
    inexact: int
    first: date | None
    last: date | None
    newest: list[tuple[str, date, bool]]
    nearest: list[tuple[str, str]]


def preview(rule: Rule, user: StaffUser, *, now: datetime) -> Preview:
    """Return what `rule` finds among the clients that `user` sees."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    found = detect({KEY: rule}, read_all([rule], today=today, zone=zone))
    names = dict(Client.objects.visible_to(user).values_list("pk", "name"))
    rows = [
        (day, names[UUID(client)], exact)
        for client, day, exact in found.reached.select("client_id", "achieved_on", "exact").iter_rows()
        if UUID(client) in names
    ]
    rows.sort(key=lambda row: (-row[0].toordinal(), row[1]))
    near = [
        (value / target, names[UUID(client)], progress_text(rule, value, target))
        for client, value, target in found.progress.select("client_id", "value", "target").iter_rows()
        if UUID(client) in names and target > 0
    ]
    near.sort(key=lambda row: (-row[0], row[1]))
    return Preview(
        reached=len(rows),
        inexact=sum(1 for row in rows if not row[2]),
        first=rows[-1][0] if rows else None,
        last=rows[0][0] if rows else None,
        newest=[(name, day, exact) for day, name, exact in rows[:SHOWN]],
        nearest=[(name, text) for _, name, text in near[:SHOWN]],
    )
