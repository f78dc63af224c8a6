"""What followed each scored day: churn within a horizon, no churn, or not known yet. Pure.

An as-of day sees what happened after it, never on it: a client that leaves on the day itself is no observation.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from bellwether.common.errors import InvalidInputError
from bellwether.health.inputs import Schema

ROWS: Schema = {"client_id": pl.String, "as_of": pl.Date}
CHURNS: Schema = {"client_id": pl.String, "date": pl.Date, "arr": pl.Float64}
LABELS: Schema = {"organization_id": pl.String, "as_of": pl.Date, "label": pl.Int8}
CENSORED = -1
MONDAY = date(2001, 1, 1)
"""As-of days are whole steps from this Monday, so that they stay the same while time goes on."""

_DAYS_IN_NAME = re.compile(r"_(\d{1,3})d$")
_LABEL_WORDS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, str(CENSORED): CENSORED}
_CLIENT_COLUMNS = ("organization_id", "client_id", "client")


def as_of_dates(first: date, last: date, step_days: int) -> list[date]:
    """Return the as-of days from `first` to `last`, both included, every `step_days` days counted from a Monday."""
    after = -(first - MONDAY).days % step_days
    return list(_steps(first + timedelta(days=after), last, step_days))


def _steps(day: date, last: date, step_days: int) -> Iterator[date]:
    while day <= last:
        yield day
        day += timedelta(days=step_days)


@dataclass(frozen=True)
class Followed:
    """What followed the rows. `rows` has client_id, as_of and label (1 churn, 0 none, -1 not known yet).

    `losses` has client_id, date, arr (None where not known) and last_as_of, the last row before it: one per churn that
    at least one decided row is followed by within the horizon.
    """

    rows: pl.DataFrame
    losses: pl.DataFrame


def follow(rows: pl.DataFrame, churns: pl.DataFrame, *, horizon: int, until: date) -> Followed:
    """Return the label of each row (ROWS, ascending by client and day): churn after as_of and at most `horizon` later.

    `churns` are CHURNS; `until` is the last day of which outcomes are known. A row whose horizon ends after it is
    undecided, whatever happened so far: counting only the churn among them would make churn look frequent.
    """
    churns = churns.select(list(CHURNS)).sort("date", "client_id")
    found = (
        rows.select(list(ROWS))
        .with_row_index("row")
        .sort("as_of", "client_id")
        .join_asof(
            churns, left_on="as_of", right_on="date", by="client_id", strategy="forward", allow_exact_matches=False,
            check_sortedness=False,
        )
        .sort("row")
    )  # fmt: skip
    end = pl.col("as_of") + pl.duration(days=horizon)
    label = pl.when(end > until).then(CENSORED).when(pl.col("date") <= end).then(1).otherwise(0).cast(pl.Int8)
    found = found.with_columns(label.alias("label"))
    losses = (
        found.filter(pl.col("date") <= end)
        .group_by("client_id", "date", maintain_order=True)
        .agg(pl.col("arr").first(), pl.col("as_of").max().alias("last_as_of"), (pl.col("label") == 1).any().alias("in"))
        .filter("in")
        .drop("in")
    )
    return Followed(found.select("client_id", "as_of", "label"), losses)


def follow_labels(rows: pl.DataFrame, labels: pl.DataFrame) -> Followed:
    """Return what `labels` (client_id, as_of, label; -1 where empty) say of the rows; rows without one are left out.

    A run of days labelled 1 is one loss, dated on the last of them: when exactly the client left is not in the labels.
    """
    found = rows.select(list(ROWS)).join(labels, on=["client_id", "as_of"], how="inner", maintain_order="left")
    decided = found.filter(pl.col("label") != CENSORED).with_columns(
        (pl.col("label") != pl.col("label").shift(1).over("client_id")).fill_null(True).cum_sum().alias("run")
    )
    losses = (
        decided.filter(pl.col("label") == 1)
        .group_by("client_id", "run", maintain_order=True)
        .agg(pl.col("as_of").max().alias("date"))
        .select("client_id", "date", pl.lit(None, pl.Float64).alias("arr"), pl.col("date").alias("last_as_of"))
    )
    return Followed(found.select("client_id", "as_of", "label"), losses)


def while_clients(rows: pl.DataFrame, churns: pl.DataFrame, last_days: pl.DataFrame) -> pl.DataFrame:
    """Return the rows (client_id, as_of and others) of days on which the client was one by what is known now.

    `last_days` has client_id and last_day, null while a client. Left out are days after the last one, also where scores
    rest on what was known on the day and nobody had written down yet that the client had left, and the very day on
    which it left.
    """
    left = churns.select("client_id", pl.col("date").alias("as_of"))
    ended = rows.join(last_days.select("client_id", "last_day"), on="client_id", how="left", maintain_order="left")
    living = (ended["as_of"] <= ended["last_day"]).fill_null(True)
    return rows.filter(living).join(left, on=["client_id", "as_of"], how="anti", maintain_order="left")


def read_labels(text: bytes, column: str) -> pl.DataFrame:
    """Return LABELS from a CSV with the client's organization id, as_of (YYYY-MM-DD) and `column` of 0, 1 or empty.

    The client may stand in organization_id, client_id or client. Raises InvalidInputError that names what is wrong.
    """
    try:
        frame = pl.read_csv(text, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise InvalidInputError(f"The labels cannot be read as CSV: {error}") from None
    client = next((name for name in _CLIENT_COLUMNS if name in frame.columns), None)
    if client is None:
        raise InvalidInputError("The labels need a column organization_id (or client_id) with the client.")
    for name in ("as_of", column):
        if name not in frame.columns:
            raise InvalidInputError(f"The labels have no column {name!r}; there are {', '.join(frame.columns)}.")
    given = pl.col(column).str.strip_chars()
    found = frame.select(
        pl.col(client).str.strip_chars().alias("organization_id"),
        pl.col("as_of").str.strip_chars().str.to_date("%Y-%m-%d", strict=False),
        pl.when(given.is_null() | (given == "")).then(pl.lit(str(CENSORED))).otherwise(given)
        .replace_strict(_LABEL_WORDS, default=None, return_dtype=pl.Int8)
        .alias("label"),
    )  # fmt: skip
    for name, words in (("as_of", "a day such as 2026-06-01"), ("label", "0, 1 or empty"), ("organization_id", "")):
        wrong = found[name].is_null().arg_true()
        if len(wrong):
            shown = column if name == "label" else name
            raise InvalidInputError(
                f"Row {wrong[0] + 2} of the labels: {shown} must be {words or 'given'}.",
                {f"row {wrong[0] + 2}: {shown}": f"must be {words or 'given'}."},
            )
    if found.select("organization_id", "as_of").is_duplicated().any():
        raise InvalidInputError("The labels name a client twice on the same day; keep one row of each.")
    return found


def horizon_in_name(column: str) -> int | None:
    """Return the days that a label's name ends with, such as 90 of churn_next_90d; None if it names none."""
    found = _DAYS_IN_NAME.search(column)
    return int(found.group(1)) if found else None
