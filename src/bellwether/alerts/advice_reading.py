"""Reads what advice about an alert rests on: contacts, open tickets, the answer's comment: three queries at most."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from bellwether.alerts.advice import AlertFacts, Ticket
from bellwether.alerts.choices import AlertType
from bellwether.alerts.models import Alert
from bellwether.common.time import day_of
from bellwether.portfolio.contacting import contacts_known, people_of
from bellwether.portfolio.models import Contact, SupportTicket, SurveyResponse

MOST_TICKETS = 50


def facts_of(alert: Alert, *, now: datetime, drivers: Sequence[tuple[str, float]] = ()) -> AlertFacts:
    """Return the facts about the client of an alert. `drivers`: components and the points they moved the score by."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today, client = day_of(now, zone), alert.client
    people = people_of(client)
    open_tickets = SupportTicket.objects.filter(client=client, solved_at__isnull=True, opened_at__lte=now)
    tickets = [
        Ticket(str(one.pk), one.subject, one.priority, max(0, (now - one.opened_at).days))
        for one in open_tickets.order_by("-opened_at")[:MOST_TICKETS]
    ]
    named = related_contact(alert)
    return AlertFacts(
        alert_type=alert.alert_type,
        severity=alert.severity,
        client=client.name,
        today=today,
        evidence=alert.evidence,
        people=people,
        comment=_comment(alert),
        related=next((one for one in people if one.contact_id == named), None) if named else None,
        subject=alert.subject,
        tickets=tickets,
        drivers=drivers,
        arr=client.annual_recurring_revenue,
        renewal=client.next_renewal_date,
        auto_renew=client.auto_renew,
        last_contact=day_of(client.last_csm_contact_at, zone) if client.last_csm_contact_at else None,
    )


def _comment(alert: Alert) -> str:
    """Return what was written with the answer that an alert is about; no query for other types."""
    answer = _dashed(str(alert.evidence.get("answer_id") or ""))
    if alert.alert_type != AlertType.NPS_DETRACTOR or len(answer) != 36:
        return ""
    rows = SurveyResponse.objects.filter(client_id=alert.client_id, pk=answer)
    return rows.values_list("comment", flat=True).first() or ""


def contacts_of(alert: Alert) -> list[Contact]:
    """Return the contacts of the alert's client, those who left among them, the primary one first."""
    return contacts_known(alert.client_id)


def related_contact(alert: Alert) -> str:
    """Return the id of the contact that an alert is about; empty for others."""
    if alert.related_entity_type == "contact":
        return _dashed(alert.related_entity_id)
    return _dashed(str(alert.evidence.get("contact_id") or ""))


def _dashed(text: str) -> str:
    plain = text.replace("-", "")
    if len(plain) != 32:
        return text
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"
