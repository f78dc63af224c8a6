"""What milestones are found in: frames over the whole portfolio and all past days. Pure."""

from dataclasses import dataclass
from datetime import date

import polars as pl
from polars._typing import PolarsDataType

Schema = dict[str, PolarsDataType]

CLIENTS: Schema = {
    "client_id": pl.String,
    "organization_id": pl.String,
    "started_on": pl.Date,
    "go_live_date": pl.Date,
    "seats": pl.Int64,
    "modules": pl.List(pl.String),
    "ended_on": pl.Date,
}
"""`started_on`: start of the contract. `ended_on`: when the client left; nothing is reached after it."""

COUNTS: Schema = {
    "selection": pl.Int64,
    "organization_id": pl.String,
    "date": pl.Date,
    "events": pl.Int64,
    "folded_to": pl.Date,
}
"""Events of a selection (rule) of a client by day. With `folded_to` the row stands for the days from `date` to it."""

CLIENT_DAYS: Schema = {"organization_id": pl.String, "date": pl.Date, "mau": pl.Int64, "folded": pl.Boolean}
SEATS: Schema = {"client_id": pl.String, "start_date": pl.Date, "seats": pl.Int64}
MODULES: Schema = {"organization_id": pl.String, "module": pl.String, "date": pl.Date}
"""The first day on which people used a module (lower case)."""

SCORES: Schema = {"client_id": pl.String, "date": pl.Date, "score": pl.Int64}
VALUES: Schema = {"client_id": pl.String, "measure": pl.String, "date": pl.Date, "value": pl.Float64}
STARTS: Schema = {"client_id": pl.String, "date": pl.Date}
"""The first day on which a client has a stored score."""

HAPPENINGS: Schema = {"client_id": pl.String, "what": pl.String, "date": pl.Date, "value": pl.Float64}
"""Records that happened: `what` is "renewal", "nps" or "activity:QBR", `value` the answer where there is one."""

REACHED: Schema = {
    "client_id": pl.String,
    "key": pl.String,
    "achieved_on": pl.Date,
    "exact": pl.Boolean,
    "value": pl.Float64,
}
"""A milestone and the day on which it was reached; not `exact`: then or before."""

PROGRESS: Schema = {
    "client_id": pl.String,
    "key": pl.String,
    "value": pl.Float64,
    "target": pl.Float64,
    "expected_on": pl.Date,
}
"""How far a client is that has not reached a milestone; `expected_on` where a day can be said."""


@dataclass(frozen=True)
class Facts:
    """All that rules are evaluated on. `scores` and `values` may begin later than `starts` says, where what lies before
    has been looked at. `facts_from` is the first day of any usage; a client that started before it may
    have done anything earlier than is known."""

    clients: pl.DataFrame
    counts: pl.DataFrame
    client_days: pl.DataFrame
    seats: pl.DataFrame
    modules: pl.DataFrame
    scores: pl.DataFrame
    values: pl.DataFrame
    starts: pl.DataFrame
    happenings: pl.DataFrame
    facts_from: date | None
    today: date


@dataclass(frozen=True)
class Found:
    """What rules found: REACHED and PROGRESS."""

    reached: pl.DataFrame
    progress: pl.DataFrame


def empty(schema: Schema) -> pl.DataFrame:
    """Return a frame without rows."""
    return pl.DataFrame(schema=schema)


def typed(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Return the columns of `schema` in its order and types."""
    return frame.select([pl.col(name).cast(dtype) for name, dtype in schema.items()])
