"""Tells those above that nobody responded to a critical alert in time: once an alert."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from bellwether.alerts.choices import OPEN, AlertEventKind, AlertSeverity
from bellwether.alerts.models import Alert, AlertEvent
from bellwether.alerts.news import ESCALATED, said_of
from bellwether.alerts.telling import alert_data
from bellwether.delivery.outbox import Draft, send
from bellwether.portfolio.telling import client_data
from bellwether.staff.models import Role, StaffUser
from bellwether.webhooks.outbox import Told, tell

UNANSWERED = "unanswered"


def escalate_unanswered(now: datetime) -> int:
    """Tell the senior CSMs of the team, or the VPs client success where there is none, of each critical alert that
    nobody did anything about until its `respond_by`; return how many alerts that were.

    Told in the product and by mail, whatever the media of the type: it is about the colleagues, too. What had begun
    before anybody looked for it is left out.
    """
    with transaction.atomic():
        rows = list(
            Alert.objects.filter(
                severity=AlertSeverity.CRITICAL,
                status__in=OPEN,
                ended_on__isnull=True,
                is_silent=False,
                first_response_at__isnull=True,
                respond_by__lt=now,
                client__archived_at__isnull=True,
            )
            .exclude(events__kind=AlertEventKind.ESCALATED, events__detail__reason=UNANSWERED)
            .exclude(events__kind=AlertEventKind.OPENED, events__detail__earlier=True)
            .select_for_update(of=("self",))
            .select_related("client__csm_user")
            .order_by("pk")
        )
        if not rows:
            return 0
        receivers = _receivers(rows)
        send([draft for row in rows for draft in _drafts(row, receivers[row.pk])], now=now)
        tell(ESCALATED, [_told(row) for row in rows], now=now)
        AlertEvent.objects.bulk_create(
            [
                AlertEvent(
                    alert=row,
                    kind=AlertEventKind.ESCALATED,
                    at=now,
                    detail={"reason": UNANSWERED, "to": [one.name for one in receivers[row.pk]]},
                )
                for row in rows
            ],
            batch_size=500,
        )
    return len(rows)


def _receivers(rows: Iterable[Alert]) -> dict[UUID, list[StaffUser]]:
    """Return who is told by alert, in one query."""
    above = StaffUser.objects.filter(is_active=True, role__in=[Role.SENIOR_CSM, Role.VP_CLIENT_SUCCESS]).order_by("pk")
    seniors: dict[Any, list[StaffUser]] = defaultdict(list)
    vps = []
    for one in above:
        if one.role == Role.VP_CLIENT_SUCCESS:
            vps.append(one)
        elif one.team_id is not None:
            seniors[one.team_id].append(one)
    found = {}
    for row in rows:
        csm = row.client.csm_user
        own = seniors.get(csm.team_id, []) if csm is not None and csm.team_id is not None else []
        found[row.pk] = [one for one in own if csm is None or one.pk != csm.pk] or vps
    return found


def _drafts(row: Alert, receivers: Iterable[StaffUser]) -> list[Draft]:
    said = said_of(row, row.client, prefix="nobody responded yet: ")
    csm = row.client.csm_user
    said["lines"] = (*said["lines"], f"Looked after by {csm.name if csm else 'nobody'}.")
    key = f"alert:{row.pk}:{UNANSWERED}"
    return [Draft(key=key, user_id=one.pk, media=("IN_APP", "EMAIL"), **said) for one in receivers]


def _told(row: Alert) -> Told:
    data = {"client": client_data(row.client), "alert": alert_data(row), "description": row.description}
    return Told(data | {"reason": UNANSWERED}, row.client_id, f"{ESCALATED}:{row.pk}:{UNANSWERED}")
