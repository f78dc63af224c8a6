"""The figures that risk factors, brief and next steps rest on, gathered from client rows, records and stored scores."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from bellwether.common.rounding import half_up
from bellwether.common.time import day_of
from bellwether.health.client_facts import Cause, ClientFacts, OpenTicket, Person
from bellwether.health.configs import ActiveConfig, config_of, main_scorecard
from bellwether.health.details import product_trend
from bellwether.health.details import status_of as status_of_score
from bellwether.health.models import HealthScore
from bellwether.health.risk_factors import FULL_COVERAGE
from bellwether.health.score_changes import (
    COMPARE_DAYS,
    Comparison,
    ScoreDay,
    Values,
    all_without_data,
    compare,
    component_labels,
    without_data,
)
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.choices import KEY_ROLES, ContactRole, TicketStatus
from bellwether.portfolio.contacting import LastContact, gone, last_contact, newest_contacts
from bellwether.portfolio.models import Client, Contact, SupportTicket
from bellwether.web.formatting import status_of

SOLVED = (TicketStatus.SOLVED, TicketStatus.CLOSED)
SCORE_FIELDS = ("client_id", "date", "overall_score", "coverage", "no_score_reason", "components", "inputs",
                "weights_version")  # fmt: skip


def row_facts(client: Client, scorecard: Scorecard, *, today: date, zone: ZoneInfo) -> ClientFacts:
    """Return what the client's own row says; no query."""
    contact = LastContact(client.last_csm_contact_at, "") if client.last_csm_contact_at else None
    values = client.health_components or {}
    labels = component_labels(scorecard, tuple(values))
    facts = ClientFacts(
        name=client.name,
        today=today,
        score=client.current_health_score,
        status=status_of(client.health_status).label if client.health_status else "",
        trend=client.health_trend,
        change=client.health_trend_change,
        change_days=1 if scorecard.trend.against == "previous" else scorecard.trend.days,
        components=_levels(values, scorecard),
        coverage=client.health_coverage,
        missing=tuple(labels[key] for key, value in values.items() if value is None),
        no_score_reason=client.health_reason,
        payment=client.payment_status or "",
        renewal_on=client.next_renewal_date,
        auto_renew=client.auto_renew,
        seats_licensed=client.licensed_user_count,
        quiet_days=_age(client.last_activity_at, today, zone),
        has_usage=client.last_activity_at is not None,
        ended=client.archived_at is not None,
    )
    return _with_contact(facts, contact, zone)


def full_facts(
    client: Client,
    scorecard: Scorecard,
    *,
    row: HealthScore | None,
    contacts: Sequence[Contact],
    tickets: Sequence[SupportTicket],
    contact: LastContact | None,
    empty: Collection[str],
    today: date,
    zone: ZoneInfo,
) -> ClientFacts:
    """Return the client's figures with those of its records and of `row`, its newest score.

    `scorecard` is that of the version which the score names, `empty` the components that rest on no data.
    """
    facts = _with_contact(row_facts(client, scorecard, today=today, zone=zone), contact, zone)
    return replace(
        _with_score(facts, row, scorecard, empty),
        people=tuple(_person(person, today, zone) for person in contacts),
        open_tickets=tuple(_ticket(ticket, zone) for ticket in tickets if is_open(ticket)),
    )


def with_comparison(facts: ClientFacts, comparison: Comparison | None, scorecard: Scorecard) -> ClientFacts:
    """Return `facts` with the change of the score and what it comes from; without a comparison, with no change."""
    if comparison is None:
        return replace(facts, change=None, change_days=COMPARE_DAYS)
    labels = component_labels(scorecard, tuple(comparison.effects))
    causes = tuple(Cause(label=labels[key], effect=move) for key, move in comparison.effects.items())
    return replace(facts, change=comparison.change, change_days=comparison.days, causes=causes)


def facts_of_client(
    client: Client, row: HealthScore | None, scorecard: Scorecard, *, now: datetime, zone: ZoneInfo
) -> ClientFacts:
    """Return everything that is known of one client, in four queries; the client page says the same."""
    facts = full_facts(
        client,
        scorecard,
        row=row,
        contacts=_people([client.pk]).get(client.pk, []),
        tickets=_waiting([client.pk]).get(client.pk, []),
        contact=last_contact(client, newest_contacts([client.pk], now).values(), now),
        empty=without_data(scorecard, row.inputs, row.components) if row else (),
        today=day_of(now, zone),
        zone=zone,
    )
    if row is not None and row.scorecard != main_scorecard():  # the client's own row speaks of the main one
        word = status_of_score(row, scorecard)
        facts = replace(facts, status=status_of(word).label if word else "", trend=product_trend(row))
    return with_comparison(facts, _comparison(row, scorecard), scorecard)


def facts_of_clients(
    clients: Collection[Client], config: ActiveConfig, *, now: datetime, zone: ZoneInfo
) -> dict[UUID, ClientFacts]:
    """Return what is known of each client, by id, in four queries and one for each version of scores but `config`'s.

    The change of the score is that of the scorecard's trend; what it comes from is left out.
    """
    ids = [client.pk for client in clients]
    if not ids:
        return {}
    rows = _newest_rows(clients, config.scorecard.name)
    versions = {row.weights_version for row in rows.values()} - {config.version}
    known = {config.version: config} | {version: found for version in versions if (found := config_of(version))}
    cards = {pk: known.get(row.weights_version, config).scorecard for pk, row in rows.items()}
    empty = _empty_components(rows, cards)
    people, tickets, newest = _people(ids), _waiting(ids), newest_contacts(ids, now)
    facts = {}
    for client in clients:
        row, held = rows.get(client.pk), newest.get(client.pk)
        facts[client.pk] = full_facts(
            client,
            cards.get(client.pk, config.scorecard),
            row=row,
            contacts=people.get(client.pk, []),
            tickets=tickets.get(client.pk, []),
            contact=last_contact(client, [held] if held else [], now),
            empty=empty.get(client.pk, ()),
            today=day_of(now, zone),
            zone=zone,
        )
    return facts


