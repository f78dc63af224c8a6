"""How clients leave a playbook: finished, recovered, or taken out; what was still open is called off."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from bellwether.alerts.choices import AlertStatus
from bellwether.alerts.models import Alert
from bellwether.common.time import day_of
from bellwether.playbooks.choices import EnrolmentState, InterventionState
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.models import Enrolment, Intervention
from bellwether.playbooks.receivers import logged_in_since
from bellwether.portfolio.changes import changing
from bellwether.portfolio.models import Activity, Contact

WAITING = (InterventionState.SCHEDULED, InterventionState.APPROVAL, InterventionState.DUE)
OPEN_ALERT = (AlertStatus.NEW, AlertStatus.ACKNOWLEDGED, AlertStatus.SNOOZED)


def leave(enrolment: Enrolment, state: EnrolmentState, reason: str, *, now: datetime) -> None:
    """End an active enrolment; one that ended meanwhile stays as it is. Unless it is completed, messages that wait for
    approval and open tasks are called off, and a message that delivery did not send yet is cancelled there.
    """
    with transaction.atomic():
        locked = Enrolment.objects.select_for_update().filter(pk=enrolment.pk).values_list("state", flat=True).first()
        if locked != EnrolmentState.ACTIVE:
            return
        if state != EnrolmentState.COMPLETED:
            _call_off(enrolment, reason, now)
        enrolment.state, enrolment.ended_at, enrolment.end_reason = state, now, reason[:200]
        enrolment.next_at = None
        enrolment.save(update_fields=["state", "ended_at", "end_reason", "next_at"])


def _call_off(enrolment: Enrolment, reason: str, now: datetime) -> None:
    from bellwether.playbooks.sending import call_back

    rows = list(
        Intervention.objects.select_for_update(of=("self",))
        .filter(enrolment=enrolment, state__in=WAITING)
        .select_related("activity")
    )
    for row in rows:
        if row.state == InterventionState.SCHEDULED and row.message_key and not call_back(row):
            continue
        if row.activity is not None and row.activity.completed_at is None and row.activity.archived_at is None:
            _archive(row.activity, reason, now)
        row.state, row.failure, row.updated_at = InterventionState.CANCELLED, reason[:300], now
        row.save(update_fields=["state", "failure", "updated_at"])


def _archive(activity: Activity, reason: str, now: datetime) -> None:
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    summary = f"{activity.subject[:200]} called off: {reason}"
    with changing(None, kind="activity.archived", summary=summary, today=today, now=now) as work:
        work.keep(activity)
        activity.archived_at = now
        work.save(activity)


def recovered(
    enrolments: Sequence[Enrolment],
    definitions: dict[UUID, Definition],
    *,
    contacts: dict[UUID, list[Contact]],
) -> dict[UUID, str]:
    """Return why enrolments leave now, by id; those that stay are left out.

    `enrolments` come with their client, `contacts` are those of clients that an alert about a person enrolled. One
    query, for the alerts that still hold.
    """
    open_alerts = _open_alerts(enrolments)
    found = {}
    for one in enrolments:
        definition = definitions[one.version_id]
        logged_in = logged_in_since(one, contacts.get(one.client_id, []))
        reason = _reason(one, definition, open_alerts, logged_in)
        if reason:
            found[one.pk] = reason
    return found


def alert_of(enrolment: Enrolment) -> UUID | None:
    """Return the id of the alert that enrolled the client; None for another trigger."""
    kind, _, name = enrolment.episode.partition(":")
    try:
        return UUID(name) if kind == "alert" else None
    except ValueError:
        return None


def _open_alerts(enrolments: Iterable[Enrolment]) -> set[UUID]:
    wanted = {found for one in enrolments if (found := alert_of(one)) is not None}
    if not wanted:
        return set()
    rows = Alert.objects.filter(pk__in=wanted, ended_on__isnull=True, status__in=OPEN_ALERT)
    return set(rows.values_list("pk", flat=True))


def _reason(enrolment: Enrolment, definition: Definition, open_alerts: set[UUID], logged_in: bool) -> str:
    client, leaving, trigger = enrolment.client, definition.exit, definition.trigger
    if client.archived_at is not None:
        return "The client was archived."
    alert_id = alert_of(enrolment)
    if (leaving.alert_cleared or leaving.recovered) and alert_id is not None and alert_id not in open_alerts:
        return "The alert ended."
    score = client.current_health_score
    if leaving.score_at_least is not None and score is not None and score >= leaving.score_at_least:
        return f"The health score is {score}."
    if leaving.logged_in and logged_in:
        return "Somebody logged in."
    if not leaving.recovered or not enrolment.episode.startswith(f"{trigger.kind}:"):
        return ""
    if trigger.kind == "band" and score is not None:
        back = score >= trigger.score_below if trigger.score_below is not None else (
            client.health_status is not None and client.health_status not in trigger.bands
        )  # fmt: skip
        return f"The health score is {score}." if back else ""
    if trigger.kind == "segment" and client.segment not in trigger.segments:
        return "The client is in another segment."
    return "Somebody logged in." if trigger.kind == "lifecycle" and logged_in else ""
