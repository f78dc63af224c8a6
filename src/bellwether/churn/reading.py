"""Reads the features of any days as they were known then, and how clients and terms ended.

What counts as known on a day: docs/reference/as-known.md and docs/reference/churn-features.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.conf import settings
from django.db.models import FloatField
from django.db.models.functions import Cast, Coalesce

from bellwether.churn.features import CLIENTS, FEATURE_ROWS, MEASURES, PEOPLE, PEOPLE_DAYS, feature_frame
from bellwether.churn.kept_rows import KeptRows, marks_of, rows_version
from bellwether.churn.people import CONTACTS, ROWS, SIGHTS, people_features
from bellwether.churn.records import ChurnRecords, load_churn_records
from bellwether.churn.term_ends import TERMS, term_ends
from bellwether.common.progress import Progress
from bellwether.common.time import day_of, end_of
from bellwether.health.backtest_reading import last_days
from bellwether.health.inputs import INSTANT, Schema
from bellwether.health.known_measures import KnownDays, active_people, known_measures
from bellwether.health.loading import workspace_settings
from bellwether.health.rows import read_frame
from bellwether.health.told_records import ToldRecords, load_told_records
from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.models import ClientOutcome, ContractPeriod
from bellwether.usage.facts import read_first_sights, read_user_days
from bellwether.usage.workspace import workspace_lake

LEFT: Schema = {"client_id": pl.String, "left_on": pl.Date, "reason_code": pl.String, "arr": pl.Float64}
LAST_DAYS: Schema = {"client_id": pl.String, "last_day": pl.Date}
PEOPLE_ROWS = 10_000
"""Clients times as-of days whose people are looked at together."""


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
    health.backtest_outcomes.while_clients takes such rows out with what is known today. Rows of all clients as known
    are kept (churn.kept_rows) and not made again.
    """
    ids = None if client_ids is None else sorted(client_ids)
    wanted = sorted(set(dates))
    if not wanted:
        return pl.DataFrame(schema=FEATURE_ROWS)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    records = load_churn_records(wanted[0], wanted[-1], zone, client_ids=ids)
    if not as_known or ids is not None:
        return _read(wanted, records, now, progress, as_known=as_known, ids=ids)
    kept = KeptRows(workspace_lake(), rows_version(workspace_settings()))
    told = load_told_records(wanted[0], wanted[-1], zone)
    marks = marks_of(wanted, kept.lake, told, records.clients, today=today)
    days, rows = kept.read({day: mark for day, mark in marks.items() if day < today})
    rows = rows.join(records.clients.select("client_id"), on="client_id", how="semi")
    missing = sorted(set(wanted) - set(days))
    fresh = _read(missing, records, now, progress, told=told)
    kept.store(fresh, {day: marks[day] for day in missing}, today=today)
    return pl.concat([rows, fresh]).sort("as_of", "client_id")


def _read(
    wanted: list[date],
    records: ChurnRecords,
    now: datetime,
    progress: Progress | None,
    *,
    as_known: bool = True,
    ids: list[str] | None = None,
    told: ToldRecords | None = None,
) -> pl.DataFrame:
    """Return FEATURE_ROWS of the days from events and records."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    ends = {day: end_of(day, zone) for day in wanted}
    parts = [pl.DataFrame(schema=FEATURE_ROWS)]
    for known in known_measures(
        wanted, slugs=MEASURES, now=now, progress=progress, as_known=as_known, client_ids=ids, told=told
    ):
        rows = known.lives.rename({"date": "as_of"}).join(
            known.organizations, on="client_id", how="left", maintain_order="left"
        )
        rows = rows.with_columns(end=pl.col("as_of").replace_strict(ends, return_dtype=INSTANT))
        parts.append(_features(known, rows, records, day_of(now, zone), as_known=as_known))
    return pl.concat(parts).sort("as_of", "client_id")


def _features(
    known: KnownDays, rows: pl.DataFrame, records: ChurnRecords, today: date, *, as_known: bool
) -> pl.DataFrame:
    """Return FEATURE_ROWS of `rows` (client_id, organization_id, as_of, end, first_day and first_event)."""
    terms = records.terms_on(rows, as_known=as_known)
    clients = rows.join(records.clients, on="client_id", how="left", maintain_order="left").with_columns(
        arr=terms["term_arr"]
    )
    clients = clients.with_columns(arr=pl.coalesce("arr", "own_arr")).select(list(CLIENTS))
    return feature_frame(
        _without_own_contract(known.measures, terms, today),
        _people(known, rows, records.contacts_on(rows, as_known=as_known)),
        records.open_tickets(rows, as_known=as_known),
        clients,
    )


def _people(known: KnownDays, rows: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Return PEOPLE of the rows, some clients at a time: half a year of everybody's days would not fit into memory."""
    parts = [pl.DataFrame(schema=PEOPLE)]
    contacts = contacts.select("as_of", *CONTACTS)
    places = rows.select(list(ROWS)).sort("organization_id", "as_of")
    for start in range(0, rows.height, PEOPLE_ROWS):
        some = places[start : start + PEOPLE_ROWS]
        mine = contacts.join(some, on=["client_id", "as_of"], how="semi")
        active = active_people(some.with_row_index("row"), known.cells, known.people, PEOPLE_DAYS)
        parts.append(people_features(some, active, _sights(some, mine, known), mine))
    return pl.concat(parts)


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


def _sights(rows: pl.DataFrame, contacts: pl.DataFrame, known: KnownDays) -> pl.DataFrame:
    """Return SIGHTS of the people whom `contacts` are linked to, on the days of `rows`.

    Where the first time is a day that held less then, what they did on all days is read.
    """
    keys = contacts.filter(pl.col("user_key") != "")["user_key"].unique().to_list()
    lake = workspace_lake()
    firsts = read_first_sights(lake, keys).join(
        rows.select("organization_id", "as_of"), on="organization_id", how="inner"
    )
    firsts = firsts.filter(pl.col("first_date") <= pl.col("as_of"))
    cell = ["organization_id", "date", "as_of"]
    doubtful = firsts.rename({"first_date": "date"}).join(known.cells, on=cell, how="semi")
    if doubtful.is_empty():
        return firsts.select(list(SIGHTS))
    days = read_user_days(
        lake,
        min(doubtful["date"].to_list()),
        known.days[-1],
        columns=("organization_id", "user_key", "date", "is_service"),
        organization_ids=doubtful["organization_id"].unique().to_list(),
    )
    person = ["organization_id", "user_key", "as_of"]
    mine = doubtful.select(person)
    stored = (
        days.filter(~pl.col("is_service"))
        .join(mine, on=["organization_id", "user_key"], how="inner")
        .filter(pl.col("date") <= pl.col("as_of"))
        .join(known.cells, on=cell, how="anti")
    )
    recounted = known.people.join(mine, on=person, how="semi")
    certain = firsts.join(mine, on=person, how="anti")
    return pl.concat([part.select(list(SIGHTS)) for part in (certain, stored, recounted)]).unique()


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
