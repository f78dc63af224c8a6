"""What staff are reminded of: follow-ups, appointments, clients that became theirs, key contacts who left.

Each is found by what the records say now, whoever changed them, and told once by its key.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.notifications.models import ToldAssignment
from bellwether.notifications.services import Draft, notify_all
from bellwether.portfolio.choices import KEY_ROLES
from bellwether.portfolio.contacting import activity_label
from bellwether.portfolio.follow_ups import DueFollowUp, due_follow_ups
from bellwether.portfolio.models import Activity, Client, Contact
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.formatting import clock, day, plural

Assigned = tuple[UUID, str, UUID | None, UUID | None]
People = tuple[UUID | None, UUID | None]
PARTS = ("CSM", "account executive")
SOON = timedelta(hours=1)
NEWS_DAYS = 14
"""What is older than this when it is first seen is no news: it is not told."""
MOST_SINGLE = 5
"""More clients than this that become somebody's at once are told in one sentence."""


def remind(now: datetime) -> dict[str, int]:
    """Tell staff what is due at `now` and return how many were told of each kind; again at once tells nothing."""
    return {
        "follow_up": notify_all(follow_up_drafts(now), now=now),
        "scheduled": notify_all(soon_scheduled(now), now=now),
        "assigned": tell_assignments(now),
        "contact_left": notify_all(left_contacts(now), now=now),
    }


def follow_up_drafts(now: datetime) -> list[Draft]:
    """Return a reminder for each open follow-up whose day, or day of reminder, has come in its owner's zone.

    Told on the day of the reminder, on the day itself, and once more when it is overdue. Two queries.
    """
    somewhere = now.date() + timedelta(days=1)  # where it is tomorrow already
    oldest = now.date() - timedelta(days=NEWS_DAYS)
    found = [one for one in due_follow_ups(now, somewhere) if one.owner_id is not None and one.due_on >= oldest]
    owners = StaffUser.objects.in_bulk({one.owner_id for one in found})
    drafts = [_follow_up(one, owners[one.owner_id], now) for one in found if one.owner_id in owners]
    return [draft for draft in drafts if draft is not None]


def _follow_up(due: DueFollowUp, owner: StaffUser, now: datetime) -> Draft | None:
    today, on = day_of(now, zone_of(owner)), due.due_on
    if on < today:
        state, when = "overdue", f"was due on {day(on, today)}"
    elif on == today:
        state, when = "due", "is due today"
    elif due.remind_on is not None and due.remind_on <= today:
        state, when = "ahead", f"is due on {day(on, today)}"
    else:
        return None
    return Draft(
        user_id=owner.pk,
        kind="follow_up",
        key=f"{due.activity_id}:{on.isoformat()}:{state}",
        title=f"Follow-up with {due.client_name} {when}",
        text=due.what,
        href=reverse("client", args=[due.client_id]) + "#agenda",
        client_id=due.client_id,
    )


def soon_scheduled(now: datetime) -> list[Draft]:
    """Return a reminder for everybody who takes part in what is scheduled within the next hour, times in their zone."""
    rows = (
        Activity.objects.filter(
            scheduled_for__gt=now,
            scheduled_for__lte=now + SOON,
            completed_at__isnull=True,
            archived_at__isnull=True,
            client__archived_at__isnull=True,
        )
        .select_related("client", "performed_by")
        .prefetch_related("participants")
    )
    return [_appointment(activity, person) for activity in rows for person in _people(activity)]


def _people(activity: Activity) -> list[StaffUser]:
    everyone = [activity.performed_by, *activity.participants.all()]
    return list({person.pk: person for person in everyone if person is not None}.values())


