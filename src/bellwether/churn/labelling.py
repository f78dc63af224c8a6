"""What followed each row of features: left in an interval, stayed, or not known yet. Pure.

An as-of day sees what happened after it, never on it: a row on the very day of leaving is no observation, and neither
is one after the client's last day (health.backtest_outcomes keeps to the same). A client that came back is observed
again from then on.

Rows overlap: with an as-of day every week, one client that leaves shows in four to five rows of each interval. Each row
weighs step/30, so that a churn counts about once in each interval, whatever the step (docs/adr/0047).
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.churn.factors import INTERVAL_DAYS, INTERVALS

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

STEP_DAYS = 7
RENEWAL_WINDOW_DAYS = 180
"""A row looks at the renewal that comes within this many days."""
RENEWAL_GRACE_DAYS = 30
"""Who leaves up to this many days after the end of a term has not renewed it."""
CHURNED = "CHURNED"
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Labels:
    """What followed the rows, in their order.

    `at_risk` (rows × intervals): the client was there at the interval's start and what it did in it is known; `left`:
    it left in it. `decided` and `left_within` (rows × intervals): the same of all days from the as-of day to the
    interval's end, for measuring a horizon. `weights` (rows): see the module, above 0 up to 1.
    """

    at_risk: Bools
    left: Bools
    decided: Bools
    left_within: Bools
    weights: Floats

    def taken(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Labels":
        """Return the labels of some rows, by a mask or by their numbers."""
        return Labels(
            self.at_risk[rows], self.left[rows], self.decided[rows], self.left_within[rows], self.weights[rows]
        )

    @property
    def used(self) -> Bools:
        """Rows of which at least one interval is known."""
        return np.asarray(self.at_risk.any(axis=1))


def interval_labels(
    rows: pl.DataFrame, left: pl.DataFrame, last_days: pl.DataFrame, until: date, *, step_days: int = STEP_DAYS
) -> Labels:
    """Return what followed each row (client_id, as_of and others) in each 30-day interval.

    `left` has client_id and left_on; `last_days` client_id and last_day, the day of leaving or of archiving, null while
    a client; `until` is the last day of which leaving is known; `step_days` lie between the as-of days of a client.
    An interval that ends after `until` is not known, whatever happened so far: counting only the churns among them
    would make churn look frequent. Neither is one that ends after the archiving of a client that has not left.
    """
    after = _days_to_leaving(rows, left)
    observed = _observed(rows, left, last_days)
    ends = INTERVAL_DAYS * np.arange(1, INTERVALS + 1)
    as_of = _days(rows["as_of"])
    there = after[:, None] > ends - INTERVAL_DAYS
    left_within = after[:, None] <= ends
    last = _last_day(rows, last_days)
    followed = left_within | (as_of[:, None] + ends <= last[:, None])
    decided = observed[:, None] & followed & (as_of[:, None] + ends <= _day(until))
    return Labels(
        at_risk=decided & there,
        left=decided & there & left_within,
        decided=decided,
        left_within=decided & left_within,
        weights=np.full(rows.height, min(1.0, step_days / INTERVAL_DAYS)),
    )


def renewal_labels(
    rows: pl.DataFrame,
    terms: pl.DataFrame,
    left: pl.DataFrame,
    until: date,
    *,
    last_days: pl.DataFrame | None = None,
) -> Labels:
    """Return whether the term that ends next, within 180 days of each row, was not renewed; one "interval".

    `terms` has client_id, term_end and outcome. Not renewed: the outcome of that term is CHURNED, or the client left
    after the row and up to 30 days past the end of the term. Known once these 30 days lie before `until`, and only
    where the client was not archived before the end without having left. A row weighs 1 over the rows of its term.
    """
    ends = (
        terms.filter(pl.col("term_end").is_not_null())
        .group_by("client_id", "term_end")
        .agg((pl.col("outcome") == CHURNED).any().fill_null(False).alias("churned"))
        .sort("term_end", "client_id")
    )
    found = (
        rows.select("client_id", "as_of")
        .with_row_index("row")
        .sort("as_of", "client_id")
        .join_asof(
            ends, left_on="as_of", right_on="term_end", by="client_id", strategy="forward", allow_exact_matches=False,
            check_sortedness=False, coalesce=False,
        )
        .sort("row")
    )  # fmt: skip
    as_of = _days(found["as_of"])
    ahead = found["term_end"].is_not_null().to_numpy()
    end = np.where(ahead, _days(found["term_end"].fill_null(found["as_of"])), as_of)
    after = _days_to_leaving(rows, left)
    lost = after <= end - as_of + RENEWAL_GRACE_DAYS
    lost |= found["churned"].fill_null(False).to_numpy()
    nobody: pl.DataFrame = rows.select("client_id", pl.col("as_of").alias("last_day")).head(0)
    ended = nobody if last_days is None else last_days
    known = ahead & (end - as_of <= RENEWAL_WINDOW_DAYS) & (end + RENEWAL_GRACE_DAYS <= _day(until))
    known &= _observed(rows, left, ended) & (lost | (end <= _last_day(rows, ended)))
    counted = found.with_columns(pl.Series("known", known)).select(
        pl.col("known").sum().over("client_id", "term_end").alias("rows")
    )["rows"]
    column = known[:, None]
    return Labels(column, column & lost[:, None], column, column & lost[:, None], 1 / np.maximum(counted.to_numpy(), 1))


def _days_to_leaving(rows: pl.DataFrame, left: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Return the days from each row to the next leaving after it, a huge number where there is none."""
    next_left = (
        rows.select("client_id", "as_of")
        .with_row_index("row")
        .sort("as_of", "client_id")
        .join_asof(
            left.select("client_id", "left_on").sort("left_on", "client_id"),
            left_on="as_of", right_on="left_on", by="client_id", strategy="forward", allow_exact_matches=False,
            check_sortedness=False, coalesce=False,
        )
        .sort("row")
    )  # fmt: skip
    days = (next_left["left_on"] - next_left["as_of"]).dt.total_days()
    return days.fill_null(_NEVER).to_numpy()


def _observed(rows: pl.DataFrame, left: pl.DataFrame, last_days: pl.DataFrame) -> Bools:
    """Return which rows are observations: not on the day of leaving, not after the client's last day."""
    leaving = left.select("client_id", pl.col("left_on").alias("as_of")).unique().with_columns(pl.lit(True).alias("on"))
    on_the_day = rows.select("client_id", "as_of").join(
        leaving, on=["client_id", "as_of"], how="left", maintain_order="left"
    )["on"]
    return on_the_day.is_null().to_numpy() & (_days(rows["as_of"]) <= _last_day(rows, last_days))


def _last_day(rows: pl.DataFrame, last_days: pl.DataFrame) -> npt.NDArray[np.int64]:
    last = rows.select("client_id").join(
        last_days.select("client_id", "last_day").unique("client_id"),
        on="client_id", how="left", maintain_order="left",
    )["last_day"]  # fmt: skip
    return last.cast(pl.Date).to_physical().cast(pl.Int64).fill_null(_NEVER).to_numpy()


def _days(days: pl.Series) -> npt.NDArray[np.int64]:
    return days.cast(pl.Date).to_physical().cast(pl.Int64).to_numpy()


def _day(day: date) -> int:
    return day.toordinal() - date(1970, 1, 1).toordinal()
