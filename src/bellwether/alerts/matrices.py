"""Frames by subject and day as dense arrays, for what follows an episode day by day. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Matrix:
    """Rows of a frame on a grid of subjects (`keys`, in order) by days from `first`; cells without a row are NaN."""

    rows: pl.DataFrame
    keys: pl.DataFrame
    first: date
    days: int
    row: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]

    def of(self, column: str) -> Floats:
        """Return a numeric column as (subjects, days)."""
        cells = np.full((self.keys.height, self.days), np.nan)
        cells[self.row, self.place] = self.rows[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return cells

    def first_of(self, column: str) -> Floats:
        """Return a numeric column that is the same on all days of a subject, by subject."""
        values = np.full(self.keys.height, np.nan)
        values[self.row] = self.rows[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return values

    def column(self, day: date) -> int:
        """Return the place of a day; it may lie outside."""
        return (day - self.first).days

    def frame(self, **columns: npt.NDArray[np.generic]) -> pl.DataFrame:
        """Return arrays (subjects, days) as a frame with the keys, date and a column each, subject by subject."""
        dates = pl.Series("date", [self.first + timedelta(days=day) for day in range(self.days)], pl.Date)
        keys = self.keys[np.repeat(np.arange(self.keys.height), self.days)]
        return keys.with_columns(
            dates.gather(np.tile(np.arange(self.days), self.keys.height)),
            *(pl.Series(name, np.ascontiguousarray(values).ravel()) for name, values in columns.items()),
        )


def matrix(rows: pl.DataFrame, by: Sequence[str]) -> Matrix:
    """Return `rows` (the columns `by` and date, unique) on a grid from the first to the last of their days."""
    keys = rows.select(by).unique().sort(by)
    numbered = rows.join(keys.with_row_index("_row"), on=list(by), how="left", maintain_order="left")
    first, last = rows["date"].min(), rows["date"].max()
    if not isinstance(first, date) or not isinstance(last, date):
        first = last = date(1970, 1, 1)
    place = (rows["date"] - first).dt.total_days().to_numpy() if rows.height else np.zeros(0, np.int64)
    return Matrix(rows, keys, first, (last - first).days + 1, numbered["_row"].cast(pl.Int64).to_numpy(), place)
