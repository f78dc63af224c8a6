"""Contacts with a client: which activities are one, when the last was, which stakeholders are still there."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import OuterRef, Subquery

from bellwether.common.time import day_of
from bellwether.portfolio.approaching import Person
from bellwether.portfolio.choices import ActivityType
from bellwether.portfolio.models import Activity, Client, Contact


@dataclass(frozen=True)
class LastContact:
    """The newest completed activity with the client; `label` is empty where only its time is recorded."""

    at: datetime
    label: str


def is_contact(activity: Activity, now: datetime) -> bool:
    """Return whether the activity was a completed conversation with the client; internal discussions are none."""
    done = activity.completed_at is not None and activity.occurred_at <= now
    return done and activity.activity_type != ActivityType.INTERNAL_DISCUSSION


def last_contact(client: Client, activities: Collection[Activity], now: datetime) -> LastContact | None:
    """Return the newest contact up to `now` among `activities`, without one what the client's record says."""
    held = [activity for activity in activities if is_contact(activity, now)]
    if held:
        newest = max(held, key=lambda activity: activity.occurred_at)
        return LastContact(newest.occurred_at, activity_label(newest))
    return LastContact(client.last_csm_contact_at, "") if client.last_csm_contact_at else None


def newest_contacts(client_ids: Collection[UUID], now: datetime) -> dict[UUID, Activity]:
    """Return the newest contact up to `now` of each client that had one, in one query."""
    held = Activity.objects.filter(
        client=OuterRef("pk"), archived_at__isnull=True, completed_at__isnull=False, occurred_at__lte=now
    ).exclude(activity_type=ActivityType.INTERNAL_DISCUSSION)
    newest = (
        Client.objects.filter(pk__in=client_ids)
        .annotate(newest=Subquery(held.order_by("-occurred_at").values("pk")[:1]))
        .values("newest")
    )
    return {activity.client_id: activity for activity in Activity.objects.filter(pk__in=newest)}


def activity_label(activity: Activity) -> str:
    """Return the preset's own word for the type, else the type's."""
    label: Any = activity.label or activity.get_activity_type_display()
    return str(label)


def gone(contact: Contact, today: date, zone: ZoneInfo) -> bool:
    """Return whether the stakeholder has left the client or is no longer active."""
    left = contact.left_company_at is not None and day_of(contact.left_company_at, zone) <= today
    return left or not contact.is_active


def contacts_known(client_id: UUID) -> list[Contact]:
    """Return the contacts of a client, those who left among them, the primary one first; one query."""
    rows = Contact.objects.filter(client_id=client_id, archived_at__isnull=True, merged_into__isnull=True)
    return list(rows.order_by("-is_primary", "name", "pk"))


def people_of(client: Client) -> list[Person]:
    """Return the contacts of a client as advice reads them, in the order of contacts_known."""
    return [person_of(one) for one in contacts_known(client.pk)]


def person_of(contact: Contact) -> Person:
    """Return a contact as advice reads it."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    return Person(
        contact_id=str(contact.pk),
        name=contact.name,
        role=contact.role,
        title=contact.title,
        is_primary=contact.is_primary,
        is_billing=contact.is_billing,
        last_login=day_of(contact.last_platform_login, zone) if contact.last_platform_login else None,
        gone=contact.left_company_at is not None or not contact.is_active,
    )
