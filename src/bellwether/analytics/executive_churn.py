"""What the churn model foretells of the clients of an executive view."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import polars as pl

from bellwether.analytics.churn_forecast import Outlook, RenewalQuarter, outlook, parts_by, renewal_quarters
from bellwether.analytics.churn_reading import ChurnBook, ModelInUse, churn_book
from bellwether.analytics.reading import Scope
from bellwether.churn.choices import Precision
from bellwether.churn.expected import Expected


@dataclass(frozen=True)
class Foretold:
    """From today on, whatever the period of the view: what may be lost in 90 days, and what is due by quarter."""

    outlook: Outlook
    loss: Expected
    quarters: list[RenewalQuarter]
    predicted_on: date
    model: ModelInUse | None


def foretold(scope: Scope, csm: UUID | None, *, today: date, since: datetime | None) -> Foretold | None:
    """Return what is foretold of the clients of `scope`, of one CSM or of all; None before the first prediction."""
    book = churn_book(scope, today=today, since=since)
    rows = book.rows if csm is None else book.rows.filter(pl.col("csm") == csm.hex)
    on = book.predicted_on
    found = outlook(rows, today)
    if on is None or found.loss is None:
        return None
    return Foretold(found, found.loss, renewal_quarters(rows, today), on, book.model)


def at_stake_by_csm(book: ChurnBook) -> dict[str, float]:
    """Return ARR × 90-day probability summed by CSM (32 hex digits), without CSMs of whose sum more than half rests on
    clients that are known as a band alone."""
    sums = {key: part.expected for key, part in parts_by(book.rows, "csm").items()}
    thin = parts_by(book.rows.filter(pl.col("precision") == Precision.BAND.value), "csm")
    return {key: value for key, value in sums.items() if key not in thin or thin[key].expected <= value / 2}
