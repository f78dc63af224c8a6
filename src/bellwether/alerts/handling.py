"""What staff do with alerts: acknowledge, assign, snooze, dismiss, resolve, reopen; one or many at once.

Callers pass alerts that the actor may see (`selectors.visible`). Everything is one change that can be undone, one line
in the access log and an event for each alert that changed. Doing it again changes nothing. An alert whose state does
not allow it is a ConflictError; among several it is left alone and told. The number of queries does not depend on how
many there are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from bellwether.alerts.choices import OPEN, AlertEventKind, AlertStatus
from bellwether.alerts.models import Alert, AlertEvent
from bellwether.alerts.snoozing import checked_until
from bellwether.alerts.telling import ACKNOWLEDGED, RESOLVED, tell_handled
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.text import storable_text
from bellwether.common.time import day_of
from bellwether.portfolio.changes import Changing, changing, snapshot
from bellwether.portfolio.models import Change, ChangeEntry, Client
from bellwether.staff.models import StaffUser

MOST_AT_ONCE = 500
BATCH = 200
LONGEST_NOTE = 4_000
ANSWERS_WITHIN = timedelta(days=1)
"""A word with the client also answers alerts that were made up to this much later: figures come in overnight."""
COLUMNS = (
    "status",
    "assigned_to",
    "first_response_at",
    "acknowledged_at",
    "acknowledged_by",
    "snoozed_until",
    "dismissed_at",
    "dismissed_by",
    "resolved_at",
    "resolved_by",
    "resolution_notes",
    "updated_at",
)
CLOSED = {AlertStatus.DISMISSED: "was dismissed", AlertStatus.RESOLVED: "was resolved"}
Step = Callable[[Alert], None]


@dataclass(frozen=True)
class Handled:
    """What was done: the alerts as they are now, how many of them changed, why others were left, and the change.

    `change` is None where nothing changed.
    """

    alerts: tuple[Alert, ...]
    changed: int = 0
    left: tuple[str, ...] = ()
    change: Change | None = None


def acknowledge(alerts: Sequence[Alert], actor: StaffUser, now: datetime) -> Handled:
    """Take alerts on; snoozed ones come back with it."""
    return _handle(alerts, actor, now, AlertEventKind.ACKNOWLEDGED, lambda alert: _acknowledge(alert, actor, now))


def _acknowledge(alert: Alert, actor: StaffUser, now: datetime) -> None:
    _refuse_closed(alert)
    if alert.status != AlertStatus.ACKNOWLEDGED:
        alert.status, alert.snoozed_until = AlertStatus.ACKNOWLEDGED, None
        alert.acknowledged_at, alert.acknowledged_by = now, actor


def assign(alerts: Sequence[Alert], assignee: StaffUser | None, actor: StaffUser, now: datetime) -> Handled:
    """Give alerts to a colleague, or to nobody in particular. The colleague must see the clients."""
    if assignee is not None:
        wanted = {alert.client_id for alert in alerts}
        seen = set(Client.objects.visible_to(assignee).filter(pk__in=wanted).values_list("pk", flat=True))
        if wanted - seen:
            sentence = f"{assignee.name} does not see the client. Hand the client over first, or choose somebody else."
            raise InvalidInputError(sentence, {"assigned_to": sentence})

    def step(alert: Alert) -> None:
        _refuse_closed(alert)
        alert.assigned_to = assignee

    detail = {"to": str(assignee.pk) if assignee else "", "name": assignee.name if assignee else ""}
    return _handle(alerts, actor, now, AlertEventKind.ASSIGNED, step, detail)


def snooze(alerts: Sequence[Alert], until: datetime, actor: StaffUser, now: datetime) -> Handled:
    """Put alerts aside until the instant `until`, to come and within a year (`snoozing.snooze_until`)."""
    checked_until(until, now)

    def step(alert: Alert) -> None:
        _refuse_closed(alert)
        alert.status, alert.snoozed_until = AlertStatus.SNOOZED, until

    return _handle(alerts, actor, now, AlertEventKind.SNOOZED, step, {"until": until.isoformat()})


def dismiss(alerts: Sequence[Alert], actor: StaffUser, now: datetime, *, reason: str = "") -> Handled:
    """Put alerts away for the rest of their episodes: they stay silent until the condition has cleared once."""

    def step(alert: Alert) -> None:
        if alert.status == AlertStatus.DISMISSED:
            return
        _refuse_closed(alert)
        alert.status, alert.snoozed_until = AlertStatus.DISMISSED, None
        alert.dismissed_at, alert.dismissed_by = now, actor

    return _handle(alerts, actor, now, AlertEventKind.DISMISSED, step, {"reason": _note(reason, "reason")})


def resolve(alerts: Sequence[Alert], actor: StaffUser, now: datetime, *, note: str = "") -> Handled:
    """Say that what alerts are about was settled, with a note. Another note for a resolved one replaces the first."""
    text = _note(note, "resolution_notes")

    def step(alert: Alert) -> None:
        if alert.status == AlertStatus.RESOLVED:
            alert.resolution_notes = text or alert.resolution_notes
            return
        _refuse_closed(alert)
        alert.status, alert.snoozed_until = AlertStatus.RESOLVED, None
        alert.resolved_at, alert.resolved_by, alert.resolution_notes = now, actor, text

    return _handle(alerts, actor, now, AlertEventKind.RESOLVED, step, {"note": text})


def reopen(alerts: Sequence[Alert], actor: StaffUser, now: datetime) -> Handled:
    """Bring snoozed, dismissed or resolved alerts back to the open ones: acknowledged if they were, else new.

    One whose condition has cleared stays closed: it opens again by itself when the condition returns.
    """

    def step(alert: Alert) -> None:
        if alert.status in {AlertStatus.NEW, AlertStatus.ACKNOWLEDGED}:
            return
        if alert.ended_on is not None and alert.status in CLOSED:
            raise ConflictError(f"{_name(alert)} has cleared by itself. It opens again when the condition returns.")
        alert.status = AlertStatus.ACKNOWLEDGED if alert.acknowledged_at else AlertStatus.NEW
        alert.snoozed_until = alert.dismissed_at = alert.dismissed_by = None
        alert.resolved_at = alert.resolved_by = None

    return _handle(alerts, actor, now, AlertEventKind.REOPENED, step)


def _refuse_closed(alert: Alert) -> None:
    if alert.status in CLOSED:
        raise ConflictError(f"{_name(alert)} {CLOSED[AlertStatus(alert.status)]}. Reopen it first.")


def _note(text: str, name: str) -> str:
    clean = storable_text(text.strip(), LONGEST_NOTE + 1)
    if len(clean) > LONGEST_NOTE:
        sentence = f"At most {LONGEST_NOTE:,} characters."
        raise InvalidInputError(sentence, {name: sentence})
    return clean


def _handle(
    alerts: Sequence[Alert],
    actor: StaffUser,
    now: datetime,
    kind: AlertEventKind,
    step: Step,
    detail: dict[str, Any] | None = None,
) -> Handled:
    ids = {alert.pk for alert in alerts}
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        sentence = f"Choose 1 to {MOST_AT_ONCE} alerts; these are {len(ids):,}."
        raise InvalidInputError(sentence, {"ids": sentence})
    with transaction.atomic():
        fresh = _locked(ids)
        before = {alert.pk: snapshot(alert) for alert in fresh}
        left = _apply(fresh, step)
        changed = [alert for alert in fresh if snapshot(alert) != before[alert.pk]]
        if not changed:
            return Handled(tuple(fresh), left=tuple(left))
        verb = kind.label.lower() if kind is not AlertEventKind.REOPENED else "opened again"
        one = changed[0]
        summary = f"{_name(one)} {verb}" if len(changed) == 1 else f"{len(changed):,} alerts {verb}"
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        with changing(actor, kind=f"alert.{kind.lower()}", summary=summary, today=today, now=now) as work:
            _store(work, changed, before, actor, now, kind, detail)
    return Handled(tuple(fresh), len(changed), tuple(left), work.change)


def _locked(ids: Any) -> list[Alert]:
    found = Alert.objects.select_for_update(of=("self",)).select_related("client").filter(pk__in=ids)
    return list(found.order_by("pk"))


def _apply(alerts: Sequence[Alert], step: Step) -> list[str]:
    """Do the step with each alert; return why others were left alone. Raises ConflictError where none can do it."""
    left: list[str] = []
    for alert in alerts:
        try:
            step(alert)
        except ConflictError as error:
            left.append(str(error))
    if left and len(left) == len(alerts):
        raise ConflictError(left[0] if len(left) == 1 else f"None of these {len(left)} alerts allows it. {left[0]}")
    return left


def _store(
    work: Changing,
    alerts: Sequence[Alert],
    before: dict[Any, dict[str, Any]],
    actor: StaffUser,
    now: datetime,
    kind: AlertEventKind,
    detail: dict[str, Any] | None = None,
) -> None:
    for alert in alerts:
        alert.first_response_at = alert.first_response_at or now
        alert.updated_at = now
        old, new = before[alert.pk], snapshot(alert)
        names = [name for name in new if new[name] != old[name]]
        work.note(alert, {name: old[name] for name in names}, {name: new[name] for name in names})
    Alert.objects.bulk_update(alerts, COLUMNS, batch_size=BATCH)
    add_events(alerts, kind, now, actor, detail)
    if kind in {AlertEventKind.ACKNOWLEDGED, AlertEventKind.RESOLVED}:
        tell_handled(ACKNOWLEDGED if kind is AlertEventKind.ACKNOWLEDGED else RESOLVED, alerts, actor, now=now)


def add_events(
    alerts: Sequence[Alert],
    kind: AlertEventKind,
    now: datetime,
    actor: StaffUser | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add an event of one kind to each alert."""
    events = [AlertEvent(alert=alert, kind=kind, at=now, actor=actor, detail=detail or {}) for alert in alerts]
    AlertEvent.objects.bulk_create(events, batch_size=BATCH)


