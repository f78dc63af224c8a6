"""Events of one client by day: counts that a workspace names, and the modules that people used. Pure."""

from collections.abc import Collection, Mapping
from datetime import date

import numpy as np
import polars as pl

from bellwether.usage.anomalies import Floats

MODULE_DAYS = 30


def daily_events(
    event_days: pl.DataFrame,
    first: date,
    last: date,
    events: Collection[str],
    *,
    labels: Collection[str] = (),
    people_only: bool = False,
) -> list[int]:
    """Return how many of `events` happened on each day from `first` to `last`, of those with one of `labels` if any."""
    wanted = pl.col("event").is_in(list(events)) & pl.col("date").is_between(first, last)
    if labels:
        wanted &= pl.col("label").is_in(list(labels))
    if people_only:
        wanted &= ~pl.col("is_service")
    found = event_days.filter(wanted).group_by("date").agg(pl.col("events").sum())
    table = [0] * ((last - first).days + 1)
    for day, events_of_day in found.iter_rows():
        table[(day - first).days] = events_of_day
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
