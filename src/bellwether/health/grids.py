"""A dense grid, clients by days, on which every window is one subtraction of running sums. Pure.

Rows before the grid's first day land in column 0, a sink that lies outside every window: so sums over all time and
last days keep what is older, and windows do not see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.health.inputs import LONGEST_WINDOW_DAYS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

EPOCH = date(1970, 1, 1)
NEVER = -(2**40)
"""A day number before every day: "there was none"."""


def day_number(day: date) -> int:
    """Return days since 1970-01-01."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class Placed:
    """Rows of a frame with their place on the grid: `row` of the client, `column` of the day, `day` itself."""

    frame: pl.DataFrame
    row: Ints
    column: Ints
    day: Ints

    def where(self, mask: Bools) -> "Placed":
        """Return the rows for which `mask` is true."""
        return Placed(self.frame.filter(pl.Series(mask)), self.row[mask], self.column[mask], self.day[mask])


class Grid:
    """The grid of `clients` (client_id, organization_id) for the wanted `dates`; answers are (clients, dates)."""

    def __init__(self, clients: pl.DataFrame, dates: Sequence[date]) -> None:
        self.dates = sorted(set(dates))
        numbers = np.array([day_number(day) for day in self.dates], dtype=np.int64)
        self.wanted: Ints = numbers
        self.origin = int(numbers[0]) - LONGEST_WINDOW_DAYS - 1
        self.last = int(numbers[-1])
        self.days = self.last - self.origin + 1
        self.clients = clients.height
        self.client_ids = clients["client_id"]
        self._names = {by: clients[by] for by in ("client_id", "organization_id")}
        self._columns = numbers - self.origin
        self._contiguous = len(numbers) == int(numbers[-1] - numbers[0]) + 1

    def place(self, frame: pl.DataFrame, *, by: str, day: str) -> Placed:
        """Return the rows of `frame` of known clients (column `by`) that lie on or before the last wanted date."""
        # An Enum of the names in order: its codes are the rows of the grid, several times faster than a join.
        names = pl.Enum(self._names[by])
        known = frame.with_columns(
            pl.col(by).cast(names, strict=False).to_physical().cast(pl.Int64).alias("_row"),
            pl.col(day).cast(pl.Int32).cast(pl.Int64).alias("_day"),
        ).filter(pl.col("_row").is_not_null() & (pl.col("_day") <= self.last))
        days = known["_day"].to_numpy()
        columns = np.maximum(days - self.origin, 0)
        return Placed(known, known["_row"].to_numpy(), columns, days)

    def column_of(self, day: Ints) -> Ints:
        """Return the columns of day numbers; days outside the grid fall on its ends (the end column is one past)."""
        return np.clip(day - self.origin, 0, self.days)

    def sums(self, placed: Placed, values: npt.NDArray[Any] | None = None) -> Ints:
        """Return running sums (clients, days) of `values`, or of rows; exact, since values are whole."""
        size = self.clients * self.days
        cells = placed.row * self.days + placed.column
        weights = None if values is None else values.astype(np.float64)
        counted = np.bincount(cells, weights=weights, minlength=size)
        return np.cumsum(counted.astype(np.int64).reshape(self.clients, self.days), axis=1)

    def cover(self, row: Ints, start: Ints, stop: Ints, values: Ints | None = None) -> Ints:
        """Return (clients, dates): on each wanted date the sum of values whose interval [start, stop) contains it."""
        begin, end = self.column_of(start), self.column_of(stop)
        keep = begin < end
        row, begin, end = row[keep], begin[keep], end[keep]
        weights = np.ones(len(row), dtype=np.int64) if values is None else values[keep]
        steps = np.zeros((self.clients, self.days + 1), dtype=np.int64)
        np.add.at(steps, (row, begin), weights)
        np.add.at(steps, (row, end), -weights)
        return self.take(np.cumsum(steps, axis=1))

    def last_of(self, placed: Placed, values: Ints) -> Ints:
        """Return (clients, dates): the largest of `values` placed on or before each date, NEVER where there is none."""
        return self.latest(placed.row, placed.column, values)

    def latest(self, row: Ints, column: Ints, values: Ints) -> Ints:
        """Return the same for values that lie at `row` and `column`."""
        if not len(row):
            return np.full((self.clients, len(self.dates)), NEVER, dtype=np.int64)
        latest = np.full((self.clients, self.days), NEVER, dtype=np.int64)
        np.maximum.at(latest, (row, column), values)
        return self.take(np.maximum.accumulate(latest, axis=1))

    def on_day(self, placed: Placed, values: npt.NDArray[Any]) -> Ints:
        """Return (clients, dates): the value placed on the date itself, 0 where there is none."""
        table = np.zeros((self.clients, self.days), dtype=np.int64)
        table[placed.row, placed.column] = values
        return self.take(table)

    def take(self, table: npt.NDArray[Any], lag: int = 0) -> npt.NDArray[Any]:
        """Return the columns of `table` for the wanted dates, `lag` days earlier."""
        if self._contiguous:
            first = int(self._columns[0]) - lag
            return table[:, first : first + len(self._columns)]
        return table[:, self._columns - lag]

    def window(self, running: Ints, days: int | None, *, before: int = 0) -> Ints:
        """Return (clients, dates): the sum over the `days` that end `before` days before the date; None: all so far."""
        now = self.take(running, before)
        return now if days is None else now - self.take(running, before + days)


def ratio(top: npt.NDArray[Any], bottom: npt.NDArray[Any]) -> Floats:
    """Return top / bottom, NaN where the denominator is not positive."""
    result = np.full(np.broadcast_shapes(top.shape, bottom.shape), np.nan)
    np.divide(top, bottom, out=result, where=bottom > 0)
    return result


def known(values: npt.NDArray[Any], mask: npt.NDArray[np.bool_]) -> Floats:
    """Return `values` as floats, NaN where `mask` is false."""
    return np.where(mask, values, np.nan)
