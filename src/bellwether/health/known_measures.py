"""Measures of many past days as they were known then, in a few passes instead of one a day.

Most clients look on a past day as they do in hindsight, because nothing of theirs was late: these are measured for many
days at once from what is there today. The others, a *moment* each (a client on an as-of day before which something
belongs that was told after it), are measured together as clients of their own, with the events and records that had
arrived by then. Where even that is not enough (events that came months late, the workspace's very first records), the
day is measured as health.replay does it. All ways give the same, which a test checks.

Only for SUPPORTED measures: of others (sessions, weekly users, own customers) the moments know nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.health.configs import main_scorecard
from bellwether.health.inputs import CLIENT_DAYS, EVENT_DAYS, READINGS, MeasureInputs, MeasureSettings
from bellwether.health.loading import READING_DAYS, Loaded, load_inputs, stored_readings, workspace_settings
from bellwether.health.measuring import lifetimes, measure
from bellwether.health.reading_facts import RECENT_DAYS
from bellwether.health.records import Records, load_records
from bellwether.health.told_records import ToldRecords, first_records, load_told_records, moments_of, unlike_days
from bellwether.usage.calendar import first_of, month_of
from bellwether.usage.facts import read_user_days
from bellwether.usage.workspace import workspace_labels, workspace_lake

if TYPE_CHECKING:
    from bellwether.usage.late_events import LateEvents

SPAN_DAYS = 91
"""As-of days are taken together over so many days: over longer spans the moments would drag too many days along."""
MONTH_DAYS = 30
AT_ONCE = 40_000
"""Clients times as-of days of one pass."""
MOMENTS_AT_ONCE = 4_000
"""Each drags the events of four to eight months along."""
SUPPORTED = frozenset((
    "dau_avg_30d", "dau_avg_90d", "dau_change", "seat_use", "stickiness", "days_since_use", "days_since_login",
    "feature_breadth", "features_used", "features_licensed", "tickets_30d", "tickets_norm", "csat_90d", "nps_latest",
    "days_since_contact", "stakeholder_coverage_90d", "days_to_renewal", "payment_status", "renewal_signal",
    "licensed_user_count", "tier",
))  # fmt: skip
"""What can be measured so: nothing of it needs more of the use than daily users and events by day."""
KEY = ["client_id", "date"]
PERSON_DAYS = ("organization_id", "user_key", "date", "actions")


@dataclass(frozen=True)
class KnownDays:
    """Some days: `measures` (client_id, date and those asked for) of the clients that were one on them as known then,
    and of the same rows `lives` (client_id, date, first_day, first_event).

    `cells` (organization_id, date, as_of) are days of clients that held less on the as-of day than now, `people` what
    people did on these as known then (PERSON_DAYS and as_of, services left out). Both are empty in hindsight.
    """

    days: list[date]
    organizations: pl.DataFrame  # client_id, organization_id
    measures: pl.DataFrame
    lives: pl.DataFrame
    cells: pl.DataFrame
    people: pl.DataFrame


def known_measures(
    dates: Iterable[date],
    *,
    slugs: Sequence[str],
    now: datetime,
    progress: Progress | None = None,
    as_known: bool = True,
    client_ids: Iterable[str] | None = None,
    told: ToldRecords | None = None,
) -> Iterator[KnownDays]:
    """Yield the measures `slugs` of `dates` in ascending runs, of all clients or those given (32 hex digits).

    As known at the end of each day; with `as_known` false from everything that is there today. `progress` counts days.
    `told` are the records of these clients of a span that holds the dates, where the caller has them already.
    Raises ValueError for measures that are not SUPPORTED.
    """
    if others := sorted(set(slugs) - SUPPORTED):
        raise ValueError(f"These cannot be measured for many days at once: {', '.join(others)}.")
    wanted = sorted(set(dates))
    watched = progress or NoProgress()
    if not wanted:
        return
    ids = None if client_ids is None else sorted(client_ids)
    settings = replace(workspace_settings(), customer_role="", counts=())
    watched.start(f"Measuring {len(wanted)} days", len(wanted))
    records = load_records(wanted[0], wanted[-1], settings, client_ids=ids, signed_terms=True)
    reading = _Reading(settings, tuple(slugs), now, ids, records, _expiring_readings(wanted, settings, now, ids))
    runs = list(_runs(wanted, max(1, records.clients.height)))
    if not as_known:
        for run in runs:
            yield reading.in_hindsight(run)
            watched.advance(len(run))
        return
    told = told or load_told_records(wanted[0], wanted[-1], settings.zone, client_ids=ids)
    today = day_of(now, settings.zone)
    with _late_events([day for day in wanted if day < today], settings) as late:
        for run in runs:
            yield reading.as_known(run, late, told)
            watched.advance(len(run))


def _late_events(days: Sequence[date], settings: MeasureSettings) -> "AbstractContextManager[LateEvents | None]":
    """Give the late events of past days, None without any: for a day that has not ended nothing is late yet."""
    if not days:
        return nullcontext()
    from bellwether.usage.late_events import LateEvents  # counts with Ibis, which web processes do without

    return LateEvents(workspace_lake(), days, zone=settings.zone, labels=workspace_labels())


def _runs(days: Sequence[date], clients: int) -> Iterator[list[date]]:
    run: list[date] = []
    for day in days:
        if run and (len(run) * clients >= AT_ONCE or (day - run[0]).days >= SPAN_DAYS):
            yield run
            run = []
        run.append(day)
    if run:
        yield run


@dataclass(frozen=True)
class _Reading:
    settings: MeasureSettings
    slugs: tuple[str, ...]
    now: datetime
    ids: list[str] | None
    records: Records
    readings: pl.DataFrame

    def in_hindsight(self, run: list[date]) -> KnownDays:
        loaded = self._loaded(run)
        measures, lives = self._measured(loaded.inputs, run)
        return KnownDays(run, _organizations(self.records), measures, lives, _NO_CELLS, _NO_PEOPLE)

    def as_known(self, run: list[date], late: "LateEvents | None", told: ToldRecords) -> KnownDays:
        loaded = self._loaded(run)
        measures, lives = self._measured(loaded.inputs, run)
        cells, events, people = _recounted(run, late)
        organizations = _organizations(self.records)
        pairs, anew = self._unlike(run, loaded, cells, told)
        moments = moments_of(pairs.join(anew, on=["client_id", "as_of"], how="anti"), self.settings.zone)
        parts = [(_without(measures, pairs), _without(lives, pairs))]
        for some in moments.iter_slices(MOMENTS_AT_ONCE):
            inputs = self._of_moments(some, loaded, told, cells, events, people)
            measures, lives = self._measured(inputs, run)
            parts.append((_of_stand_ins(measures, some), _of_stand_ins(lives, some)))
        for (day,), rows in anew.partition_by("as_of", as_dict=True).items():
            parts.append(self._replayed(day, rows["client_id"].to_list(), late))
        measures = pl.concat([part for part, _ in parts]).sort("date", "client_id")
        lives = pl.concat([part for _, part in parts]).sort("date", "client_id")
        return KnownDays(run, organizations, measures, lives, cells, people)

    def _loaded(self, run: list[date]) -> Loaded:
        return load_inputs(
            run, self.settings, now=self.now, scorecard=main_scorecard(), records=self.records, client_ids=self.ids,
            readings=self.readings,
        )  # fmt: skip

    def _unlike(
        self, run: list[date], loaded: Loaded, cells: pl.DataFrame, told: ToldRecords
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the clients and days (client_id, organization_id, as_of) that must not be measured in hindsight, and
        those among them that must be measured day by day."""
        organizations = _organizations(self.records)
        days = pl.DataFrame({"as_of": run}, schema={"as_of": pl.Date})
        spans = told.unlike().join(days, how="cross")
        spans = spans.filter(
            (pl.col("since").is_null() | (pl.col("since") <= pl.col("as_of")))
            & (pl.col("until").is_null() | (pl.col("as_of") <= pl.col("until")))
        )
        key = ["client_id", "organization_id", "as_of"]
        of_cells = cells.join(organizations, on="organization_id", how="inner")
        of_days = organizations.join(
            days.filter(pl.col("as_of").is_in(unlike_days(run, self.records, self.settings.zone))), how="cross"
        )
        of_spans = spans.select("client_id", "as_of").join(organizations, on="client_id", how="inner")
        pairs = pl.concat([part.select(key) for part in (of_cells, of_spans, of_days)]).unique(maintain_order=True)
        # Older facts are folded, and the first day decides since when there is use: these cells cannot be replaced.
        folded = first_of(month_of(run[0] - timedelta(days=RECENT_DAYS)))
        first = loaded.inputs.client_days.group_by("organization_id").agg(pl.col("date").min().alias("first"))
        old = of_cells.join(first, on="organization_id", how="left").filter(
            (pl.col("date") < folded) | (pl.col("date") <= pl.col("first")) | pl.col("first").is_null()
        )
        return pairs, pl.concat([old.select(key), of_days.select(key)]).unique(maintain_order=True)

    def _of_moments(
        self,
        moments: pl.DataFrame,
        loaded: Loaded,
        told: ToldRecords,
        cells: pl.DataFrame,
        events: pl.DataFrame,
        people: pl.DataFrame,
    ) -> MeasureInputs:
        """Return the inputs of the stand-ins of `moments`."""
        records = told.as_known(moments, self.records.clients)
        tickets, activities = first_records(self.records)
        records = replace(
            records,
            tickets=pl.concat([tickets, records.tickets]),
            activities=pl.concat([activities.select(records.activities.columns), records.activities]),
        )
        readings = loaded.inputs.readings.join(moments, on="client_id", how="inner").filter(
            pl.col("date") <= pl.col("as_of")
        )
        event_days = _replaced(loaded.inputs.event_days, moments, cells, events)
        return MeasureInputs(
            **{entry.name: getattr(records, entry.name) for entry in fields(records)},
            readings=readings.with_columns(client_id="stand_in").select(list(READINGS)),
            event_days=event_days.with_columns(organization_id="stand_in").select(list(EVENT_DAYS)),
            client_days=self._client_days(moments, loaded.inputs.client_days, cells, people),
        )

    def _client_days(
        self, moments: pl.DataFrame, stored: pl.DataFrame, cells: pl.DataFrame, people: pl.DataFrame
    ) -> pl.DataFrame:
        """Return CLIENT_DAYS of stand-ins: daily users of each day, monthly users of the as-of day; the rest is 0."""
        acting = people.filter(pl.col("actions") > 0)
        recounted = acting.group_by("organization_id", "date", "as_of").agg(pl.len().cast(pl.Int64).alias("dau"))
        rows = _replaced(stored.select("organization_id", "date", "dau"), moments, cells, recounted)
        month = (
            active_people(moments, cells, people, MONTH_DAYS)
            .group_by("stand_in")
            .agg(pl.col("user_key").n_unique().cast(pl.Int64).alias("mau"))
        )
        on_day = moments.select("stand_in", date="as_of").join(month, on="stand_in", how="inner")
        rows = rows.select("stand_in", "date", "dau").join(on_day, on=["stand_in", "date"], how="full", coalesce=True)
        return rows.select(
            (pl.col("stand_in") if name == "organization_id" else pl.col(name) if name in rows.columns else pl.lit(0))
            .cast(kind)
            .alias(name)
            for name, kind in CLIENT_DAYS.items()
        ).with_columns(pl.col("dau", "mau").fill_null(0))

    def _replayed(
        self, day: date, client_ids: list[str], late: "LateEvents | None"
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        from bellwether.usage.known_counting import KnownFactsReader

        known = None
        if late is not None and day in late.days:
            known = KnownFactsReader(late).on(day)
        else:
            with _late_events([day], self.settings) as of_day:
                known = KnownFactsReader(of_day).on(day) if of_day is not None else None
        loaded = load_inputs(
            [day], self.settings, now=self.now, scorecard=main_scorecard(), as_known=known, client_ids=client_ids
        )
        return self._measured(loaded.inputs, [day])

    def _measured(self, inputs: MeasureInputs, days: Sequence[date]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return measures and lives of the clients on the days on which they were one."""
        measures = measure(inputs, days, self.settings).select(*KEY, *self.slugs)
        started = inputs.client_days.group_by("organization_id").agg(pl.col("date").min().alias("first_event"))
        lives = (
            lifetimes(inputs)
            .join(inputs.clients.select("client_id", "organization_id"), on="client_id", how="left")
            .join(started, on="organization_id", how="left")
            .drop("organization_id")
        )
        rows = measures.join(lives, on="client_id", how="left", maintain_order="left").filter(
            (pl.col("date") >= pl.col("first_day"))
            & (pl.col("last_day").is_null() | (pl.col("date") <= pl.col("last_day")))
        )
        return rows.select(*KEY, *self.slugs), rows.select(*KEY, "first_day", "first_event")


def _recounted(run: Sequence[date], late: "LateEvents | None") -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return `cells` and `people` as in KnownDays, and between them the events of these cells by day, with as_of."""
    past = [day for day in run if late is not None and day in late.days]
    if late is None or not past:
        return _NO_CELLS, pl.DataFrame(schema={**EVENT_DAYS, "as_of": pl.Date}), _NO_PEOPLE
    found = late.counted_together(past)
    people = found.facts["user_days"].filter(~pl.col("is_service")).select(*PERSON_DAYS, "as_of")
    return found.cells, found.facts["event_days"].select(*EVENT_DAYS, "as_of"), people


def active_people(moments: pl.DataFrame, cells: pl.DataFrame, people: pl.DataFrame, days: int) -> pl.DataFrame:
    """Return what people did (PERSON_DAYS) in the `days` that end on each of the rows of `moments`, with its columns.

    `moments` has organization_id and as_of, at least one row; `cells` and `people` as in KnownDays. Services and days
    without an action are left out; user_key is Categorical.
    """
    first = moments["as_of"].min() - timedelta(days=days - 1)  # type: ignore[operator]
    stored = read_user_days(
        workspace_lake(), first, moments["as_of"].max(), columns=(*PERSON_DAYS, "is_service"),  # type: ignore[arg-type]
        organization_ids=moments["organization_id"].unique().to_list(),
    )  # fmt: skip
    acting = (pl.col("actions") > 0) & (pl.col("date") > pl.col("as_of") - pl.duration(days=days))
    few = pl.col("user_key").cast(pl.Categorical)  # each person stands in many rows
    stored = stored.filter(~pl.col("is_service")).drop("is_service").with_columns(few)
    return _replaced(stored, moments, cells, people.with_columns(few)).filter(acting)


def _replaced(
    stored: pl.DataFrame, moments: pl.DataFrame, cells: pl.DataFrame, recounted: pl.DataFrame
) -> pl.DataFrame:
    """Return the facts by organization_id and date up to each moment with its columns, those of `cells` as recounted
    (with as_of)."""
    kept = (
        stored.lazy()
        .join(moments.lazy(), on="organization_id", how="inner")
        .filter(pl.col("date") <= pl.col("as_of"))
        .join(cells.lazy(), on=["organization_id", "date", "as_of"], how="anti")
    )
    anew = recounted.lazy().join(moments.lazy(), on=["organization_id", "as_of"], how="inner")
    columns = [*stored.columns, *(name for name in moments.columns if name not in stored.columns)]
    return pl.concat([kept.select(columns), anew.select(columns)]).collect()


def _without(rows: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    return rows.join(pairs, left_on=KEY, right_on=["client_id", "as_of"], how="anti")


def _of_stand_ins(rows: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of each stand-in's own day as those of its client."""
    own = moments.select(pl.col("stand_in").alias("client_id"), pl.col("client_id").alias("_client"), date="as_of")
    return rows.join(own, on=KEY, how="inner").with_columns(client_id="_client").drop("_client")


def _organizations(records: Records) -> pl.DataFrame:
    return records.clients.select("client_id", "organization_id")


def _expiring_readings(
    days: Sequence[date], settings: MeasureSettings, now: datetime, ids: list[str] | None
) -> pl.DataFrame:
    """Return the stored READINGS before today. One that no other follows within READING_DAYS ends with an empty one:
    on a later day nobody looks so far back."""
    today = day_of(now, settings.zone)
    if days[0] >= today:
        return pl.DataFrame(schema=READINGS)
    last = min(days[-1], today - timedelta(days=1))
    stored = stored_readings(days[0] - timedelta(days=READING_DAYS), last, main_scorecard(), ids)
    end = pl.col("date") + pl.duration(days=READING_DAYS + 1)
    following = pl.col("date").shift(-1).over("client_id", order_by="date")
    ended = stored.filter(following.is_null() | (following > end)).with_columns(
        date=end, payment_status=pl.lit(None, pl.String), renewal_signal=pl.lit(None, pl.Int64)
    )
    return pl.concat([stored, ended.filter(pl.col("date") < today)])


_NO_CELLS = pl.DataFrame(schema={"organization_id": pl.String, "date": pl.Date, "as_of": pl.Date})
_NO_PEOPLE = pl.DataFrame(
    schema={"organization_id": pl.String, "user_key": pl.String, "date": pl.Date, "actions": pl.Int64, "as_of": pl.Date}
)
