"""Forty clients with 300 days of use, of which twelve go silent for 25 days and then leave."""

from datetime import date, timedelta
from typing import Any

from bellwether.portfolio.choices import ContractTier, OutcomeKind
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.usage.lake import Lake
from tests.conftest import TODAY, Staff
from tests.health.test_services import client_day, fill_lake

CLIENTS, CHURNED, DAYS, SILENT = 40, 12, 300, 25


def left_on(number: int) -> date | None:
    """Return the day on which a client leaves: every eight days from 100 days ago on, for the first twelve."""
    return TODAY - timedelta(days=100 - 8 * number) if number < CHURNED else None


def make_world(lake: Lake, staff: Staff) -> list[Client]:
    """Make the forty clients, all Ada's, their outcomes and their use; return the clients."""
    values: dict[str, Any] = {
        "industry": "Manufacturing", "contract_tier": ContractTier.ENTERPRISE, "annual_recurring_revenue": 1000,
        "contract_start_date": TODAY - timedelta(days=DAYS), "licensed_user_count": 50, "csm_user": staff.ada,
    }  # fmt: skip
    clients = Client.objects.bulk_create(
        Client(organization_id=f"org-{n:02}", name=f"Quarry {n:02}", **values) for n in range(CLIENTS)
    )
    ClientOutcome.objects.bulk_create(
        ClientOutcome(client=client, outcome=OutcomeKind.CHURNED, date=left, arr_before=None if n else 5000)
        for n, client in enumerate(clients)
        if (left := left_on(n)) is not None
    )
    rows = []
    for n, client in enumerate(clients):
        last = (left_on(n) or TODAY + timedelta(days=SILENT + 1)) - timedelta(days=SILENT + 1)
        for back in range(DAYS):
            day = TODAY - timedelta(days=back)
            if day <= last:
                rows.append(client_day(client.organization_id, day, 10))
    fill_lake(lake, rows, [])
    return clients
