"""The list as CSV. Text that a spreadsheet would run as a formula is quoted with an apostrophe in front."""

import csv
import io
from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from bellwether.common.spreadsheets import safe
from bellwether.common.time import day_of
from bellwether.dashboard.attention import summary
from bellwether.health.gathering import row_facts
from bellwether.health.risk_factors import findings
from bellwether.health.score_changes import component_labels
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.models import Client

COLUMNS = (
    "organization_id",
    "name",
    "contract_tier",
    "industry",
    "segment",
    "region",
    "health_score",
    "health_status",
    "interval_low",
    "interval_high",
    "trend_change",
    "coverage",
    "missing_data",
    "no_score_reason",
    "scored_on",
    "churn_risk_score",
    "churn_category",
    "annual_recurring_revenue",
    "next_renewal_date",
    "csm",
    "account_executive",
    "last_contact_on",
    "reasons",
)


def csv_text(clients: Iterable[Client], scorecard: Scorecard, today: date, zone: ZoneInfo) -> tuple[str, int]:
    """Return the clients as CSV with a header line, and how many there are. Dates are ISO, days the workspace's."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    count = 0
    for client in clients:
        writer.writerow(_cells(client, scorecard, today, zone))
        count += 1
    return buffer.getvalue(), count


def _cells(client: Client, scorecard: Scorecard, today: date, zone: ZoneInfo) -> list[object]:
    contact = client.last_csm_contact_at
    labels = component_labels(scorecard, tuple(client.health_missing))
    found = findings(row_facts(client, scorecard, today=today, zone=zone))
    return [
        safe(client.organization_id),
        safe(client.name),
        client.contract_tier,
        safe(client.industry),
        safe(client.segment),
        safe(client.region),
        client.current_health_score,
        client.health_status or "NA",
        client.health_interval_low,
        client.health_interval_high,
        client.health_trend_change,
        None if client.health_coverage is None else round(client.health_coverage, 4),
        safe(", ".join(labels[key] for key in client.health_missing)),
        safe(client.health_reason),
        client.scored_on,
        None if client.churn_is_band else client.churn_risk_score,
        client.churn_category,
        client.annual_recurring_revenue,
        client.next_renewal_date,
        safe(client.csm_user.name if client.csm_user else ""),
        safe(client.ae_user.name if client.ae_user else ""),
        day_of(contact, zone) if contact else None,
        safe(summary(found, at_most=9)),
    ]
