"""What the database knows of the people at a client: its platform users, and the contacts that they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl

from bellwether.portfolio.choices import KEY_ROLES, ContactRole
from bellwether.portfolio.contacting import gone
from bellwether.portfolio.models import Client, Contact
from bellwether.usage.engagement import KNOWN
from bellwether.usage.models import PlatformUser

CHUNK = 2_000


ROLE_ORDER: dict[str, int] = {role: place for place, role in enumerate(KEY_ROLES)}


@dataclass(frozen=True)
class LinkedContact:
    """The contact that a platform user is known to be. `is_key`: champion, executive sponsor or admin, still there."""

    id: UUID
    name: str
    role: str
    role_label: str
    title: str
    is_key: bool
    has_left: bool


def known_users(
    zone: ZoneInfo, *, organization_id: str | None = None, user_keys: Sequence[str] | None = None
) -> pl.DataFrame:
    """Return what the database knows of the users of a client, or of those with the given pseudonyms: KNOWN."""
    users = PlatformUser.objects.all()
    if organization_id is not None:
        users = users.filter(organization_id=organization_id)
    chunks = [None] if user_keys is None else [user_keys[n : n + CHUNK] for n in range(0, len(user_keys), CHUNK)]
    fields = ("organization_id", "user_key", "role", "is_service", "first_seen_at", "last_seen_at")
    rows = [
        row
        for chunk in chunks
        for row in (users if chunk is None else users.filter(user_key__in=chunk)).values_list(*fields)
    ]
    columns: dict[str, Any] = dict(zip(fields, zip(*rows, strict=True), strict=True)) if rows else {}
    texts = [pl.Series(name, columns.get(name, ()), KNOWN[name]) for name in fields[:4]]
    seen = [_instants(name, columns.get(f"{name}_at", ())) for name in ("first_seen", "last_seen")]
    frame = pl.DataFrame([*texts, *seen])
    frame = frame.with_columns(last_seen_at="last_seen")
    local = pl.col("first_seen", "last_seen").dt.convert_time_zone(str(zone)).dt.date()
    return frame.with_columns(local).with_columns(pl.col("role").replace("", None))


def _instants(name: str, values: Sequence[datetime]) -> pl.Series:
    """Return aware datetimes as a column; Polars reads numbers ten times as fast."""
    return pl.Series(name, [round(at.timestamp() * 1e6) for at in values], pl.Int64).cast(pl.Datetime("us", "UTC"))


def linked_contacts(client: Client, today: date, zone: ZoneInfo) -> tuple[list[LinkedContact], pl.DataFrame]:
    """Return the contacts that are linked to a platform user, and a frame that joins them by user_key.

    Where an import linked two contacts to one user, the one with the more important role stands for it.
    """
    rows = Contact.objects.filter(client=client, archived_at__isnull=True).exclude(user_key="")
    ordered = sorted(rows, key=lambda c: (gone(c, today, zone), ROLE_ORDER.get(c.role, len(ROLE_ORDER)), c.name))
    by_key: dict[str, Contact] = {}
    for contact in ordered:
        by_key.setdefault(contact.user_key, contact)
    contacts = [linked_contact(contact, today, zone) for contact in by_key.values()]
    links = pl.DataFrame(
        {
            "user_key": list(by_key),
            "link": list(range(len(by_key))),
            "contact_name": [contact.name for contact in contacts],
            "is_key": [contact.is_key for contact in contacts],
            "is_linked_champion": [contact.role == ContactRole.CHAMPION for contact in contacts],
        },
        schema={
            "user_key": pl.String,
            "link": pl.Int32,
            "contact_name": pl.String,
            "is_key": pl.Boolean,
            "is_linked_champion": pl.Boolean,
        },
    )
    return contacts, links


def linked_contact(contact: Contact, today: date, zone: ZoneInfo) -> LinkedContact:
    """Return what the people table says of `contact`."""
    left = gone(contact, today, zone)
    return LinkedContact(
        id=contact.pk,
        name=contact.name,
        role=contact.role,
        role_label=str(contact.get_role_display()),
        title=contact.title,
        is_key=contact.role in KEY_ROLES and not left,
        has_left=left,
    )