def acknowledge_with(
    work: Changing,
    named: Mapping[UUID, UUID],
    spoken: Mapping[UUID, datetime],
    actor: StaffUser,
    now: datetime,
    detail: dict[str, Any],
) -> list[Alert]:
    """Acknowledge alerts as a part of another change, such as an activity that is logged; undoing that takes it back.

    These are those in `named` (alert to its client) that are open, and the new ones of the clients that were `spoken`
    to, by client with the time, unless made more than ANSWERS_WITHIN after it. Return those that changed.
    """
    if not named and not spoken:
        return []
    new = Q(client__in=list(spoken), status=AlertStatus.NEW, is_silent=False)
    asked = Q(pk__in=list(named), status__in=(AlertStatus.NEW, AlertStatus.SNOOZED))
    found = Alert.objects.select_for_update(of=("self",)).select_related("client").filter(new | asked).order_by("pk")
    due = [
        alert
        for alert in found
        if named.get(alert.pk) == alert.client_id
        or (
            alert.status == AlertStatus.NEW
            and alert.client_id in spoken
            and alert.created_at <= spoken[alert.client_id] + ANSWERS_WITHIN
        )
    ]
    if due:
        before = {alert.pk: snapshot(alert) for alert in due}
        for alert in due:
            _acknowledge(alert, actor, now)
        _store(work, due, before, actor, now, AlertEventKind.ACKNOWLEDGED, detail)
    return due


def note_taken_back(entries: Sequence[ChangeEntry], actor: StaffUser, now: datetime) -> None:
    """Add an event to each alert that an undo put back."""
    alerts = list(Alert.objects.filter(pk__in=[entry.object_id for entry in entries]))
    for alert in alerts:
        alert.updated_at = now
    Alert.objects.bulk_update(alerts, ["updated_at"], batch_size=BATCH)
    add_events(alerts, AlertEventKind.UNDONE, now, actor)


def is_open(alert: Alert) -> bool:
    """Return whether somebody still has to do something."""
    return alert.status in OPEN


def _name(alert: Alert) -> str:
    return f"{alert.get_alert_type_display()} at {alert.client.name}"
