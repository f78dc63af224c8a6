"""The daily facts as they would have been on a past day, had only what was received by its end been counted.

They are the facts of today with some rows replaced; usage.known_counting makes these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from bellwether.usage.calendar import first_of, last_of
from bellwether.usage.facts import KINDS
from bellwether.usage.kept import EVENTS, kept_from
from bellwether.usage.lake import Lake

CELL = ["organization_id", "date"]
BY_CELL = ("event_days", "client_hours", "custom_days", "custom_users")
BY_CLIENT = ("user_days", "client_days")


@dataclass(frozen=True)
class KnownFacts:
    """What differs from the stored facts for one as-of `day`.

    `cells` (organization_id, date): client-days whose rows of BY_CELL are replaced; `since` (organization_id, since):
    clients whose rows of BY_CLIENT are replaced from a day on. `rows` has the replacements by kind.
    """

    day: date
    cells: pl.DataFrame
    since: pl.DataFrame
    rows: dict[str, pl.DataFrame]

    def applied(self, kind: str, stored: pl.LazyFrame, months: Sequence[str]) -> pl.LazyFrame:
        """Return the facts `kind` of the `months` (YYYY-MM, ascending) as known on the day; `stored` is what they hold.

        Rows after the day are left out.
        """
        columns = list(KINDS[kind])
        kept = stored.select(columns).filter(pl.col("date") <= self.day)
        if kind in BY_CELL:
            kept = kept.join(self.cells.lazy(), on=CELL, how="anti")
        else:
            kept = kept.join(self.since.lazy(), on="organization_id", how="left")
            kept = kept.filter(pl.col("since").is_null() | (pl.col("date") < pl.col("since"))).drop("since")
        inside = pl.col("date").is_between(first_of(months[0]), last_of(months[-1]))
        return pl.concat([kept, self.rows[kind].lazy().filter(inside).select(columns)])

    def touched(self, kind: str, before: str) -> list[str]:
        """Return the clients that have replaced rows of `kind` before the month `before`."""
        table, day = (self.cells, "date") if kind in BY_CELL else (self.since, "since")
        return table.filter(pl.col(day) < first_of(before))["organization_id"].unique().sort().to_list()

    def touches(self, kind: str, month: str) -> bool:
        """Return whether rows of `kind` in `month` are replaced; asked of kinds in BY_CELL."""
        return not self.cells.filter(pl.col("date").is_between(first_of(month), last_of(month))).is_empty()


def exact_from(lake: Lake) -> date | None:
    """Return the day from which on events are kept: what came late for earlier days can no longer be told. None: all
    days."""
    return kept_from(lake, EVENTS)
