"""The daily facts of clients as arrays, and the usage figures that follow from them. Pure, for many clients at once.

The definitions are those of docs/reference/measures.md; over 30 days the figures equal the measures of the last day.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.usage.anomalies import Floats

Ints = npt.NDArray[np.int64]
COLUMNS = ("dau", "wau", "mau", "sessions", "session_seconds", "actions")
FIGURES = ("dau", "wau", "mau", "stickiness", "session_minutes", "session_depth", "power_users")
MONTH_DAYS = 30
LEAST_BASELINE_DAYS = 14
MOST_POWER = 5  # the top fifth


@dataclass(frozen=True)
class Daily:
    """Facts of `organization_ids` (rows) on consecutive days from `first` (columns); 0 where there is no fact.

    `started` is the column of each client's first event ever, negative if it lies before `first`, and `days` or more
    for a client without any.
    """

    organization_ids: Sequence[str]
    first: date
    values: dict[str, Ints]
    started: Ints

    @property
    def days(self) -> int:
        """How many days there are."""
        return int(self.values["dau"].shape[1])

    def column(self, day: date) -> int:
        """Return the column of `day`, which may lie outside."""
        return (day - self.first).days

    def since_start(self, name: str) -> Floats:
        """Return the values `name` as floats, NaN before the first event of each client."""
        before = np.arange(self.days)[None, :] < self.started[:, None]
        return np.where(before, np.nan, self.values[name])


def daily(
    rows: pl.DataFrame, first: date, last: date, *, first_days: dict[str, date], clients: Sequence[str] | None = None
) -> Daily:
    """Return CLIENT_DAYS from `first` to `last` as arrays; `first_days` gives the day of each client's first event.

    Clients are those given, else those of `rows`, in order of their ids.
    """
    names = sorted(rows["organization_id"].unique()) if clients is None else list(clients)
    days = (last - first).days + 1
    place = pl.DataFrame({"organization_id": names, "_row": np.arange(len(names))}, schema_overrides={"_row": pl.Int64})
    place = place.with_columns(pl.col("organization_id").cast(pl.String))
    inside = rows.filter(pl.col("date").is_between(first, last)).join(place, on="organization_id")
    row = inside["_row"].to_numpy()
    column = (inside["date"] - first).dt.total_days().to_numpy()
    values = {name: np.zeros((len(names), days), np.int64) for name in COLUMNS}
    for name, table in values.items():
        table[row, column] = inside[name].to_numpy()
    started = [(first_days[name] - first).days if name in first_days else days for name in names]
    return Daily(names, first, values, np.array(started, np.int64))


def figures(facts: Daily, first: date, last: date, *, working_days: Collection[int]) -> dict[str, Floats]:
    """Return FIGURES of each client for the days `first` to `last`, NaN where there is nothing to say.

    `dau` is the mean over the range's working days since the first event, `wau` and `mau` are those of `last`;
    `stickiness` is the mean over the working days of the last 30 days divided by mau, and `power_users` the top 20 %
    of mau, rounded up; session length (minutes) and depth (actions per session) are means over the range.
    """
    begin, end = facts.column(first), facts.column(last)
    working = working_columns(facts, working_days)
    started = facts.started <= end
    mau = facts.values["mau"][:, end].astype(float)
    month = mean_dau(facts, max(0, end - MONTH_DAYS + 1), end, working)
    return {
        "dau": mean_dau(facts, begin, end, working),
        "wau": np.where(started, facts.values["wau"][:, end], np.nan),
        "mau": np.where(started, mau, np.nan),
        "stickiness": _ratio(month, mau),
        "power_users": np.where(started, np.ceil(mau / MOST_POWER), np.nan),
    } | _sessions(facts, begin, end)


def baselines(facts: Daily, first: date, last: date, *, working_days: Collection[int]) -> dict[str, Floats]:
    """Return FIGURES as means over the days `first` to `last` since each client's first event.

    NaN under LEAST_BASELINE_DAYS such days. `facts` must reach 30 days further back, for stickiness.
    """
    begin, end = facts.column(first), facts.column(last)
    working = working_columns(facts, working_days)
    enough = np.minimum(end + 1 - facts.started, end + 1 - begin) >= LEAST_BASELINE_DAYS
    inside = slice(begin, end + 1)
    mau = facts.since_start("mau")[:, inside]
    sticky = _stickiness(facts, working)[:, inside]
    found = {
        "dau": mean_dau(facts, begin, end, working),
        "wau": _mean(facts.since_start("wau")[:, inside]),
        "mau": _mean(mau),
        "stickiness": _mean(sticky),
        "power_users": _mean(np.ceil(mau / MOST_POWER)),
    } | _sessions(facts, begin, end)
    return {name: np.where(enough, values, np.nan) for name, values in found.items()}


def working_columns(facts: Daily, working_days: Collection[int]) -> npt.NDArray[np.bool_]:
    """Return which days are working days (ISO weekdays, Monday 1)."""
    weekdays = (np.arange(facts.days) + facts.first.isoweekday() - 1) % 7 + 1
    return np.isin(weekdays, list(working_days))


def mean_dau(facts: Daily, begin: int, end: int, working: npt.NDArray[np.bool_]) -> Floats:
    """Return the mean DAU over the working days of the columns `begin` to `end` since the first event."""
    return _mean(facts.since_start("dau")[:, begin : end + 1][:, working[begin : end + 1]])


def _stickiness(facts: Daily, working: npt.NDArray[np.bool_]) -> Floats:
    counted = np.isfinite(facts.since_start("dau")) & working[None, :]
    users = _rolling(np.where(counted, facts.values["dau"], 0))
    return _ratio(_ratio(users, _rolling(counted.astype(np.int64))), facts.values["mau"].astype(float))


def _rolling(values: Ints) -> Floats:
    """Return the sums of the MONTH_DAYS days up to each."""
    total = np.cumsum(values, axis=1)
    earlier = np.concatenate(
        [np.zeros((len(total), min(MONTH_DAYS, total.shape[1])), np.int64), total[:, :-MONTH_DAYS]], 1
    )
    return np.asarray(total - earlier, np.float64)


def _sessions(facts: Daily, begin: int, end: int) -> dict[str, Floats]:
    sums = {
        name: facts.values[name][:, begin : end + 1].sum(axis=1).astype(float)
        for name in ("sessions", "session_seconds", "actions")
    }
    return {
        "session_minutes": _ratio(sums["session_seconds"] / 60, sums["sessions"]),
        "session_depth": _ratio(sums["actions"], sums["sessions"]),
    }


def _ratio(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(below > 0, above / np.where(below > 0, below, 1), np.nan))


def _mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(float))


def day_list(first: date, last: date) -> list[date]:
    """Return the days from `first` to `last`."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
