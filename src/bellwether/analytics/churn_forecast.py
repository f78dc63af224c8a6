"""What the predictions of a set of clients add up to: by category, expected loss with its range, renewals by quarter.

Pure. "The next quarter" is the 90 days after the prediction: what the model foretells and is scored on. The coming
calendar quarter stands beside it; its days after the 90th take the hazard of the third month (docs/adr/0051).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from bellwether.churn.additive import Floats
from bellwether.churn.expected import Expected, expected_loss, within

SEED = 20_260_101
"""The same rows give the same range, on the page as in the API."""
RENEWAL_DAYS = 180
"""The renewal model has learned from the last 180 days of terms; what lies further off is taken on."""
QUARTERS_AHEAD = 4
SAME_RENEWAL_DAYS = 7
"""A renewal date that was put off by more since the prediction is another renewal, of which nothing is foretold."""
CATEGORIES = ("HIGH", "MEDIUM", "LOW")
BAND = "BAND"


@dataclass(frozen=True)
class Part:
    """Clients of one category, tier, or CSM: how many, their ARR, and the sum of ARR x 90-day probability."""

    clients: int
    arr: float
    expected: float


@dataclass(frozen=True)
class Outlook:
    """`clients` there are, `predicted` of them. `loss`: of 90 days; `quarter`: of the calendar quarter that begins on
    `quarter_first`; both None without predictions. `is_band`: more than half of the expected loss comes from clients
    of which too little is known for a figure: show the range alone."""

    clients: int
    predicted: int
    by_category: Mapping[str, Part]
    loss: Expected | None
    quarter: Expected | None
    quarter_first: date
    quarter_last: date
    is_band: bool


def outlook(rows: pl.DataFrame, today: date) -> Outlook:
    """Return what ROWS (analytics.churn_reading) add up to."""
    known = rows.filter(pl.col("as_of").is_not_null())
    first, last = coming_quarter(today)
    parts = parts_by(known, "category")
    nobody = Part(0, 0.0, 0.0)
    return Outlook(
        clients=rows.height,
        predicted=known.height,
        by_category={category: parts.get(category, nobody) for category in CATEGORIES},
        loss=loss_of(known) if known.height else None,
        quarter=_quarter_loss(known, first, last) if known.height else None,
        quarter_first=first,
        quarter_last=last,
        is_band=_is_band(known),
    )


def parts_by(rows: pl.DataFrame, column: str) -> dict[str, Part]:
    """Return the predicted clients by a column's values, "" for none."""
    grouped = (
        rows.filter(pl.col("as_of").is_not_null())
        .group_by(pl.col(column).fill_null(""))
        .agg(pl.len(), pl.col("arr").sum().alias("sum"), (pl.col("arr") * pl.col("p90")).sum().alias("expected"))
        .sort(column)
    )
    return {str(value): Part(*rest) for value, *rest in grouped.iter_rows()}


def loss_of(known: pl.DataFrame) -> Expected:
    """Return the expected loss of 90 days of predicted ROWS."""
    arr, p, low, high = _of(known, "arr", "p90", "p90_low", "p90_high")
    return expected_loss(arr, p, low, high, np.random.default_rng(SEED))


def _quarter_loss(known: pl.DataFrame, first: date, last: date) -> Expected:
    on: date = known["as_of"].max()  # type: ignore[assignment]
    chances = []
    for end in ("", "_low", "_high"):
        p30, p60, p90 = _of(known, f"p30{end}", f"p60{end}", f"p90{end}")
        chances.append(within(p30, p60, p90, (first - on).days, (last - on).days))
    # A client that may well leave before the quarter leaves less often in it: the bounds can change places.
    low, high = np.minimum.reduce(chances), np.maximum.reduce(chances)
    return expected_loss(_of(known, "arr")[0], chances[0], low, high, np.random.default_rng(SEED))


def _of(rows: pl.DataFrame, *columns: str) -> list[Floats]:
    return [rows[column].cast(pl.Float64).fill_null(float("nan")).to_numpy() for column in columns]


def _is_band(known: pl.DataFrame) -> bool:
    weight = known["p90"] * known["arr"].fill_null(0)
    weight = weight if weight.sum() else known["p90"]
    banded = weight.filter(known["precision"] == BAND).sum()
    return bool(known.height) and banded > weight.sum() / 2


def coming_quarter(today: date) -> tuple[date, date]:
    """Return first and last day of the calendar quarter after the one of `today`."""
    first = _quarter_after(today)
    return first, _quarter_after(first) - timedelta(days=1)


def _quarter_after(on: date) -> date:
    month = 3 * ((on.month - 1) // 3) + 4
    return date(on.year + month // 13, month if month < 13 else 1, 1)


def quarter_name(first: date) -> str:
    """Return "Q1 2027"."""
    return f"Q{(first.month + 2) // 3} {first.year}"


@dataclass(frozen=True)
class RenewalQuarter:
    """What is due between two days: `clients` and `arr`. `loss` of those with a renewal risk (None without any, of
    `known` dollars); `far` of these dollars renew later than the renewal model has learned from. `is_band` as in
    Outlook."""

    first: date
    last: date
    clients: int
    arr: float
    known: float
    far: float
    loss: Expected | None
    is_band: bool

    @property
    def name(self) -> str:
        """The quarter as text: "Q1 2027"."""
        return quarter_name(self.first)


def renewal_quarters(rows: pl.DataFrame, today: date) -> list[RenewalQuarter]:
    """Return this calendar quarter from today on and the three after it, with what is due of ROWS in each."""
    found, first = [], today
    for _ in range(QUARTERS_AHEAD):
        after = _quarter_after(first)
        found.append(_renewals(rows, today, first, after - timedelta(days=1)))
        first = after
    return found


def _renewals(rows: pl.DataFrame, today: date, first: date, last: date) -> RenewalQuarter:
    due = rows.filter(pl.col("renewal").is_between(first, last))
    put_off = (pl.col("renewal_on") - pl.col("renewal")).dt.total_days().abs()
    known = due.filter(pl.col("renewal_risk").is_not_null() & (put_off <= SAME_RENEWAL_DAYS))
    banded = known.filter(pl.col("precision") == BAND)
    risk = (known["renewal_risk"] * known["arr"].fill_null(0)).sum()
    thin = (banded["renewal_risk"] * banded["arr"].fill_null(0)).sum()
    amount, p, low, high = _of(known, "arr", "renewal_risk", "renewal_low", "renewal_high")
    far = known.filter(pl.col("renewal") > today + timedelta(days=RENEWAL_DAYS))
    return RenewalQuarter(
        first=first,
        last=last,
        clients=due.height,
        arr=float(due["arr"].sum()),
        known=float(known["arr"].sum()),
        far=float(far["arr"].sum()),
        loss=expected_loss(amount, p, low, high, np.random.default_rng(SEED)) if known.height else None,
        is_band=thin > risk / 2,
    )