def is_open(ticket: SupportTicket) -> bool:
    """Return whether the ticket is not solved yet."""
    return ticket.solved_at is None and ticket.status not in SOLVED


def _newest_rows(clients: Collection[Client], scorecard: str) -> dict[UUID, HealthScore]:
    """Return the score that each client's own row carries, with the fields that facts need."""
    days = {client.pk: client.scored_on for client in clients if client.scored_on}
    rows = HealthScore.objects.filter(client__in=list(days), scorecard=scorecard, date__in=set(days.values()))
    return {row.client_id: row for row in rows.only(*SCORE_FIELDS) if row.date == days[row.client_id]}


def _empty_components(rows: Mapping[UUID, HealthScore], cards: Mapping[UUID, Scorecard]) -> dict[UUID, frozenset[str]]:
    """Return the components without data of the scores that do not rest on all of their weight."""
    thin = [client_id for client_id, row in rows.items() if row.coverage < FULL_COVERAGE]
    found: dict[UUID, frozenset[str]] = {}
    for card in {id(cards[client_id]): cards[client_id] for client_id in thin}.values():
        ids = [client_id for client_id in thin if cards[client_id] is card]
        scores = [(rows[client_id].inputs, rows[client_id].components) for client_id in ids]
        found.update(zip(ids, all_without_data(card, scores), strict=True))
    return found


def _people(client_ids: Collection[UUID]) -> dict[UUID, list[Contact]]:
    fields = ("client_id", "name", "role", "is_active", "left_company_at", "last_platform_login")
    found = defaultdict(list)
    for contact in Contact.objects.filter(client__in=client_ids, archived_at__isnull=True).only(*fields):
        found[contact.client_id].append(contact)
    return found


def _waiting(client_ids: Collection[UUID]) -> dict[UUID, list[SupportTicket]]:
    found = defaultdict(list)
    for ticket in SupportTicket.objects.filter(client__in=client_ids, solved_at__isnull=True):
        found[ticket.client_id].append(ticket)
    return found


def _comparison(row: HealthScore | None, scorecard: Scorecard) -> Comparison | None:
    if row is None:
        return None
    since = row.date - timedelta(days=COMPARE_DAYS)
    days = HealthScore.objects.filter(client=row.client_id, scorecard=row.scorecard, date__range=(since, row.date))
    series = [
        ScoreDay(*day)
        for day in days.order_by("date").values_list("date", "overall_score", "components", "weights_snapshot")
    ]
    return compare(series, series[-1], points=scorecard.points)


def _with_score(
    facts: ClientFacts, row: HealthScore | None, scorecard: Scorecard, empty: Collection[str]
) -> ClientFacts:
    """Return `facts` with what the stored score says instead of the client's row."""
    if row is None:
        return replace(
            facts, score=None, status="", trend=None, change=None, components=(), coverage=None, no_score_reason=""
        )
    missing = () if row.coverage >= FULL_COVERAGE else empty
    return replace(
        facts,
        score=row.overall_score,
        components=_levels(row.components, scorecard),
        coverage=row.coverage,
        missing=tuple(component.label for component in scorecard.components if component.key in missing),
        no_score_reason=row.no_score_reason,
        inputs=row.inputs,
        has_usage=facts.has_usage or any(row.inputs.get(name) for name in ("mau", "dau_avg_30d")),
    )


def _levels(values: Values, scorecard: Scorecard) -> tuple[tuple[str, int], ...]:
    """Return label and value 0-100, half-up, of the components that have one."""
    tops = {component.key: component.weight if scorecard.points else 100.0 for component in scorecard.components}
    labels = component_labels(scorecard, tuple(values))
    return tuple(
        (labels[key], half_up(100 * value / (tops.get(key) or 100.0)))
        for key, value in values.items()
        if value is not None
    )


def _with_contact(facts: ClientFacts, contact: LastContact | None, zone: ZoneInfo) -> ClientFacts:
    on = day_of(contact.at, zone) if contact else None
    return replace(
        facts,
        contact_days=(facts.today - on).days if on else None,
        contact_label=contact.label if contact else "",
        contact_on=on,
    )


def _age(instant: datetime | None, today: date, zone: ZoneInfo) -> int | None:
    return None if instant is None else (today - day_of(instant, zone)).days


def _person(contact: Contact, today: date, zone: ZoneInfo) -> Person:
    login = day_of(contact.last_platform_login, zone) if contact.last_platform_login else None
    left = day_of(contact.left_company_at, zone) if contact.left_company_at else None
    away = gone(contact, today, zone)
    return Person(
        name=contact.name,
        role=str(contact.get_role_display()),
        is_champion=contact.role == ContactRole.CHAMPION,
        is_key=contact.role in KEY_ROLES and not away,
        login_days=max(0, (today - login).days) if login and not away else None,
        left_on=left if away else None,
    )


def _ticket(ticket: SupportTicket, zone: ZoneInfo) -> OpenTicket:
    return OpenTicket(subject=ticket.subject, priority=ticket.priority, opened_on=day_of(ticket.opened_at, zone))
