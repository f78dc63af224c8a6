"""What comes up for renewal month by month, and how much of it may be expected to renew. Pure.

Renewal rates are those of the past by the status that a client had LOOKED_BACK days before its term ended, with
Wilson's 95% interval. A rate of fewer than FEWEST outcomes is not used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

import polars as pl

from bellwether.analytics.book import BANDS
from bellwether.web.formatting import MONTHS

LOOKED_BACK = 90
FEWEST = 20
Z95 = 1.959963984540054
MONTHS_AHEAD = 12
BELOW_60 = "BELOW_60"
NOT_SCORED = "NA"
GROUPS = ("HEALTHY", "MONITOR", BELOW_60)
GROUP_OF: dict[str | None, str] = {
    "HEALTHY": "HEALTHY", "MONITOR": "MONITOR", "AT_RISK": BELOW_60, "CRITICAL": BELOW_60, None: NOT_SCORED
}  # fmt: skip


@dataclass(frozen=True)
class Rate:
    """A share of `of` cases with its 95% interval (all 0-1)."""

    kept: int
    of: int
    share: float
    low: float
    high: float


def wilson(kept: int, of: int, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's interval of the share kept / of (of > 0), both ends 0-1.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), without continuity correction.
    """
    share = kept / of
    middle = share + z * z / (2 * of)
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def renewal_rates(ended: Sequence[tuple[str | None, bool]]) -> dict[str, Rate]:
    """Return the rate of each group with FEWEST cases or more; `ended` are (status back then, whether it renewed).

    At risk and critical count together: each alone is too rare.
    """
    found = {}
    for group in GROUPS:
        cases = [renewed for status, renewed in ended if GROUP_OF[status] == group]
        if len(cases) >= FEWEST:
            kept = sum(cases)
            found[group] = Rate(kept, len(cases), kept / len(cases), *wilson(kept, len(cases)))
    return found


def case_counts(ended: Sequence[tuple[str | None, bool]]) -> dict[str, int]:
    """Return how many cases each group has, enough or not."""
    groups = [GROUP_OF[status] for status, _ in ended]
    return {group: groups.count(group) for group in GROUPS}


@dataclass(frozen=True)
class Month:
    """What is due between two days, in dollars. `by_status` maps status (None: not scored) to ARR.

    `expected` sums ARR x probability of those with one: `recorded` dollars by the client's own renewal probability,
    `by_rate` by the past rate of its status; `unknown` dollars have neither and are in none of the sums. `low` and
    `high`: the same with the rates at the ends of their intervals. None where nothing can be said.
    """

    first: date
    last: date
    clients: int
    arr: float
    arr_at_risk: float
    by_status: dict[str | None, float]
    expected: float | None
    low: float | None
    high: float | None
    recorded: float
    by_rate: float
    unknown: float

    @property
    def name(self) -> str:
        """The month as text: "Nov 2026"."""
        return f"{MONTHS[self.first.month - 1]} {self.first.year}"


def month_ends(today: date, months: int = MONTHS_AHEAD) -> list[tuple[date, date]]:
    """Return first and last day of each month from the one of `today`, which begins today."""
    spans, first = [], today
    for _ in range(months):
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        spans.append((first, following - timedelta(days=1)))
        first = following
    return spans


def forecast(book: pl.DataFrame, rates: Mapping[str, Rate], today: date) -> list[Month]:
    """Return the months from today on with what of `book` (today's clients) comes up for renewal in them."""
    spans = month_ends(today)
    due = book.filter(pl.col("renewal").is_between(spans[0][0], spans[-1][1]))
    return [_month(due.filter(pl.col("renewal").is_between(first, last)), rates, first, last) for first, last in spans]


def whole(book: pl.DataFrame, rates: Mapping[str, Rate], today: date) -> Month:
    """Return all twelve months as one."""
    spans = month_ends(today)
    first, last = spans[0][0], spans[-1][1]
    return _month(book.filter(pl.col("renewal").is_between(first, last)), rates, first, last)


def _month(due: pl.DataFrame, rates: Mapping[str, Rate], first: date, last: date) -> Month:
    expected = low = high = recorded = by_rate = unknown = 0.0
    for status, arr, probability in due.select("status", "arr", "probability").iter_rows():
        amount = arr or 0.0
        rate = rates.get(GROUP_OF[status])
        if probability is not None:
            share = probability / 100
            recorded += amount
            expected, low, high = expected + amount * share, low + amount * share, high + amount * share
        elif rate is not None:
            by_rate += amount
            expected, low, high = expected + amount * rate.share, low + amount * rate.low, high + amount * rate.high
        else:
            unknown += amount
    sums: dict[str | None, float] = dict(due.group_by("status").agg(pl.col("arr").sum()).iter_rows())
    known = recorded + by_rate > 0
    return Month(
        first=first,
        last=last,
        clients=due.height,
        arr=float(due["arr"].sum()),
        arr_at_risk=sums.get("AT_RISK", 0.0) + sums.get("CRITICAL", 0.0),
        by_status={status: sums.get(status, 0.0) for status in (*BANDS, None)},
        expected=expected if known else None,
        low=low if known else None,
        high=high if known else None,
        recorded=recorded,
        by_rate=by_rate,
        unknown=unknown,
    )


def missed(book: pl.DataFrame, today: date) -> Month:
    """Return what was due before today and has no later date yet."""
    return _month(book.filter(pl.col("renewal") < today), {}, date.min, today - timedelta(days=1))
