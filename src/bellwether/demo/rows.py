"""The demo's plain values as rows of the product's tables."""

from datetime import UTC, date, datetime, time, timedelta

from bellwether.demo.companies import Company
from bellwether.demo.contracts import TermRow, standing
from bellwether.demo.people import NEVER, SERVICE_ROLE
from bellwether.demo.portfolio import Portfolio
from bellwether.demo.relations import last_contacts
from bellwether.demo.words import PINNED
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.models import (
    Activity,
    Client,
    ClientOutcome,
    Contact,
    ContractPeriod,
    Note,
    SupportTicket,
    SurveyResponse,
)
from bellwether.usage.models import FeatureAdoption, PlatformUser

Seen = dict[int, tuple[datetime, datetime]]
"""When each platform user was seen first and last, by position."""

ACTIVE_WITHIN, DECLINING_WITHIN = timedelta(days=14), timedelta(days=30)

ALERT_LEVELS = {"ENTERPRISE": AlertLevel.PROACTIVE, "PROFESSIONAL": AlertLevel.PROACTIVE}
"""Larger accounts are looked after by people, the others by the product."""


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def client_rows(portfolio: Portfolio) -> list[Client]:
    """Return the clients; those that left are archived some days later."""
    touched, _ = last_contacts(portfolio.activities)
    latest = {term.client: term for term in portfolio.terms}
    return [_client(portfolio, c, latest[c.number], touched.get(c.number)) for c in portfolio.world.companies]


def _client(portfolio: Portfolio, company: Company, term: TermRow, touched: datetime | None) -> Client:
    now = standing(portfolio.world, company)
    archived = None
    if company.churned_on:
        archived = min(portfolio.until, _noon(company.churned_on) + timedelta(days=2 + company.number % 14))
    return Client(
        id=company.id,
        organization_id=company.organization_id,
        name=company.name,
        industry=company.industry,
        employee_count=company.employees,
        region=company.region,
        location=company.location,
        country=company.country,
        segment=company.segment,
        contract_tier=company.tier,
        contract_start_date=company.start,
        contract_end_date=now.contract_end,
        annual_recurring_revenue=term.arr,
        licensed_modules=list(company.modules),
        licensed_user_count=term.seats,
        payment_status=now.payment,
        renewal_probability=now.renewal_probability,
        auto_renew=now.auto_renew,
        csm_user_id=company.csm,
        ae_user_id=company.ae,
        go_live_date=company.go_live if company.go_live <= portfolio.world.plan.today else None,
        last_csm_contact_at=touched,
        next_renewal_date=now.renewal_date,
        archived_at=archived,
        alert_level=ALERT_LEVELS.get(company.tier, AlertLevel.DASHBOARD_ONLY),
    )


def contact_rows(portfolio: Portfolio, user_keys: list[str], seen: Seen) -> list[Contact]:
    """Return the contacts, linked to platform users by pseudonym, with how engaged their user is."""
    companies = portfolio.world.companies
    _, touched = last_contacts(portfolio.activities)
    rows = []
    for contact in portfolio.contacts:
        last = seen[contact.user][1] if contact.user in seen else None
        left = contact.left_at if contact.left_at and contact.left_at <= portfolio.until else None
        rows.append(
            Contact(
                id=contact.id,
                client_id=companies[contact.client].id,
                external_id=contact.email,
                name=contact.name,
                email=contact.email,
                phone=contact.phone,
                title=contact.title,
                role=contact.role,
                is_primary=contact.is_primary,
                is_billing=contact.role == "BILLING",
                is_technical=contact.role == "ADMIN",
                user_key="" if contact.user is None else user_keys[contact.user],
                last_platform_login=last,
                last_csm_contact=touched.get(contact.id),
                engagement_status=None if contact.user is None else _engagement(portfolio.until, last),
                known_since=contact.known_since,
                is_active=left is None,
                left_company_at=left,
            )
        )
    return rows


def _engagement(now: datetime, last: datetime | None) -> str:
    if last is None or now - last > DECLINING_WITHIN:
        return "INACTIVE"
    return "ACTIVE" if now - last <= ACTIVE_WITHIN else "DECLINING"


def term_rows(portfolio: Portfolio) -> list[ContractPeriod]:
    """Return the contract terms."""
    companies = portfolio.world.companies
    return [
        ContractPeriod(
            id=term.id,
            client_id=companies[term.client].id,
            external_id=f"term-{term.number + 1}",
            start_date=term.start,
            end_date=term.end,
            annual_recurring_revenue=term.arr,
            contract_tier=companies[term.client].tier,
            licensed_user_count=term.seats,
            licensed_modules=list(companies[term.client].modules),
        )
        for term in portfolio.terms
    ]


