"""The suppliers as CSV."""

import csv
import io
from collections.abc import Iterable

from bellwether.common.spreadsheets import safe
from bellwether.health.suppliers_reading import Supplier

COLUMNS = (
    "id",
    "name",
    "health_score",
    "risk_level",
    "trend_change",
    "last_login",
    "days_active",
    "tier",
    "coverage",
    "scored_on",
    "no_score_reason",
    "recommendations",
)


def suppliers_csv(suppliers: Iterable[Supplier]) -> str:
    """Return a line for each supplier under a header. Text that a spreadsheet would run as a formula is quoted."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for one in suppliers:
        client, row = one.scored.client, one.scored.row
        writer.writerow(
            [
                safe(client.organization_id),
                safe(client.name),
                one.scored.score,
                one.risk,
                row.trend_change if row else None,
                one.last_login,
                one.days_active,
                client.contract_tier,
                round(row.coverage, 4) if row else None,
                row.date if row else None,
                safe(one.scored.reason),
                safe(" ".join(one.recommendations)),
            ]
        )
    return buffer.getvalue()
