"""Days on which the whole source of usage said nothing: that is no decline of anybody. Pure."""

from collections.abc import Collection
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.alerts.frames import SILENT, empty

RUN_DAYS = 3
"""So many days without any event of anybody, one after the other, are silence."""
CLIENTS, LOOK_BACK_DAYS = 5, 28
"""A workspace with fewer clients at work in the days before may well fall silent by itself."""
Ints = npt.NDArray[np.int64]


def silent_days(client_days: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Return SILENT among the days from `first` to `last`; `client_days` has organization_id and date of each client's
    days with events, from LOOK_BACK_DAYS before `first`."""
    days = client_days.select("organization_id", "date").filter(pl.col("date") <= last)
    alive = days["date"].unique().sort()
    if alive.is_empty():
        return empty(SILENT)
    quiet = []
    ends = [*alive.to_list(), last + timedelta(days=1)]
    for before, after in pairwise(ends):
        if (after - before).days > RUN_DAYS:
            since = before - timedelta(days=LOOK_BACK_DAYS - 1)
            at_work = days.filter(pl.col("date").is_between(since, before))["organization_id"].n_unique()
            if at_work >= CLIENTS:
                quiet += [before + timedelta(days=day) for day in range(1, (after - before).days)]
    return pl.DataFrame({"date": [day for day in quiet if day >= first]}, schema=SILENT)


def without_silence(rows: pl.DataFrame, silent: pl.DataFrame, days: int) -> pl.DataFrame:
    """Return `rows` (date and others) but those with silence among the `days` days that end on them."""
    if silent.is_empty():
        return rows
    touched = {day + timedelta(days=lag) for day in silent["date"].to_list() for lag in range(days)}
    return rows.filter(~pl.col("date").is_in(sorted(touched)))


class Calendar:
    """Counts days, silent ones left out, so that somebody who could not be seen is not said to be away."""

    def __init__(self, silent: Collection[date], first: date, last: date) -> None:
        self._first = first
        number = (last - first).days + 1
        hidden = [(day - first).days for day in silent if first <= day <= last]
        self._days = np.delete(np.arange(number), hidden)

    def after(self, start: pl.Series, days: pl.Series) -> pl.Series:
        """Return the day that is so many counted days after each of `start`; null where it is not reached yet."""
        known = start.is_not_null() & days.is_not_null()
        offset = (start - self._first).dt.total_days().fill_null(0).to_numpy()
        at = np.searchsorted(self._days, offset, side="right") - 1 + days.fill_null(0).cast(pl.Int64).to_numpy()
        reached = (at < len(self._days)) & known.to_numpy() & (at >= 0)
        found = (
            np.where(reached, self._days[np.clip(at, 0, max(len(self._days) - 1, 0))], 0) if len(self._days) else at * 0
        )
        day = pl.Series("day", found, pl.Int64).cast(pl.Int32) + (self._first - date(1970, 1, 1)).days
        return pl.select(pl.when(pl.Series(reached)).then(day.cast(pl.Date)).alias("day"))["day"]
