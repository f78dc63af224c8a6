"""When people act: their actions by weekday and local hour. Pure."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS = 24
HOUR_COLUMNS = [f"h{hour:02d}" for hour in range(HOURS)]
LEVELS = 5


@dataclass(frozen=True)
class Hours:
    """`actions` of people by weekday (7, Monday first) and hour of the workspace's time zone (24), summed over days.

    `peak` is (weekday, hour) of the most actions, the earliest of several; None without any.
    """

    actions: list[list[int]]
    total: int
    peak: tuple[int, int] | None

    @property
    def most(self) -> int:
        """The actions of the peak."""
        return max(max(row) for row in self.actions)

    def level(self, weekday: int, hour: int) -> int:
        """Return 0 for no action, else 1 to LEVELS, LEVELS being the fifth nearest to the peak."""
        value = self.actions[weekday][hour]
        return 0 if not value else -(-value * LEVELS // self.most)


def hours(client_hours: pl.DataFrame, first: date, last: date) -> Hours:
    """Return the actions of one client's CLIENT_HOURS from `first` to `last`."""
    table = np.zeros((7, HOURS), np.int64)
    inside = client_hours.filter(pl.col("date").is_between(first, last))
    weekdays = (inside["date"].dt.weekday() - 1).to_numpy()
    np.add.at(table, weekdays, inside.select(HOUR_COLUMNS).to_numpy())
    total = int(table.sum())
    at = int(table.argmax())
    return Hours(table.tolist(), total, (at // HOURS, at % HOURS) if total else None)
