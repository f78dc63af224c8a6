"""Hands interventions over: mail and Slack to delivery, in-app messages to webhooks, tasks to the agenda."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from bellwether.common.errors import BellwetherError
from bellwether.common.time import day_of
from bellwether.delivery.choices import Medium, MessageState
from bellwether.delivery.models import Message
from bellwether.delivery.outbox import Draft, send
from bellwether.delivery.unsubscribing import refusal
from bellwether.playbooks.choices import InterventionState, StepKind
from bellwether.playbooks.models import Intervention
from bellwether.portfolio.activity_drafts import ORIGIN
from bellwether.portfolio.changes import changing
from bellwether.portfolio.choices import ActivityType
from bellwether.portfolio.models import Activity, Client, Contact, Tag
from bellwether.staff.models import StaffUser
from bellwether.webhooks.kinds import CLIENT, declare
from bellwether.webhooks.outbox import Told, tell, wanted

ABOUT = "intervention"
TOPIC = "playbook"
IN_APP = "playbook.in_app"
UNSENT = (MessageState.PENDING, MessageState.HELD)

declare(
    IN_APP,
    "A playbook wants something shown in the product itself to people of a client.",
    {
        "client": CLIENT,
        "intervention_id": "0e5b5b1c-2c3c-4f57-9a0e-4dd5a4a1c111",
        "playbook": "onboarding-check",
        "step": "hint",
        "title": "Three things to set up first",
        "text": "Invite your colleagues, import your cases, choose your policies.",
        "contact": {"id": "3a7d0d2e-59b4-4f0a-a46e-8f5b2a5f2222", "user_key": "u-3f9a"},
    },
)


class CannotSendError(BellwetherError):
    """The step cannot be taken for this client; the text says why, for people. `state` is what becomes of it."""

    def __init__(self, message: str, state: InterventionState = InterventionState.FAILED) -> None:
        super().__init__(message)
        self.state = state


def check_mail(contact: Contact | None) -> None:
    """Raise CannotSendError where a contact gets no mail of playbooks: no address, or it wants none."""
    if contact is None or not contact.email:
        raise CannotSendError("The contact has no e-mail address.")
    reason = refusal(contact.email, TOPIC)
    if reason:
        raise CannotSendError(no_mail(reason), InterventionState.SKIPPED)


def no_mail(reason: str = "") -> str:
    """Return the sentence that a contact wants or gets no mail."""
    return f"No mail goes to this contact. {reason}".strip()


def hand_over(row: Intervention, *, now: datetime) -> None:
    """Send the message of an intervention and set its state; the caller saves it, in the same transaction.

    Stored once by its key, so that doing it again sends nothing again. CannotSendError: nobody would get it.
    """
    send_it = {StepKind.EMAIL: _email, StepKind.IN_APP: _in_app, StepKind.SLACK: _slack}[StepKind(row.kind)]
    send_it(row, now)
    row.scheduled_for, row.updated_at = row.scheduled_for or now, now


def _email(row: Intervention, now: datetime) -> None:
    check_mail(row.contact)
    if row.contact is None:
        return
    draft = Draft(
        key=f"{ABOUT}:{row.pk.hex}",
        topic=TOPIC,
        title=row.subject,
        text=row.message,
        contact_id=row.contact.pk,
        client_id=row.client_id,
        about=ABOUT,
        about_id=row.pk.hex,
        at=row.scheduled_for,
    )
    send([draft], now=now)
    row.message_key = f"{ABOUT}:{row.pk.hex}"
    row.state = InterventionState.SCHEDULED


def _slack(row: Intervention, now: datetime) -> None:
    said: dict[str, Any] = {
        "key": f"{ABOUT}:{row.pk.hex}", "topic": TOPIC, "title": row.title, "text": row.message,
        "client_id": row.client_id, "about": ABOUT, "about_id": row.pk.hex,
    }  # fmt: skip
    row.message_key = said["key"]
    if row.assigned_to_id:
        send([Draft(**said, user_id=row.assigned_to_id, medium=Medium.SLACK)], now=now)
    if not _has_message(row):
        send([Draft(**said, workspace=True, media=(Medium.SLACK,))], now=now)
    if not _has_message(row):
        raise CannotSendError("Neither the CSM nor the workspace has a Slack channel that takes this.")
    row.state = InterventionState.SCHEDULED


def _has_message(row: Intervention) -> bool:
    return Message.objects.filter(about=ABOUT, about_id=row.pk.hex).exists()


def _in_app(row: Intervention, now: datetime) -> None:
    if not wanted(IN_APP):
        raise CannotSendError(f"No webhook takes {IN_APP}: nothing would be shown.")
    client, contact = row.client, row.contact
    data = {
        "client": {"id": str(client.pk), "organization_id": client.organization_id, "name": client.name},
        "intervention_id": str(row.pk),
        "playbook": row.enrolment.playbook.key if row.enrolment else "",
        "step": row.step,
        "title": row.subject or row.title,
        "text": row.message,
        "contact": {"id": str(contact.pk), "user_key": contact.user_key} if contact else None,
    }
    tell(IN_APP, [Told(data=data, client_id=client.pk, key=f"{IN_APP}:{row.pk.hex}")], now=now)
    row.state, row.done_at, row.message_key = InterventionState.SENT, now, f"{IN_APP}:{row.pk.hex}"


def call_back(row: Intervention) -> bool:
    """Cancel what was handed to delivery and not sent yet; return whether nothing of it goes out any more."""
    messages = Message.objects.filter(about=ABOUT, about_id=row.pk.hex)
    messages.filter(state__in=UNSENT, claimed_at__isnull=True).update(state=MessageState.CANCELLED)
    return not messages.exclude(state=MessageState.CANCELLED).exists()


def plan_activity(
    row: Intervention, *, text: str, contact: Contact | None, performer: StaffUser, now: datetime
) -> Activity:
    """Put a task or call into the agenda of `performer` and return the planned activity, at the next full hour."""
    at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    call = row.kind == StepKind.CALL
    activity = Activity(
        client=row.client,
        activity_type=ActivityType.CALL if call else ActivityType.OTHER,
        label="" if call else "task",
        subject=row.title,
        description=text,
        performed_by=performer,
        occurred_at=at,
        scheduled_for=at,
        details={ORIGIN: f"playbook:{row.pk}"},
    )
    summary = f"{row.title[:200]}: planned with {row.client.name} by a playbook"
    with changing(None, kind="activity.scheduled", summary=summary, today=_today(now), now=now) as work:
        work.make(activity, {"client_contacts": [contact] if contact else []})
    return activity


def add_tag(client: Client, name: str, *, now: datetime) -> bool:
    """Add a tag to a client and return whether it is new there."""
    with transaction.atomic():
        locked: Client = Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
        if locked.tags.filter(name=name).exists():
            return False
        tag, _ = Tag.objects.get_or_create(name=name)
        summary = f"{locked.name} tagged {name} by a playbook"
        with changing(None, kind="client.tagged", summary=summary, today=_today(now), now=now) as work:
            work.keep(locked)
            work.save(locked, {"tags": [*locked.tags.all(), tag]})
    return True


def ask_for(rows: Sequence[Intervention], *, href: str, now: datetime) -> int:
    """Tell those who are to act about messages to approve and tasks to do, and return how many messages that is."""
    drafts = []
    for row in rows:
        if row.assigned_to_id is None:
            continue
        approval = row.state == InterventionState.APPROVAL
        what = "Approve" if approval else "To do"
        drafts.append(
            Draft(
                key=f"{ABOUT}:{row.pk.hex}:ask", topic=TOPIC, title=f"{what}: {row.title}, {row.client.name}"[:300],
                text=row.subject if approval else "It is in your follow-ups.", href=href, user_id=row.assigned_to_id,
                client_id=row.client_id, about="playbook", about_id=row.pk.hex,
            )
        )  # fmt: skip
    return send(drafts, now=now)


def _today(now: datetime) -> Any:
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    return day_of(now, zone)
