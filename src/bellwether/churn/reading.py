"""Reads the features of any days as they were known then, and how clients and terms ended.

What counts as known on a day: docs/reference/as-known.md and docs/reference/churn-features.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.db.models import FloatField
from django.db.models.functions import Cast, Coalesce

from bellwether.churn.features import CLIENTS, FEATURE_ROWS, TICKETS, feature_frame
from bellwether.churn.people import PEOPLE_DAYS, SIGHTS, USER_DAYS, people_features
from bellwether.churn.records import ChurnRecords, load_churn_records
from bellwether.churn.term_ends import TERMS, term_ends
from bellwether.common.progress import Progress
from bellwether.common.time import day_of
from bellwether.health.backtest_reading import last_days
from bellwether.health.inputs import MeasureInputs, Schema
from bellwether.health.loading import workspace_settings
from bellwether.health.measuring import lifetimes
from bellwether.health.replay import Replayed, replay
from bellwether.health.rows import read_frame
from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.models import ClientOutcome, ContractPeriod
from bellwether.usage.facts import facts_path, read_user_days, stored_months
from bellwether.usage.known_facts import KnownFacts, read_known_user_days
from bellwether.usage.lake import Lake
from bellwether.usage.workspace import workspace_lake

LEFT: Schema = {"client_id": pl.String, "left_on": pl.Date, "reason_code": pl.String, "arr": pl.Float64}
LAST_DAYS: Schema = {"client_id": pl.String, "last_day": pl.Date}
PERSON_COLUMNS = tuple(USER_DAYS)


def read_features(
    dates: Iterable[date],
    *,
    now: datetime,
    progress: Progress | None = None,
    as_known: bool = True,
    client_ids: Iterable[str] | None = None,
) -> pl.DataFrame:
    """Return FEATURE_ROWS: one row per day of `dates` and client that was one on it, days ascending.

    Of all clients or those given (32 hex digits). As known at the end of each day, so that the row of a past day is
    what the same call gave on that day; with `as_known` false from everything that is there today. `progress` counts
    the days. A client that had left before a day, though nobody had written it down by then, has a row still:
    health.backtest_outcomes.while_clients takes such rows out with what is known today.
    """
    ids = None if client_ids is None else sorted(client_ids)
    wanted = sorted(set(dates))
    if not wanted:
        return pl.DataFrame(schema=FEATURE_ROWS)
    settings = workspace_settings()
    records = load_churn_records(wanted[0], wanted[-1], settings.zone, client_ids=ids)
    today = day_of(now, settings.zone)
    parts = [
        _features(replayed, records, workspace_lake(), today)
        for replayed in replay(wanted, now=now, progress=progress, as_known=as_known, client_ids=ids)
    ]
    return pl.concat([pl.DataFrame(schema=FEATURE_ROWS), *parts]).sort("as_of", "client_id")


def _features(replayed: Replayed, records: ChurnRecords, lake: Lake, today: date) -> pl.DataFrame:
    inputs, days, known = replayed.inputs, replayed.days, replayed.known
    told = records if known is None else records.told_by(known.day)
    first = days[0] - timedelta(days=PEOPLE_DAYS)
    if known is None:
        users = read_user_days(lake, first, days[-1], columns=(*PERSON_COLUMNS, "is_service"))
        users = users.filter(~pl.col("is_service")).drop("is_service")
    else:
        users = read_known_user_days(lake, first, known, PERSON_COLUMNS)
    sights = _sights(lake, told.contacts["user_key"].unique().to_list(), known)
    people = people_features(users, sights, told.contacts, inputs.clients.select("client_id", "organization_id"), days)
    tickets = pl.concat([pl.DataFrame(schema=TICKETS), *(told.open_tickets(day) for day in days)])
    measures = replayed.measures
    terms = told.terms_on(measures.select("client_id", pl.col("date").alias("as_of")))
    measures = _without_own_contract(measures, terms, today)
    return feature_frame(measures, people, tickets, _clients(inputs, told, terms))


def _without_own_contract(measures: pl.DataFrame, terms: pl.DataFrame, today: date) -> pl.DataFrame:
    """Return the measures of past days without what only the client's own record says, which is that of today.

    A client whose record says that it renews next year has renewed: on a past day nobody knew. So without a contract
    term of the day there are no seats and no renewal then, and without the end of that term no renewal.
    """
    past = measures["date"] < today
    no_term, no_end = past & terms["term_start"].is_null(), past & terms["term_end"].is_null()
    return measures.with_columns(
        pl.when(~no_end).then("days_to_renewal").alias("days_to_renewal"),
        *(pl.when(~no_term).then(name).alias(name) for name in ("seat_use", "licensed_user_count")),
    )


def _clients(inputs: MeasureInputs, records: ChurnRecords, terms: pl.DataFrame) -> pl.DataFrame:
    """Return CLIENTS of the clients and days of `terms`."""
    started = inputs.client_days.group_by("organization_id").agg(pl.col("date").min().alias("first_event"))
    lives = (
        lifetimes(inputs)
        .join(inputs.clients.select("client_id", "organization_id"), on="client_id", how="left")
        .join(started, on="organization_id", how="left")
    )
    found = terms.join(lives, on="client_id", how="left").join(records.clients, on="client_id", how="left")
    return found.with_columns(arr=pl.coalesce("term_arr", "own_arr")).select(list(CLIENTS))


def _sights(lake: Lake, user_keys: list[str], known: KnownFacts | None) -> pl.DataFrame:
    """Return SIGHTS of some people. As known on a day, those of clients with late events rest on what had arrived."""
    wanted = [key for key in user_keys if key]
    if not wanted:
        return pl.DataFrame(schema=SIGHTS)
    mine = pl.col("user_key").is_in(wanted)
    paths = [facts_path(lake, "user_months", month) for month in stored_months(lake, "user_months")]
    with lake.opened(paths) as files:
        stored = pl.scan_parquet(files, hive_partitioning=False) if files else pl.LazyFrame(schema=SIGHTS)
        found = stored.filter(mine).select(list(SIGHTS)).collect()
    if known is not None:
        before = found.join(known.since, on="organization_id", how="left")
        before = before.filter(pl.col("since").is_null() | (pl.col("first_date") < pl.col("since"))).drop("since")
        anew = known.rows["user_days"].filter(mine & ~pl.col("is_service") & (pl.col("date") <= known.day))
        found = pl.concat([before, anew.select("organization_id", "user_key", first_date="date")])
    return found.group_by("organization_id", "user_key").agg(pl.col("first_date").min())


@dataclass(frozen=True)
class Endings:
    """How clients and terms ended, by what is known today.

    `left` (LEFT): each churn, also of clients that came back; ARR as the outcome says, else as the client's record
    does. `last_days` (LAST_DAYS): of clients that churned and did not come back, or were archived. `terms` (TERMS): the
    ends of terms at which something was decided, see churn.term_ends.
    """

    left: pl.DataFrame
    last_days: pl.DataFrame
    terms: pl.DataFrame


def read_endings() -> Endings:
    """Return how all clients and terms ended; a fixed number of queries."""
    rows = ClientOutcome.objects.order_by("date", "client_id")
    arr = Cast(Coalesce("arr_before", "client__annual_recurring_revenue"), FloatField())
    left = read_frame(rows.filter(outcome=OutcomeKind.CHURNED), LEFT, {"left_on": "date", "arr": arr})
    outcomes = read_frame(rows, {"client_id": pl.String, "date": pl.Date, "outcome": pl.String})
    terms = read_frame(
        ContractPeriod.objects.order_by("client_id", "start_date"),
        {"client_id": pl.String, "start_date": pl.Date, "end_date": pl.Date},
    )
    return Endings(left, last_days().drop_nulls("last_day").select(list(LAST_DAYS)), term_ends(terms, outcomes))


__all__ = ["FEATURE_ROWS", "LAST_DAYS", "LEFT", "TERMS", "Endings", "read_endings", "read_features"]