def outcome_rows(portfolio: Portfolio) -> list[ClientOutcome]:
    """Return how terms ended."""
    companies = portfolio.world.companies
    return [
        ClientOutcome(
            id=outcome.id,
            client_id=companies[outcome.client].id,
            external_id=f"{outcome.date}-{outcome.outcome.lower()}",
            outcome=outcome.outcome,
            date=outcome.date,
            reason=outcome.reason,
            reason_code=outcome.reason_code,
            arr_before=outcome.arr_before,
            arr_after=outcome.arr_after,
        )
        for outcome in portfolio.outcomes
    ]


def activity_rows(portfolio: Portfolio) -> list[Activity]:
    """Return the activities; planned ones are scheduled and not completed."""
    companies = portfolio.world.companies
    return [
        Activity(
            id=row.id,
            client_id=companies[row.client].id,
            external_id=str(row.id),
            activity_type=row.kind,
            subject=row.subject,
            performed_by_id=row.performed_by,
            occurred_at=row.at,
            scheduled_for=None if row.completed else row.at,
            completed_at=row.at + timedelta(minutes=row.minutes) if row.completed else None,
            duration_minutes=row.minutes,
            outcome=row.outcome,
            tags=list(row.tags),
            follow_up_required=row.outcome == "FOLLOW_UP_REQUIRED" or row.due is not None,
            follow_up_date=row.due
            or (row.at.date() + timedelta(days=10) if row.outcome == "FOLLOW_UP_REQUIRED" else None),
            follow_up_text=row.promise,
            follow_up_remind_on=row.due,
            follow_up_completed_at=row.followed_up_at,
        )
        for row in portfolio.activities
    ]


def note_rows(portfolio: Portfolio) -> list[Note]:
    """Return the notes."""
    return [
        Note(
            id=row.id,
            client_id=portfolio.world.companies[row.client].id,
            external_id=str(row.id),
            title=row.title,
            content=row.content,
            note_type=row.kind,
            is_pinned=row.title in PINNED,
            created_by_id=row.author,
        )
        for row in portfolio.notes
    ]


def ticket_rows(portfolio: Portfolio) -> list[SupportTicket]:
    """Return the support tickets."""
    return [
        SupportTicket(
            id=row.id,
            client_id=portfolio.world.companies[row.client].id,
            external_id=f"T-{row.client + 1:04d}-{row.number + 1:03d}",
            subject=row.subject,
            priority=row.priority,
            status=row.status,
            opened_at=row.opened_at,
            solved_at=row.solved_at,
            first_response_minutes=row.first_response_minutes,
            is_escalated=row.is_escalated,
        )
        for row in portfolio.tickets
    ]


def survey_rows(portfolio: Portfolio) -> list[SurveyResponse]:
    """Return the survey answers."""
    return [
        SurveyResponse(
            id=row.id,
            client_id=portfolio.world.companies[row.client].id,
            external_id=str(row.id),
            kind=row.kind,
            score=row.score,
            scale="1-5" if row.kind == "CSAT" else "",
            contact_id=row.contact,
            respondent=row.respondent,
            comment=row.comment,
            answered_at=row.at,
        )
        for row in portfolio.surveys
    ]


def feature_rows(portfolio: Portfolio) -> list[FeatureAdoption]:
    """Return what each client has licensed and set up; nothing is known of clients that are not live yet."""
    world = portfolio.world
    rows = []
    for company in world.companies:
        if company.story.kind == "newborn":
            continue
        for place, key in enumerate(world.catalogue.features):
            licensed = bool(world.features.licensed[company.number, place])
            configured = bool(world.features.configured[company.number, place])
            starts = int(world.features.start[company.number, place])
            set_up = world.plan.day(starts) if 0 < starts < NEVER else company.go_live
            rows.append(
                FeatureAdoption(
                    id=world.plan.uuid("feature", company.organization_id, key),
                    client_id=company.id,
                    feature_key=key,
                    is_licensed=licensed,
                    licensed_at=company.start if licensed else None,
                    is_configured=configured,
                    configured_at=set_up if configured else None,
                )
            )
    return rows


def platform_user_rows(portfolio: Portfolio, user_keys: list[str], seen: Seen) -> list[PlatformUser]:
    """Return the platform users that have been seen, by pseudonym."""
    world = portfolio.world
    return [
        PlatformUser(
            organization_id=world.companies[world.users.client[user]].organization_id,
            user_key=user_keys[user],
            role="" if world.users.role[user] == SERVICE_ROLE else world.users.role[user],
            is_service=bool(world.users.is_service[user]),
            first_seen_at=first,
            last_seen_at=last,
        )
        for user, (first, last) in sorted(seen.items())
    ]
