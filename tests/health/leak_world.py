"""A portfolio as of 10 May 2026, and everything that may come after its as-of days: events, late ones, records."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bellwether.common.jobs import run_job
from bellwether.common.progress import NoProgress
from bellwether.health.custom_changes import Draft, create_measure
from bellwether.health.models import HealthScore
from bellwether.health.services import score_dates
from bellwether.portfolio.choices import ContactRole
from bellwether.portfolio.models import (
    Activity,
    Client,
    ClientOutcome,
    Contact,
    ContractPeriod,
    SupportTicket,
    SurveyResponse,
)
from bellwether.usage import jobs as _declares_the_jobs  # noqa: F401
from bellwether.usage.dirty import mark_facts
from bellwether.usage.lake import Lake
from bellwether.usage.models import FeatureAdoption
from bellwether.usage.services import roll_up_dirty
from tests.conftest import NOW, Clients
from tests.usage.rollup_twin import Event, event, place

AS_OF = [date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 10)]
BEFORE, AFTER = datetime(2026, 4, 20, 9, tzinfo=UTC), datetime(2026, 5, 20, 9, tzinfo=UTC)
OUR_OWN = {
    "our_people": {"kind": "users", "event": "Case Created"},
    "our_amount": {"kind": "sum", "event": "Case Created", "property": "amount", "window_days": "all"},
    "our_newest": {"kind": "last", "event": "Case Created", "property": "amount"},
    "our_quiet": {"kind": "days_since", "event": "Case Closed"},
}


def base_events() -> list[Event]:
    """Return use of Sturdy and Fading from January to 10 May, two hours late at most and some of it over midnight."""
    made = []
    for n in range(0, 130, 2):
        start = datetime(2026, 1, 1, 21, 30, tzinfo=UTC) + timedelta(days=n)
        for minutes in range(0, 170, 24):
            ts = start + timedelta(minutes=minutes)
            user, organization = ("ann", "sturdy") if n % 4 else ("fay", "fading")
            made.append(event(ts, user, organization, properties=f'{{"amount": {n}}}'))
        made.append(event(start, "bob", "sturdy", event="Case Closed", role="customer", properties="{}"))
    return [one for one in made if one["ts"] < datetime(2026, 5, 10, 23, 59, tzinfo=UTC)]


def deliver(lake: Lake, events: list[Event], part: str) -> None:
    mark_facts(place(lake, events, part=part), now=NOW)
    roll_up_dirty(now=NOW, progress=NoProgress())


def later_events() -> list[Event]:
    """Return events after the as-of days, and some of the days before that arrive after them."""
    ends = AFTER.replace(day=11, hour=0)
    return [
        event(AFTER, "ann", "sturdy", properties='{"amount": 1000}'),
        event("2026-05-11 00:10", "ann", "sturdy"),
        event("2026-05-11 00:05", "fay", "fading"),
        *(event(f"2026-05-{day:02d} 12:00", f"new{day}", "fading", received_at=AFTER) for day in (1, 9, 10)),
        event("2026-05-10 23:59", "ann", "sturdy", received_at=ends, properties='{"amount": 77}'),
        event("2026-01-02 12:00", "first", "newborn", received_at=ends),
        event("2025-02-02 12:00", "ann", "sturdy", received_at=AFTER, event="Case Closed"),
        event("2026-05-09 12:00", "bob", "elsewhere", received_at=AFTER, event="Case Closed"),
        event("2026-05-05 12:00", "cus", "sturdy", received_at=AFTER, role="customer"),
        event("2026-05-05 12:00", "bot", "sturdy", received_at=AFTER, is_service=True),
    ]


def typed(model: Any, at: datetime, **columns: Any) -> Any:
    """Return a record that somebody typed in `at` that time."""
    record = model.objects.create(**columns)
    model.objects.filter(pk=record.pk).update(created_at=at)
    return record


def make_world(clients: Clients, lake: Lake, *, customs: bool = True, scores: bool = True) -> Lake:
    """A portfolio as of 10 May 2026: use, tickets, activities, surveys, contacts, contracts, licences, readings."""
    sturdy, fading = clients.sturdy, clients.fading
    if customs:
        for name, definition in OUR_OWN.items():
            create_measure(Draft(name=name, definition=definition), actor=None, now=NOW)
        run_job("measure_backfill", now=NOW)
    deliver(lake, base_events(), "base")
    Client.objects.update(created_at=datetime(2025, 1, 1, tzinfo=UTC), licensed_modules=["Case Management"])
    for client in (sturdy, fading):
        ContractPeriod.objects.create(
            client=client, external_id="term-1", start_date=date(2025, 7, 1), licensed_user_count=20,
            contract_tier="ENTERPRISE", licensed_modules=["Case Management"], end_date=date(2026, 6, 30),
        )  # fmt: skip
    champion = Contact.objects.create(
        client=sturdy, external_id="k", name="Kim Example", role=ContactRole.CHAMPION, known_since=date(2025, 1, 1)
    )
    call = typed(Activity, BEFORE, client=sturdy, activity_type="CALL", occurred_at=BEFORE, completed_at=BEFORE)
    call.client_contacts.add(champion)
    for n, priority in enumerate(("low", "urgent", "high")):
        opened = BEFORE - timedelta(days=30 * n)
        SupportTicket.objects.create(client=fading, external_id=f"t{n}", priority=priority, opened_at=opened)
    SurveyResponse.objects.create(
        client=sturdy, external_id="n", kind="NPS", score=9, respondent="kim", answered_at=BEFORE
    )
    FeatureAdoption.objects.create(
        client=fading, feature_key="cases", is_licensed=True, licensed_at=date(2025, 7, 1), is_configured=True
    )
    for client, status in ((sturdy, "current"), (fading, "late")):
        Client.objects.filter(pk=client.pk).update(payment_status=status, renewal_probability=60)
    for day in AS_OF if scores else []:  # what the CRM said is kept with the scores of each day
        evening = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
        score_dates([day], now=evening, progress=NoProgress())
    if scores:
        assert HealthScore.objects.filter(inputs__payment_status="late").count() == 3
    return lake


def later_tickets(clients: Clients) -> None:
    for client in (clients.sturdy, clients.newborn):
        SupportTicket.objects.create(client=client, external_id="new", priority="urgent", opened_at=AFTER)
        SupportTicket.objects.create(client=client, priority="urgent", opened_at=BEFORE)
        for days in (60, 400):
            SupportTicket.objects.create(client=client, priority="low", opened_at=BEFORE - timedelta(days=days))


def later_activities(clients: Clients) -> None:
    for at, key in ((AFTER, "imported"), (BEFORE + timedelta(days=5), ""), (BEFORE - timedelta(days=700), "")):
        call = Activity.objects.create(
            client=clients.fading, external_id=key, activity_type="QBR", occurred_at=at, completed_at=at
        )
        call.client_contacts.add(*Contact.objects.all())
    planned = Activity.objects.create(
        client=clients.sturdy, external_id="p", activity_type="QBR", occurred_at=AFTER, scheduled_for=BEFORE
    )
    Activity.objects.filter(pk=planned.pk).update(completed_at=AFTER)
    Activity.objects.filter(client=clients.sturdy, activity_type="CALL").update(archived_at=AFTER)


def later_surveys(clients: Clients) -> None:
    for at, key in ((AFTER, "imported"), (BEFORE + timedelta(days=5), "")):
        for kind, score in (("NPS", 0), ("CSAT", 10)):
            SurveyResponse.objects.create(
                client=clients.sturdy, external_id=key and f"{key}-{kind}", kind=kind, score=score, respondent="kim",
                answered_at=at,
            )  # fmt: skip


def later_contracts(clients: Clients) -> None:
    term = {"licensed_user_count": 900, "contract_tier": "STARTER", "licensed_modules": ["Chatbot"]}
    for start, key in ((date(2026, 5, 11), "imported"), (date(2026, 2, 1), "")):
        ContractPeriod.objects.create(client=clients.sturdy, external_id=key, start_date=start, **term)


def later_outcomes(clients: Clients) -> None:
    ClientOutcome.objects.create(client=clients.sturdy, external_id="o", outcome="CHURNED", date=date(2026, 5, 11))
    ClientOutcome.objects.create(client=clients.fading, outcome="CHURNED", date=date(2026, 4, 1))
    ClientOutcome.objects.create(client=clients.gone, external_id="o", outcome="RENEWED", date=date(2026, 5, 12))


def later_readings(clients: Clients) -> None:
    Client.objects.update(payment_status="overdue", renewal_probability=1)
    HealthScore.objects.create(
        client=clients.sturdy, scorecard="prd-015", date=date(2026, 5, 11), coverage=1, created_at=NOW,
        inputs={"payment_status": "overdue", "renewal_signal": 0},
    )  # fmt: skip


def later_contacts(clients: Clients) -> None:
    Contact.objects.create(client=clients.sturdy, name="Max Example", role=ContactRole.ADMIN)
    Contact.objects.create(
        client=clients.sturdy, external_id="a", name="A", role=ContactRole.ADMIN, known_since=date(2026, 5, 11)
    )
    Contact.objects.filter(external_id="k").update(left_company_at=AFTER, is_active=False)


def later_licences(clients: Clients) -> None:
    for client in (clients.sturdy, clients.fading):
        FeatureAdoption.objects.create(
            client=client, feature_key="campaigns", is_licensed=True, licensed_at=date(2026, 5, 11)
        )


def archiving(clients: Clients) -> None:
    Client.objects.filter(pk=clients.fading.pk).update(archived_at=AFTER)


LATER: dict[str, Callable[[Clients], None]] = {
    "tickets": later_tickets,
    "activities": later_activities,
    "surveys": later_surveys,
    "contracts": later_contracts,
    "outcomes": later_outcomes,
    "readings": later_readings,
    "contacts": later_contacts,
    "licences": later_licences,
    "archiving": archiving,
}
