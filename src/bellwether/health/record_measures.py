"""Measures from the portfolio's records: tickets, surveys, activities and stakeholders. Pure."""

import numpy as np
import polars as pl

from bellwether.health.grids import NEVER, Floats, Grid, Ints, Placed, known, ratio
from bellwether.health.inputs import MeasureInputs, MeasureSettings
from bellwether.health.usage_measures import NO_DAY

TICKET_POINTS = {"low": 1, "normal": 2, "high": 4, "urgent": 8}
KEY_ROLES = ("CHAMPION", "EXECUTIVE_SPONSOR", "ADMIN")
INTERNAL = "INTERNAL_DISCUSSION"
SURVEY_SCALE = 1_000_000  # survey scores are added as whole millionths, so that the order of adding never matters


def workspace_day(instant: str, settings: MeasureSettings) -> pl.Expr:
    """Return the workspace day of an instant column."""
    return pl.col(instant).dt.convert_time_zone(str(settings.zone)).dt.date().alias("_date")


def _day_numbers(series: pl.Series, *, missing: int) -> Ints:
    return series.cast(pl.Int32).cast(pl.Int64).fill_null(missing).to_numpy()


def _earliest(records: pl.DataFrame) -> int:
    """Return the day number of the workspace's first record, of whatever client; NO_DAY without any."""
    return int(_day_numbers(records["_date"], missing=NO_DAY).min(initial=NO_DAY))


def ticket_measures(inputs: MeasureInputs, grid: Grid, settings: MeasureSettings) -> dict[str, Floats]:
    """Return ticket measures, NaN until the workspace's first ticket: before it, no tickets may mean no source."""
    tickets = inputs.tickets.with_columns(workspace_day("opened_at", settings))
    placed = grid.place(tickets, by="client_id", day="_date")
    source_since = _earliest(tickets)
    opened = grid.sums(placed)
    points = placed.frame["priority"].replace_strict(TICKET_POINTS, default=2, return_dtype=pl.Int64).to_numpy()
    recorded = np.broadcast_to(source_since <= grid.wanted, (grid.clients, len(grid.dates)))
    recorded_before = np.broadcast_to(source_since <= grid.wanted - 30, recorded.shape)
    return {
        "tickets_30d": known(grid.window(opened, 30), recorded),
        "ticket_points_30d": known(grid.window(grid.sums(placed, points), 30), recorded),
        "tickets_norm": known(grid.window(opened, 90, before=30) / 3, recorded_before),
        "days_since_ticket": _days_since(placed, grid, at_most=120),
    }


def _days_since(placed: Placed, grid: Grid, *, at_most: int) -> Floats:
    """Return whole days since the last record; NaN where that is longer ago: older records are not always loaded."""
    days = grid.wanted - grid.last_of(placed, placed.day)
    return known(days, days <= at_most)


def survey_measures(inputs: MeasureInputs, grid: Grid, settings: MeasureSettings) -> dict[str, Floats]:
    """Return csat_90d and nps_latest, NaN without an answer in their time."""
    answers = inputs.surveys.with_columns(
        workspace_day("answered_at", settings), (pl.col("score") * SURVEY_SCALE).round(0).cast(pl.Int64).alias("_score")
    )
    csat = grid.place(answers.filter(pl.col("kind") == "CSAT"), by="client_id", day="_date")
    csat_sum = grid.window(grid.sums(csat, csat.frame["_score"].to_numpy()), 90)
    return {
        "days_since_survey": _days_since(grid.place(answers, by="client_id", day="_date"), grid, at_most=365),
        "csat_90d": ratio(csat_sum, grid.window(grid.sums(csat), 90)) / SURVEY_SCALE,
        "nps_latest": _nps_latest(answers.filter(pl.col("kind") == "NPS"), grid),
    }


def _nps_latest(answers: pl.DataFrame, grid: Grid) -> Floats:
    """Return the mean of last answers: each counts from its day until its respondent's next one, at most 365 days."""
    somebody = pl.col("respondent") != ""
    following = pl.col("_date").shift(-1).over("client_id", "respondent")
    ordered = answers.sort("client_id", "respondent", "answered_at", "_score").with_columns(
        pl.when(somebody).then(following).alias("_next")
    )
    placed = grid.place(ordered, by="client_id", day="_date")
    until = np.minimum(_day_numbers(placed.frame["_next"], missing=NO_DAY), placed.day + 365)
    total = grid.cover(placed.row, placed.day, until, placed.frame["_score"].to_numpy())
    return ratio(total, grid.cover(placed.row, placed.day, until)) / SURVEY_SCALE


def contact_measures(
    inputs: MeasureInputs, grid: Grid, settings: MeasureSettings, known_since: Ints
) -> dict[str, Floats]:
    """Return days_since_contact and stakeholder_coverage_90d.

    Both are NaN until the workspace's first completed activity: before it, no contact may mean no source. After it, a
    client that was never contacted has as many days as it is known (`known_since`: day number per client), so that
    neglect never looks like health.
    """
    done = inputs.activities.drop_nulls("completed_at").with_columns(workspace_day("completed_at", settings))
    everything = grid.place(done, by="client_id", day="_date")
    source_since = _earliest(done)
    recorded = np.broadcast_to(source_since <= grid.wanted, (grid.clients, len(grid.dates)))
    met = everything.where((everything.frame["activity_type"] != INTERNAL).to_numpy())
    last = grid.last_of(met, met.day)
    since = np.where(last > NEVER, last, known_since[:, None])
    return {
        "days_since_contact": known(grid.wanted - since, recorded & (since <= grid.wanted)),
        "stakeholder_coverage_90d": known(_coverage(inputs, grid, met.frame, settings), recorded),
    }


def _coverage(inputs: MeasureInputs, grid: Grid, met: pl.DataFrame, settings: MeasureSettings) -> Floats:
    """Return the share of key contacts met in 90 days, over the contacts that were there on the date."""
    left = workspace_day("left_at", settings).alias("_left")
    key = (
        inputs.contacts.filter(pl.col("role").is_in(KEY_ROLES))
        .with_columns(left, pl.col("known_since").cast(pl.Int32).cast(pl.Int64).fill_null(NEVER).alias("_since"))
        .filter(pl.col("is_active") | pl.col("_left").is_not_null())  # gone nobody knows when: never counted
        .with_columns(pl.col("_left").cast(pl.Int32).cast(pl.Int64).fill_null(NO_DAY).alias("_until"))
    )
    present = key.join(grid_rows(grid), on="client_id", how="inner")
    rows = present["_row"].to_numpy()
    there = grid.cover(rows, present["_since"].to_numpy(), present["_until"].to_numpy())
    meetings = (
        met.select("activity_id", "_date")
        .join(inputs.activity_contacts, on="activity_id", how="inner")
        .join(present, on="contact_id", how="inner")
        .sort("contact_id", "_date")
        .with_columns(pl.col("_date").shift(-1).over("contact_id").alias("_next"))
    )
    day = _day_numbers(meetings["_date"], missing=NEVER)
    until = np.minimum(_day_numbers(meetings["_next"], missing=NO_DAY), day + 90)
    until = np.minimum(until, meetings["_until"].to_numpy())
    start = np.maximum(day, meetings["_since"].to_numpy())
    return ratio(grid.cover(meetings["_row"].to_numpy(), start, until), there)


def grid_rows(grid: Grid) -> pl.DataFrame:
    """Return client_id and _row (Int64) of every client of the grid."""
    return pl.DataFrame({"client_id": grid.client_ids, "_row": np.arange(grid.clients, dtype=np.int64)})
