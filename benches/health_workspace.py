"""A throwaway workspace for the health benches: 1,000 clients with records in the database and facts in the lake.

Set up before Django's settings are read: `make_home()` first, then `fill(...)`. Everything is deterministic.
"""

import atexit
import os
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 6, 0, tzinfo=UTC)
KINDS = (
    ("Case Created", "Case Management", None),
    ("Case Closed", "Case Management", "on_track"),
    ("Case Closed", "Case Management", "breached"),
    ("Investigation Started", "Case Management", None),
    ("Disclosure Reviewed", "Disclosures", "on_track"),
    ("Policy Published", "Policy Management", None),
    ("Dashboard Viewed", "Analytics", None),
    ("Report Exported", "Analytics", None),
    ("Chatbot Conversation", "Chatbot", None),
    ("API Called", "API", None),
    ("Page Viewed", "Analytics", None),
    ("Page Viewed", "Case Management", None),
)
MODULES = ["Case Management", "Disclosures", "Policy Management", "Analytics", "Chatbot", "API"]


def make_home() -> str:
    """Make a folder that goes away at the end, point the settings at it, start Django and migrate."""
    home = tempfile.mkdtemp(prefix="bellwether-bench-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ |= {"BELLWETHER_HOME": home, "DJANGO_SETTINGS_MODULE": "bellwether.config.settings"}
    import django

    django.setup()
    from bellwether.config.commands import migrate_databases

    migrate_databases()
    return home


def fill(clients: int, days: int) -> None:
    """Fill database and lake: per client and month 2 activities, 0.7 tickets, per quarter an answer; 6 of 10 kinds of
    event on each day."""
    from django.conf import settings

    from bellwether.usage.facts import store_month
    from bellwether.usage.lake import Lake

    rng = np.random.default_rng(7)
    organizations = [f"org-{n:05d}" for n in range(clients)]
    fill_database(organizations, days, rng)
    lake = Lake(Path(settings.BELLWETHER_LAKE))
    every = [TODAY - timedelta(days=n) for n in range(days - 1, -1, -1)]
    months = sorted({day.strftime("%Y-%m") for day in every})
    for month in months:
        of_month = [day for day in every if day.strftime("%Y-%m") == month]
        store_month(lake, "client_days", month, client_days(organizations, of_month, rng))
        store_month(lake, "event_days", month, event_days(organizations, of_month, rng))


def client_days(organizations: list[str], days: list[date], rng: np.random.Generator) -> pl.DataFrame:
    from bellwether.usage.facts import CLIENT_DAYS

    rows = len(organizations) * len(days)
    dau = rng.integers(0, 30, rows)
    values = {
        "organization_id": np.repeat(organizations, len(days)), "date": days * len(organizations), "dau": dau,
        "wau": dau + 8, "mau": dau + 20, "total_users": np.full(rows, 60), "new_users": np.zeros(rows),
        "sessions": dau * 2, "session_seconds": dau * 900, "actions": dau * 12, "service_actions": np.zeros(rows),
    }  # fmt: skip
    return (
        pl.DataFrame(values).with_columns(actions_by_hour=pl.lit([0] * 24)).cast(CLIENT_DAYS).select(CLIENT_DAYS.keys())
    )


def event_days(organizations: list[str], days: list[date], rng: np.random.Generator) -> pl.DataFrame:
    from bellwether.usage.facts import EVENT_DAYS

    keys = pl.DataFrame({"organization_id": organizations}).join(pl.DataFrame({"date": days}), how="cross")
    parts = []
    for event, module, label in KINDS:
        kept = keys.filter(pl.Series(rng.random(keys.height) < 0.6))
        parts.append(
            kept.with_columns(
                pl.lit(event).alias("event"),
                pl.lit(module).alias("module"),
                pl.lit(None, pl.String).alias("feature"),
                pl.lit(label, pl.String).alias("label"),
                pl.lit(False).alias("is_service"),
                pl.Series("events", rng.integers(1, 5, kept.height)),
                pl.lit(1).alias("users"),
                pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("first_ts"),
                pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("last_ts"),
            ).cast(EVENT_DAYS)
        )
    return pl.concat(parts)


def fill_database(organizations: list[str], days: int, rng: np.random.Generator) -> None:
    from bellwether.portfolio.models import Activity, Client, Contact, ContractPeriod, SupportTicket, SurveyResponse

    start = TODAY - timedelta(days=days)
    clients = Client.objects.bulk_create(
        [
            Client(
                organization_id=name, name=name, contract_tier=("STARTER", "PROFESSIONAL", "ENTERPRISE")[n % 3],
                contract_start_date=start, licensed_user_count=50, licensed_modules=MODULES, payment_status="current",
                next_renewal_date=TODAY + timedelta(days=n % 365),
            )
            for n, name in enumerate(organizations)
        ]
    )  # fmt: skip

    def instant() -> datetime:
        return NOW - timedelta(days=float(rng.random()) * days)

    def every(per_day: float) -> range:
        return range(max(1, int(days * per_day)))

    ContractPeriod.objects.bulk_create(
        ContractPeriod(client=c, start_date=start + timedelta(days=365 * n), licensed_user_count=40 + 5 * n,
                       licensed_modules=MODULES, contract_tier=c.contract_tier)
        for c in clients for n in range(max(1, days // 365))
    )  # fmt: skip
    Contact.objects.bulk_create(
        Contact(client=c, name=f"Contact {n}", role=("CHAMPION", "ADMIN", "USER")[n % 3])
        for c in clients
        for n in range(3)
    )
    activities = Activity.objects.bulk_create(
        [
            Activity(client=c, activity_type="CALL", subject="Call", occurred_at=(at := instant()), completed_at=at)
            for c in clients
            for _ in every(2 / 30)
        ],
        batch_size=2000,
    )
    people: dict[object, list] = {}
    for contact in Contact.objects.all():
        people.setdefault(contact.client_id, []).append(contact.pk)
    through = Activity.client_contacts.through
    through.objects.bulk_create(
        [through(activity_id=a.pk, contact_id=people[a.client_id][n % 3]) for n, a in enumerate(activities)],
        batch_size=5000,
    )
    SupportTicket.objects.bulk_create(
        [
            SupportTicket(
                client=c, priority=("low", "normal", "high", "urgent")[n % 4], opened_at=instant(), external_id=f"{n}"
            )
            for c in clients
            for n in every(0.7 / 30)
        ],
        batch_size=5000,
    )
    SurveyResponse.objects.bulk_create(
        [
            SurveyResponse(
                client=c,
                kind=("NPS", "CSAT")[n % 2],
                score=n % 11,
                respondent=f"r{n % 4}",
                answered_at=instant(),
                external_id=f"{n}",
            )
            for c in clients
            for n in every(1 / 90)
        ],
        batch_size=5000,
    )  # fmt: skip
