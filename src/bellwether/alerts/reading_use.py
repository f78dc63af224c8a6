"""Reads the facts of use that alerts are found in: the daily facts once, whatever the number of clients and days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from bellwether.alerts.feature_gaps import feature_gaps
from bellwether.alerts.frames import ACTIONS, FEATURE_GAPS, SEATS, SILENT, TICKETS, USAGE, empty, typed
from bellwether.alerts.silence import LOOK_BACK_DAYS as SILENCE_LOOK_BACK
from bellwether.alerts.silence import silent_days
from bellwether.health.contract_terms import contract_terms
from bellwether.health.event_sums import EventSums
from bellwether.health.feature_use import feature_uses, grid_keys
from bellwether.health.grids import Floats, Grid
from bellwether.health.inputs import MeasureInputs, MeasureSettings
from bellwether.health.measuring import lifetimes
from bellwether.health.reading_facts import FoldedPast, read_facts
from bellwether.health.records import LicenceRecords
from bellwether.health.usage_measures import first_days, usage_measures
from bellwether.usage.facts import read_user_days
from bellwether.usage.lake import Lake

FEATURE_DAYS = 130
"""Days before the first one that gaps in the use of features are looked for: longer ones were news before."""
MONTH_DAYS = 30
_PAST = FoldedPast()


@dataclass(frozen=True)
class Use:
    """Frames of alerts.frames about use, and `lives`: client_id, first_day, last_day."""

    lives: pl.DataFrame
    usage: pl.DataFrame
    seats: pl.DataFrame
    feature_gaps: pl.DataFrame
    silent: pl.DataFrame


def read_use(
    lake: Lake,
    records: LicenceRecords,
    settings: MeasureSettings,
    first: date,
    last: date,
    *,
    usage_from: date,
    seats_from: date,
    with_features: bool = True,
) -> Use:
    """Return the use of the clients of `records`, features (if asked for) from FEATURE_DAYS before `first`."""
    origin = min(first - timedelta(days=FEATURE_DAYS), usage_from, seats_from)
    dates = [origin + timedelta(days=day) for day in range((last - origin).days + 1)]
    facts = read_facts(lake, origin, last, settings, past=_PAST)
    at_work = facts.client_days.filter(pl.col("actions") > 0).select("organization_id", "date")
    inputs = MeasureInputs(
        clients=records.clients,
        contracts=records.contracts,
        adoption=records.adoption,
        client_days=facts.client_days,
        event_days=facts.event_days,
        user_days=facts.user_days,
    )
    grid = Grid(inputs.clients, dates)
    measures = usage_measures(inputs, grid, settings)
    terms = contract_terms(inputs, grid)
    gaps = []
    if with_features:
        sums = EventSums(inputs, grid, settings)
        gaps = [feature_gaps(use, grid) for use in feature_uses(inputs, grid, settings, sums, terms)]
    keys = grid_keys(grid)
    full = first_days(inputs, grid)[:, None] + MONTH_DAYS - 1 <= grid.wanted
    seats = np.where(full, terms.seats(), np.nan)
    return Use(
        lives=lifetimes(inputs),
        usage=_usage(keys, measures).filter(pl.col("date") >= usage_from),
        seats=_frame(keys, active=measures["mau"], seats=seats)
        .filter((pl.col("date") >= seats_from) & pl.col("seats").is_not_null())
        .pipe(typed, SEATS),
        feature_gaps=pl.concat([empty(FEATURE_GAPS), *gaps]),
        silent=silent_days(at_work, first - timedelta(days=MONTH_DAYS + SILENCE_LOOK_BACK), last)
        if at_work.height
        else empty(SILENT),
    )


def _frame(keys: pl.DataFrame, **columns: Floats) -> pl.DataFrame:
    return keys.with_columns(
        pl.Series(name, np.ascontiguousarray(values).ravel()).fill_nan(None) for name, values in columns.items()
    )


def _usage(keys: pl.DataFrame, measures: dict[str, Floats]) -> pl.DataFrame:
    names = {"change": "dau_change", "average_7d": "dau_avg_7d", "average_30d": "dau_avg_30d"}
    rows = _frame(keys, **{name: measures[measure] for name, measure in names.items()})
    return typed(rows.drop_nulls("change"), USAGE)


def read_tickets(
    opened: pl.DataFrame, clients: pl.DataFrame, source_since: date | None, dates: Sequence[date]
) -> pl.DataFrame:
    """Return TICKETS on `dates` from tickets by day (client_id, date); `source_since` is the first ticket of all."""
    if source_since is None or opened.is_empty():
        return empty(TICKETS)
    grid = Grid(clients, dates)
    running = grid.sums(grid.place(opened, by="client_id", day="date"))
    week = grid.window(running, 7)
    recorded = source_since <= np.array([day - timedelta(days=MONTH_DAYS) for day in grid.dates])
    normal = np.where(recorded[None, :], grid.window(running, 90, before=MONTH_DAYS) / 90 * 7, np.nan)
    worth = (week > 0) | (np.concatenate([np.zeros((len(week), 1)), week[:, :-1]], axis=1) > 0)
    rows = _frame(grid_keys(grid), tickets_7d=week.astype(np.float64), weekly=normal)
    return typed(rows.filter(pl.Series(worth.ravel())), TICKETS)


def read_actions(lake: Lake, linked: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Return ACTIONS of the contacts of `linked` (client_id, contact_id, organization_id, user_key)."""
    if linked.is_empty():
        return empty(ACTIONS)
    organizations = linked["organization_id"].unique().to_list()
    columns = ("organization_id", "user_key", "date", "actions", "is_service")
    days = read_user_days(lake, first, last, organization_ids=organizations, columns=columns)
    mine = days.filter(~pl.col("is_service")).join(linked, on=["organization_id", "user_key"], how="inner")
    return typed(mine.group_by("client_id", "contact_id", "date").agg(pl.col("actions").sum()), ACTIONS)
