"""The churn list and the expansion list as tables of a file."""

from typing import Any

import polars as pl

from bellwether.analytics.churn_reading import ChurnBook
from bellwether.churn.choices import Precision
from bellwether.dashboard.churn_view import is_renewal
from bellwether.dashboard.records_export import Sheet

COLUMNS = (
    "organization_id", "client", "contract_tier", "industry", "csm", "annual_recurring_revenue", "category",
    "precision", "precision_reason", "p30", "p60", "p90", "p90_low", "p90_high", "change_points", "largest_factor",
    "next_renewal_date", "renewal_risk", "renewal_risk_low", "renewal_risk_high", "predicted_on", "model_version",
)  # fmt: skip
"""Probabilities are 0-1 with their 80 % intervals, empty where the sample is too thin for a figure."""


def churn_sheet(rows: pl.DataFrame, book: ChurnBook) -> Sheet:
    """Return ROWS (analytics.churn_reading) as a table."""
    version = book.model.version if book.model else None
    return Sheet("churn", COLUMNS, [_cells(row, version) for row in rows.iter_rows(named=True)])


def _cells(row: dict[str, Any], version: int | None) -> list[Any]:
    banded = row["precision"] == Precision.BAND

    def chance(name: str) -> float | None:
        return None if banded or row[name] is None else round(row[name], 4)

    renewing = is_renewal(row)
    return [
        row["organization_id"],
        row["name"],
        row["tier"],
        row["industry"],
        f"{row['csm_first'] or ''} {row['csm_last'] or ''}".strip(),
        row["arr"],
        row["category"],
        row["precision"],
        row["precision_reason"],
        *(chance(name) for name in ("p30", "p60", "p90", "p90_low", "p90_high")),
        None if banded else row["change"],
        row["reason"],
        row["renewal"],
        *(chance(name) if renewing else None for name in ("renewal_risk", "renewal_low", "renewal_high")),
        row["as_of"],
        version,
    ]
