"""The figures that the brief and the risk factors rest on, gathered from the client's records and its newest score."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from bellwether.common.time import day_of
from bellwether.dashboard.client_cards import gone
from bellwether.dashboard.client_facts import Cause, ClientFacts, OpenTicket, Person
from bellwether.dashboard.client_score import Comparison, missing_labels
from bellwether.dashboard.client_selectors import LastContact, Records
from bellwether.dashboard.explanations import Basis, component_labels
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.choices import KEY_ROLES
from bellwether.portfolio.models import Client, Contact
from bellwether.web.formatting import status_of


def client_facts(
    client: Client,
    records: Records,
    *,
    basis: Basis | None,
    comparison: Comparison | None,
    scorecard: Scorecard,
    contact: LastContact | None,
    today: date,
    zone: ZoneInfo,
    ended: bool,
) -> ClientFacts:
    """Return the figures of the client on `today`; a client without a score keeps what the records say."""
    labels = component_labels(scorecard, tuple(comparison.effects)) if comparison else {}
    on = day_of(contact.at, zone) if contact else None
    return ClientFacts(
        name=client.name,
        today=today,
        score=basis.score if basis else None,
        status=status_of(client.health_status).label if basis and client.health_status else "",
        change=comparison.change if comparison else None,
        change_days=comparison.days if comparison else 30,
        causes=tuple(Cause(label=labels[k], effect=move) for k, move in comparison.effects.items())
        if comparison
        else (),
        coverage=basis.coverage if basis else None,
        missing=missing_labels(basis, scorecard) if basis else (),
        no_score_reason=basis.reason if basis else "",
        inputs=basis.inputs if basis else {},
        contact_days=(today - on).days if on else None,
        contact_label=contact.label if contact else "",
        contact_on=on,
        people=tuple(_person(person, today, zone) for person in records.contacts),
        open_tickets=_open(records, zone),
        payment=client.payment_status or "",
        renewal_on=client.next_renewal_date,
        auto_renew=client.auto_renew,
        seats_licensed=client.licensed_user_count,
        has_usage=client.last_activity_at is not None or bool(basis and basis.inputs.get("mau")),
        ended=ended,
    )


def _person(contact: Contact, today: date, zone: ZoneInfo) -> Person:
    login = day_of(contact.last_platform_login, zone) if contact.last_platform_login else None
    left = day_of(contact.left_company_at, zone) if contact.left_company_at else None
    away = gone(contact, today, zone)
    return Person(
        name=contact.name,
        role=str(contact.get_role_display()),
        is_champion=contact.role == "CHAMPION",
        is_key=contact.role in KEY_ROLES and not away,
        login_days=max(0, (today - login).days) if login and not away else None,
        login_on=login,
        left_on=left if away else None,
    )


def _open(records: Records, zone: ZoneInfo) -> tuple[OpenTicket, ...]:
    waiting: Sequence = [t for t in records.tickets if t.solved_at is None and t.status not in {"solved", "closed"}]
    return tuple(
        OpenTicket(subject=ticket.subject, priority=ticket.priority, opened_on=day_of(ticket.opened_at, zone))
        for ticket in waiting
    )