def _appointment(activity: Activity, person: StaffUser) -> Draft:
    label, at = activity_label(activity), activity.scheduled_for
    same = activity.subject.strip().lower() == label.lower()
    return Draft(
        user_id=person.pk,
        kind="scheduled",
        key=f"{activity.pk}:{at.isoformat() if at else ''}",
        title=f"{label} with {activity.client.name} at {clock(at, zone_of(person))}",
        text="" if same else activity.subject,
        href=reverse("client", args=[activity.client_id]),
        client_id=activity.client_id,
    )


def tell_assignments(now: datetime) -> int:
    """Tell people which clients became theirs since the last time, and remember it; return how many were told.

    It compares what clients say with what they said, so it does not matter how that was changed. The first time of a
    workspace only remembers.
    """
    with transaction.atomic():
        told = {pk: (csm, ae) for pk, csm, ae in ToldAssignment.objects.values_list("pk", "csm_user", "ae_user")}
        fields = ("pk", "name", "csm_user", "ae_user")
        changed = [row for row in Client.objects.active().values_list(*fields) if told.get(row[0]) != row[2:]]
        if not changed:
            return 0
        drafts = _assigned(changed, told, now) if told else []
        ToldAssignment.objects.bulk_create(
            [ToldAssignment(client_id=pk, csm_user_id=csm, ae_user_id=ae, told_at=now) for pk, _, csm, ae in changed],
            update_conflicts=True,
            unique_fields=["client"],
            update_fields=["csm_user", "ae_user", "told_at"],
            batch_size=200,
        )
        return notify_all(drafts, now=now)


def _assigned(
    changed: Sequence[Assigned], told: Mapping[UUID, tuple[UUID | None, UUID | None]], now: datetime
) -> list[Draft]:
    theirs: dict[tuple[UUID, str], list[tuple[UUID, str]]] = {}
    for client_id, name, *people in changed:
        for person, before, part in zip(people, told.get(client_id, (None, None)), PARTS, strict=True):
            if person is not None and person != before:
                theirs.setdefault((person, part), []).append((client_id, name))
    return [draft for (person, part), new in theirs.items() for draft in _of_person(person, part, new, now)]


def _of_person(person: UUID, part: str, new: Sequence[tuple[UUID, str]], now: datetime) -> list[Draft]:
    if len(new) > MOST_SINGLE:
        names = ", ".join(sorted(name for _, name in new)[:MOST_SINGLE])
        return [
            Draft(
                user_id=person,
                kind="assigned",
                key=f"{part}:{now.isoformat()}",
                title=f"{plural(len(new), 'client')} are yours now",
                text=f"You are their {part}: {names} and {len(new) - MOST_SINGLE} more.",
                href=reverse("portfolio"),
            )
        ]
    return [
        Draft(
            user_id=person,
            kind="assigned",
            key=f"{client_id}:{part}:{now.isoformat()}",
            title=f"{name} is yours now",
            text=f"You are the {part}.",
            href=reverse("client", args=[client_id]),
            client_id=client_id,
        )
        for client_id, name in new
    ]


def left_contacts(now: datetime) -> list[Draft]:
    """Return the news that a key contact left, for the CSM and the account executive of the client."""
    since = now - timedelta(days=NEWS_DAYS)
    rows = Contact.objects.filter(
        Q(role__in=KEY_ROLES) | Q(is_primary=True),
        left_company_at__gt=since,
        left_company_at__lte=now,
        archived_at__isnull=True,
        client__archived_at__isnull=True,
    ).select_related("client")
    return [
        Draft(
            user_id=person,
            kind="contact_left",
            key=f"{contact.pk}:{contact.left_company_at.date().isoformat()}",
            title=f"{contact.name} left {contact.client.name}",
            text=f"{contact.get_role_display()}{', primary contact' if contact.is_primary else ''}. "
            "Find out who takes over.",
            href=reverse("client", args=[contact.client_id]),
            client_id=contact.client_id,
        )
        for contact in rows
        for person in {contact.client.csm_user_id, contact.client.ae_user_id}
        if person is not None and contact.left_company_at is not None
    ]
