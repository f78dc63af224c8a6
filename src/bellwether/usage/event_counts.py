"""Events of one client by day: counts that a workspace names, and the modules that people used. Pure."""

from collections.abc import Collection, Mapping
from datetime import date

import numpy as np
import polars as pl

from bellwether.usage.anomalies import Floats

MODULE_DAYS = 30


class DailyEvents:
    """The events of one client on the days `first` to `last`, ready to be counted in many ways."""

    def __init__(self, event_days: pl.DataFrame, first: date, last: date) -> None:
        self._days = (last - first).days + 1
        self._of: dict[str, list[tuple[int, str | None, bool, int]]] = {}
        inside = event_days.filter(pl.col("date").is_between(first, last))
        rows = inside.select("event", (pl.col("date") - first).dt.total_days(), "label", "is_service", "events")
        for event, *row in rows.iter_rows():
            self._of.setdefault(event, []).append((row[0], row[1], row[2], row[3]))

    def count(self, events: Collection[str], *, labels: Collection[str] = (), people_only: bool = False) -> list[int]:
        """Return how many of `events` happened on each of the days, of those with one of `labels` if any."""
        table = [0] * self._days
        for event in set(events):
            for day, label, is_service, number in self._of.get(event, ()):
                if not (people_only and is_service) and (not labels or label in labels):
                    table[day] += number
        return table


def modules_used(
    event_days: pl.DataFrame,
    first: date,
    last: date,
    *,
    licensed: Collection[str],
    module_of_event: Mapping[str, str],
) -> Floats:
    """Return how many modules people used in the 30 days up to each day from `first` to `last`.

    Only `licensed` modules count, in any case of letters; all do where none is licensed. An event that names no module
    belongs to that of `module_of_event`. `event_days` must reach 29 days further back.
    """
    days = (last - first).days + 1
    named = pl.coalesce(pl.col("module"), pl.col("event").replace_strict(dict(module_of_event), default=None))
    rows = event_days.filter(~pl.col("is_service")).select("date", _module=named.str.to_lowercase())
    rows = rows.filter(pl.col("_module").is_not_null(), pl.col("_module") != "").unique()
    if licensed:
        rows = rows.filter(pl.col("_module").is_in([name.lower() for name in licensed]))
    names = sorted(rows["_module"].unique())
    seen = np.zeros((len(names), days), bool)
    for day, module in rows.iter_rows():
        at = (day - first).days
        seen[names.index(module), max(0, at) : max(0, min(days, at + MODULE_DAYS))] = True
    return np.asarray(seen.sum(axis=0), np.float64)
