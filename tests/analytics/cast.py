"""More CSMs with clients for the cast, and what tells who stayed."""

from datetime import date, datetime, timedelta
from typing import Any

from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Activity, Client, ClientOutcome, ContractPeriod, SurveyResponse
from bellwether.staff.models import Role, StaffUser, Team
from tests.conftest import PASSWORD


def add_csms(count: int, today: date, now: datetime) -> list[StaffUser]:
    """Make `count` CSMs of a third team, "Zed0 Hidden" and so on, each with three scored clients."""
    team = Team.objects.create(name="North")
    people = []
    for place in range(count):
        name = f"Zed{place}"
        user = StaffUser.objects.create_user(
            f"{name.lower()}@bellwether.example",
            PASSWORD,
            first_name=name,
            last_name="Hidden",
            role=Role.CSM,
            team=team,
        )
        people.append(user)
        for number in range(3):
            add_client(f"{name} client {number}", user, 60 + place * 3 + number, today, now)
    return people


def add_client(name: str, csm: StaffUser, score: int, today: date, now: datetime, **fields: Any) -> Client:
    """Make a client with a score of today and one of 100 days ago, ten points lower."""
    values: dict[str, Any] = {
        "organization_id": name.lower().replace(" ", "-"), "name": name, "industry": "Retail", "region": "EMEA",
        "contract_tier": "STARTER", "contract_start_date": today - timedelta(days=800),
        "annual_recurring_revenue": 10_000, "csm_user": csm, "current_health_score": score,
        "health_status": "HEALTHY" if score >= 80 else "MONITOR" if score >= 60 else "AT_RISK", "scored_on": today,
        "next_renewal_date": today + timedelta(days=40),
    }  # fmt: skip
    client: Client = Client.objects.create(**(values | fields))
    HealthScore.objects.create(
        client=client, scorecard="prd-015", date=today - timedelta(days=100), overall_score=max(0, score - 10),
        status="", coverage=1.0, weights_version="prd-015 v1", created_at=now,
    )  # fmt: skip
    return client


def add_term(client: Client, start: date, arr: int) -> None:
    """Make a term that began on `start`."""
    ContractPeriod.objects.create(client=client, start_date=start, annual_recurring_revenue=arr)


def add_end(client: Client, outcome: str, on: date, before: int, after: int) -> None:
    """Make an outcome."""
    ClientOutcome.objects.create(client=client, outcome=outcome, date=on, arr_before=before, arr_after=after)


def add_call(client: Client, by: StaffUser, at: datetime, **fields: Any) -> Activity:
    """Make a completed call."""
    values: dict[str, Any] = {
        "activity_type": "CALL", "subject": "Call", "performed_by": by, "occurred_at": at, "completed_at": at
    }  # fmt: skip
    call: Activity = Activity.objects.create(client=client, **(values | fields))
    return call


def add_nps(client: Client, score: int, at: datetime, respondent: str) -> None:
    """Make an NPS answer."""
    SurveyResponse.objects.create(client=client, kind="NPS", score=score, answered_at=at, respondent=respondent)
