"""The user-days of one client, read once for all that a page makes of them: to look through the files is what costs."""

from datetime import date

import polars as pl

from bellwether.usage.facts import read_user_days
from bellwether.usage.lake import Lake

COLUMNS = (
    "organization_id",
    "user_key",
    "date",
    "role",
    "sessions",
    "session_seconds",
    "actions",
    "is_service",
)


class ClientUserDays:
    """Reads the user-days of the client `organization_id` when they are first asked for; not for several threads.

    With `instants` they have `last_ts` too, which is slow to read: no two are alike.
    """

    def __init__(self, lake: Lake, organization_id: str, *, instants: bool = False) -> None:
        self.instants = instants
        self._lake, self._organization_id = lake, organization_id
        self._first, self._last = date.max, date.min
        self._rows = pl.DataFrame()

    def between(self, first: date, last: date) -> pl.DataFrame:
        """Return the user-days (COLUMNS, perhaps last_ts) from `first` to `last`, both included, by day and user."""
        if first < self._first or last > self._last:
            columns = (*COLUMNS, "last_ts") if self.instants else COLUMNS
            self._rows = read_user_days(
                self._lake, first, last, organization_ids=[self._organization_id], columns=columns
            )
            self._first, self._last = first, last
        if (first, last) == (self._first, self._last):
            return self._rows
        return self._rows.filter(pl.col("date").is_between(first, last))
