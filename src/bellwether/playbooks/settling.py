"""Sees what became of what was handed on: messages that delivery sent or gave up, tasks that were completed."""

from collections.abc import Iterable
from datetime import datetime

from bellwether.delivery.choices import MessageState
from bellwether.delivery.models import Message
from bellwether.playbooks.choices import InterventionState
from bellwether.playbooks.models import Intervention
from bellwether.playbooks.sending import ABOUT

MOST = 1_000


def settle(*, now: datetime) -> int:
    """Bring interventions in step with their messages and planned activities; return how many changed. Four queries,
    and one for each that changed."""
    return _messages(now) + _activities(now)


def _messages(now: datetime) -> int:
    """A message that was resent after it was given up counts as sent, too."""
    rows = list(
        Intervention.objects.filter(
            state__in=(InterventionState.SCHEDULED, InterventionState.FAILED), message_key__startswith=f"{ABOUT}:"
        ).order_by("-created_at")[:MOST]
    )
    if not rows:
        return 0
    found: dict[str, list[Message]] = {}
    for message in Message.objects.filter(about=ABOUT, about_id__in=[row.pk.hex for row in rows]):
        found.setdefault(message.about_id, []).append(message)
    return sum(_from_messages(row, found.get(row.pk.hex, ()), now) for row in rows)


def _from_messages(row: Intervention, messages: Iterable[Message], now: datetime) -> int:
    states = {message.state for message in messages}
    sent = [message.sent_at for message in messages if message.sent_at]  # also of those that went in a digest
    if sent or MessageState.SENT in states:
        return _set(row, InterventionState.SENT, now, done_at=min(sent, default=now))
    if not states or states - {MessageState.FAILED, MessageState.CANCELLED}:
        return 0
    error = next((message.last_error for message in messages if message.last_error), "")
    if MessageState.FAILED in states:
        return _set(row, InterventionState.FAILED, now, failure=error or "The message could not be delivered.")
    return _set(row, InterventionState.SKIPPED, now, failure=error or "The contact wants no such mail.")


def _activities(now: datetime) -> int:
    rows = Intervention.objects.filter(state=InterventionState.DUE, activity__isnull=False).select_related("activity")
    changed = 0
    for row in rows.exclude(activity__completed_at__isnull=True, activity__archived_at__isnull=True)[:MOST]:
        activity = row.activity
        if activity is None:
            continue
        if activity.archived_at is not None:
            changed += _set(row, InterventionState.SKIPPED, now, failure="Its activity was archived.")
        else:
            words = activity.outcome_notes or (activity.get_outcome_display() if activity.outcome else "")
            row.done_by = activity.performed_by
            changed += _set(row, InterventionState.DONE, now, done_at=activity.completed_at, outcome=words)
    return changed


def _set(
    row: Intervention,
    state: InterventionState,
    now: datetime,
    *,
    done_at: datetime | None = None,
    failure: str = "",
    outcome: str = "",
) -> int:
    if row.state == state:
        return 0
    row.state, row.done_at, row.updated_at = state, done_at or row.done_at, now
    row.failure, row.outcome = failure[:300], (outcome or row.outcome)[:200]
    row.save(update_fields=["state", "done_at", "done_by", "failure", "outcome", "updated_at"])
    return 1
