"""How alerts did against labels of months, such as "no event in the 90 days after": precision and what was warned of.
Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from bellwether.alerts.replaying import wilson

MONTH_DAYS = 31
WARNING_DAYS = 90
"""An alert so many days before the first labelled month of a loss warned of it."""
USAGE_RULE = "usage-drop rule"
"""The plain rule beside the alerts: dau_change under the threshold on the day before a month's start, no memory."""


@dataclass(frozen=True)
class Labelled:
    """What labels say of the alerts of a type ("" all types). Shares are 0-1, None where nothing is known.

    Of `alerts` that opened in the month before a labelled month start `decided` have a known label there, `followed` a
    positive one. `base` is the share of positive month starts. `months` are the known month starts on the day before
    which an alert was open, `positive_months` the positive ones among them. `losses` are runs of positive months,
    `warned` those with an alert in the WARNING_DAYS before the first of them, `lead_days` the median from the first.
    """

    alert_type: str
    alerts: int
    per_client_year: float
    decided: int
    followed: int
    share: float | None
    low: float | None
    high: float | None
    base: float | None
    months: int
    positive_months: int
    losses: int
    warned: int
    lead_days: float | None


def labelled(
    episodes: pl.DataFrame, labels: pl.DataFrame, *, types: Sequence[str], usage: pl.DataFrame, percent: float
) -> tuple[Labelled, ...]:
    """Return how all `types` together, each of them, and the plain usage-drop rule did.

    `labels` has client_id, as_of (first day of a month on which the client was at work) and label (1, 0, or another
    number where it is not known). Only alerts in the month before such a day count, so that nothing is said about
    clients that are gone, or whose observation is over. `usage` is USAGE; the plain rule flags from `percent` on.
    """
    rows = labels.select("client_id", "as_of", "label").sort("as_of", "client_id")
    found = [
        _of(name, episodes.filter(pl.col("alert_type") == name) if name else episodes, rows) for name in ["", *types]
    ]
    days = usage.filter((-100 * pl.col("change")).round() >= percent).select(
        "client_id", opened_on="date", cleared_on=pl.col("date") + pl.duration(days=1)
    )
    month_ends = rows.select("client_id", opened_on=pl.col("as_of") - pl.duration(days=1))
    return (*found, _of(USAGE_RULE, days.join(month_ends, on=["client_id", "opened_on"], how="semi"), rows))


def _of(alert_type: str, episodes: pl.DataFrame, rows: pl.DataFrame) -> Labelled:
    known = rows.filter(pl.col("label").is_in([0, 1]))
    years = rows.height / 12
    placed = (
        episodes.select("client_id", "opened_on", after=pl.col("opened_on") + pl.duration(days=1))
        .sort("after")
        .join_asof(
            rows, left_on="after", right_on="as_of", by="client_id", strategy="forward",
            tolerance=timedelta(days=MONTH_DAYS - 1), check_sortedness=False,
        )
        .filter(pl.col("as_of").is_not_null())
    )  # fmt: skip
    decided = placed.filter(pl.col("label").is_in([0, 1]))
    followed = int((decided["label"] == 1).sum())
    low, high = wilson(followed, decided.height) if decided.height else (None, None)
    open_then = known.join(episodes.select("client_id", "opened_on", "cleared_on"), on="client_id", how="inner").filter(
        (pl.col("opened_on") < pl.col("as_of"))
        & (pl.col("cleared_on").is_null() | (pl.col("cleared_on") >= pl.col("as_of")))
    )
    months = open_then.select("client_id", "as_of", "label").unique()
    losses = _losses(known)
    ahead = (
        losses.join(episodes.select("client_id", "opened_on"), on="client_id", how="inner")
        .with_columns(lead=(pl.col("begins") - pl.col("opened_on")).dt.total_days())
        .filter(pl.col("lead").is_between(1, WARNING_DAYS))
        .group_by("client_id", "begins")
        .agg(pl.col("lead").max())
    )
    lead = ahead["lead"].median()
    return Labelled(
        alert_type=alert_type,
        alerts=placed.height,
        per_client_year=placed.height / years if years else 0.0,
        decided=decided.height,
        followed=followed,
        share=followed / decided.height if decided.height else None,
        low=low,
        high=high,
        base=float((known["label"] == 1).sum()) / known.height if known.height else None,
        months=months.height,
        positive_months=int((months["label"] == 1).sum()),
        losses=losses.height,
        warned=ahead.height,
        lead_days=float(lead) if isinstance(lead, int | float) else None,
    )


def _losses(known: pl.DataFrame) -> pl.DataFrame:
    """Return client_id and begins, the first month of each run of positive ones."""
    ordered = known.sort("client_id", "as_of")
    before = pl.col("label").shift(1).over("client_id").fill_null(0)
    return ordered.filter((pl.col("label") == 1) & (before != 1)).select("client_id", begins="as_of")


def as_data(rows: Sequence[Labelled]) -> list[Mapping[str, object]]:
    """Return the rows as plain data."""
    return [dict(vars(row)) for row in rows]
