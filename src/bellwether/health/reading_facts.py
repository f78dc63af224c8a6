"""Reads the daily facts for measures: recent days in full, older ones folded to what can still matter.

A window reaches at most 365 days back and most reach 120, but "so far" counts and last days reach back for ever. So
older months are folded to one row per client and kind of event (see MeasureInputs). The folded past is kept in the
process and extended month by month; a month whose file changed is folded again.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from bellwether.health.inputs import CLIENT_DAYS, EVENT_DAYS, LONGEST_WINDOW_DAYS, USER_DAYS, MeasureSettings
from bellwether.usage.event_match import COLUMNS, EventMatch
from bellwether.usage.facts import KINDS, facts_path, stored_months
from bellwether.usage.known_facts import KnownFacts
from bellwether.usage.lake import Lake, Stamp

RECENT_DAYS = 120
INSTANT = pl.Datetime("us", "UTC")
Fold = Callable[[pl.LazyFrame], pl.LazyFrame]
Signature = tuple[tuple[str, Stamp | None], ...]


@dataclass(frozen=True)
class Facts:
    """The facts that measures need. `last_seen`: organization_id and last_ts, the last action of a person."""

    client_days: pl.DataFrame
    event_days: pl.DataFrame
    user_days: pl.DataFrame
    last_seen: pl.DataFrame


@dataclass
class _Folded:
    """What was folded so far: the files it came from and the folded rows."""

    signature: Signature = ()
    rows: pl.DataFrame | None = None


@dataclass
class FoldedPast:
    """The folded past of one lake, kept between readings. One per process is enough; it holds a few rows a client."""

    parts: dict[tuple[str, ...], _Folded] = field(default_factory=dict)


def read_facts(
    lake: Lake,
    first: date,
    last: date,
    settings: MeasureSettings,
    *,
    past: FoldedPast | None = None,
    known: KnownFacts | None = None,
) -> Facts:
    """Return the facts for measures of the dates `first` to `last`; `past` is reused and extended if given.

    With `known`, as they were known on its day, which is both dates then; nothing after that day is in them.
    """
    past = past if past is not None else FoldedPast()
    recent = _month(first - timedelta(days=RECENT_DAYS))
    far = _month(first - timedelta(days=LONGEST_WINDOW_DAYS + 1))
    end = _month(last)
    reader = _Reader(lake, past, recent, far, end, known)
    return Facts(
        client_days=_client_days(reader),
        event_days=_event_days(reader, settings),
        user_days=_user_days(reader, settings.customer_role)
        if settings.customer_role
        else pl.DataFrame(schema=USER_DAYS),
        last_seen=_last_seen(reader),
    )


def end_of_time(month: str) -> str:
    """Return a month name after `month`."""
    return month + "~"


def _month(day: date) -> str:
    return day.strftime("%Y-%m")


@dataclass(frozen=True)
class _Reader:
    lake: Lake
    past: FoldedPast
    recent: str
    far: str
    end: str
    known: KnownFacts | None = None

    def rows(self, kind: str, first: str, stop: str, select: Fold) -> pl.DataFrame:
        """Return `select` of the months from `first` up to but without `stop`."""
        months = [month for month in stored_months(self.lake, kind) if first <= month < stop]
        with _scan(self.lake, kind, months) as frame:
            if frame is not None and self.known is not None:
                frame = self.known.applied(kind, frame, months)
            return select(frame).collect() if frame is not None else pl.DataFrame()

    def folded(self, kind: str, key: tuple[str, ...], stop: str, fold: Fold, again: Fold) -> pl.DataFrame:
        """Return the fold of all months before `stop`; of clients with late events there, as it was known."""
        rows = self._folded(kind, key, stop, fold, again)
        touched = self.known.touched(kind, stop) if self.known is not None else []
        if self.known is None or not touched:
            return rows
        mine = pl.col("organization_id").is_in(touched)
        months = [month for month in stored_months(self.lake, kind) if month < stop]
        with _scan(self.lake, kind, months) as frame:
            stored = pl.LazyFrame(schema=KINDS[kind]) if frame is None else frame.filter(mine)
            counted = again(fold(self.known.applied(kind, stored, months).filter(mine))).collect()
        others = [rows.filter(~mine)] if rows.width else []
        return pl.concat([*others, counted.select(rows.columns or counted.columns)])

    def _folded(self, kind: str, key: tuple[str, ...], stop: str, fold: Fold, again: Fold) -> pl.DataFrame:
        """Return the fold of all months before `stop`: of the kept rows (`again`) and of the months not yet in them."""
        months = [month for month in stored_months(self.lake, kind) if month < stop]
        signature = tuple(self._signature(kind, month) for month in months)
        name = (self.lake.name, kind, *key)
        kept = self.past.parts.get(name, _Folded())
        known = len(kept.signature)
        if kept.rows is None or signature[:known] != kept.signature:
            kept, known = _Folded(), 0
        rows = kept.rows
        if months[known:]:
            with _scan(self.lake, kind, months[known:]) as frame:
                fresh = fold(frame).collect() if frame is not None else None
            parts = [part for part in (rows, fresh) if part is not None]
            rows = again(pl.concat(parts).lazy()).collect() if parts else None
        if rows is None:
            return pl.DataFrame()
        self.past.parts[name] = _Folded(signature, rows)
        return rows

    def _signature(self, kind: str, month: str) -> tuple[str, Stamp | None]:
        return month, self.lake.stamp(facts_path(self.lake, kind, month))


@contextmanager
def _scan(lake: Lake, kind: str, months: Sequence[str]) -> Iterator[pl.LazyFrame | None]:
    """Give a lazy frame over the months, None without files; they stay open, so that a rollup meanwhile is not seen."""
    with lake.opened([facts_path(lake, kind, month) for month in months]) as files:
        yield pl.scan_parquet(files, hive_partitioning=False) if files else None


def _typed(parts: Collection[pl.DataFrame], schema: dict) -> pl.DataFrame:
    """Return the rows of `parts` with the columns of `schema`; absent columns are null."""
    kept = [
        part.select(
            (pl.col(name) if name in part.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in schema.items()
        )
        for part in parts
        if part.height
    ]
    return pl.concat(kept) if kept else pl.DataFrame(schema=schema)


def _client_days(reader: _Reader) -> pl.DataFrame:
    columns = list(CLIENT_DAYS)
    recent = reader.rows("client_days", reader.recent, end_of_time(reader.end), lambda days: days.select(columns))
    older = reader.folded("client_days", (), reader.recent, _fold_client_days, _refold_client_days)
    if older.is_empty():
        return _typed([recent], CLIENT_DAYS)
    zero = [pl.lit(0).alias(name) for name in columns if name not in {"organization_id", "date", "total_users"}]
    first = older.select("organization_id", pl.col("first").alias("date"), pl.lit(0).alias("total_users"), *zero)
    last = older.with_columns(*zero).select(
        "organization_id",
        pl.coalesce("last_active", "last").alias("date"),
        "total_users",
        *[pl.lit(0).alias(n) for n in columns if n not in {"organization_id", "date", "total_users", "dau"}],
        pl.when(pl.col("last_active").is_not_null()).then(1).otherwise(0).alias("dau"),
    )
    return _typed([first, last, recent], CLIENT_DAYS)


def _fold_client_days(days: pl.LazyFrame) -> pl.LazyFrame:
    return days.group_by("organization_id").agg(
        pl.col("date").min().alias("first"),
        pl.col("date").max().alias("last"),
        pl.col("date").filter(pl.col("dau") > 0).max().alias("last_active"),
        pl.col("total_users").max(),
    )


def _refold_client_days(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by("organization_id").agg(
        pl.col("first").min(), pl.col("last").max(), pl.col("last_active").max(), pl.col("total_users").max()
    )


def _event_days(reader: _Reader, settings: MeasureSettings) -> pl.DataFrame:
    """Return recent rows of every event, those of the last year for events with long windows, older ones folded."""
    long, short = asked_events(settings)
    columns = list(EVENT_DAYS)

    def full(days: pl.LazyFrame) -> pl.LazyFrame:
        return days.select(columns)

    parts = [reader.rows("event_days", reader.recent, end_of_time(reader.end), full)]
    if long:
        wanted = long.rows()
        parts.append(reader.rows("event_days", reader.far, reader.recent, lambda days: full(days.filter(wanted))))
        fold = _fold_events(long, wanted)
        parts.append(reader.folded("event_days", ("long", *long.words()), reader.far, fold, _refold_events))
    if short:
        # What a long window asks for is there in full already; it may fit a short one as well.
        fold = _fold_events(short, short.rows() & ~long.rows())
        key = ("short", *short.words(), "without", *long.words())
        parts.append(reader.folded("event_days", key, reader.recent, fold, _refold_events))
    return _typed(parts, EVENT_DAYS)


@dataclass(frozen=True)
class AskedEvents:
    """Events that somebody asks for: by name, or by module and feature as well."""

    names: frozenset[str]
    matches: frozenset[EventMatch]

    def __bool__(self) -> bool:
        return bool(self.names or self.matches)

    def words(self) -> list[str]:
        """Return what is asked for as words, the same for the same events."""
        return [*sorted(self.names), *(repr(match) for match in sorted(self.matches))]

    def rows(self) -> pl.Expr:
        """Return whether a row of the facts is asked for."""
        found = pl.col("event").is_in(sorted(self.names))
        for match in sorted(self.matches):
            found = found | pl.all_horizontal(
                pl.col(column) == value for column in COLUMNS if (value := getattr(match, column))
            )
        return found.fill_null(value=False)

    def places(self) -> list[pl.Expr]:
        """Return module and feature, null where no match asks for what they say."""
        return [_only(name, {getattr(match, name) for match in self.matches} - {""}) for name in COLUMNS[1:]]


def _only(column: str, values: Collection[str]) -> pl.Expr:
    found = pl.when(pl.col(column).is_in(sorted(values))).then(pl.col(column)) if values else pl.lit(None, pl.String)
    return found.alias(column)


def asked_events(settings: MeasureSettings) -> tuple[AskedEvents, AskedEvents]:
    """Return the events with windows over RECENT_DAYS, and the other ones that are asked for."""
    long = {e for f in settings.features if f.days > RECENT_DAYS for e in f.events}
    long |= {e for c in settings.counts if c.days is not None and c.days > RECENT_DAYS for e in c.events}
    named = {e for f in settings.features for e in f.events} | {e for c in settings.counts for e in c.events}
    distant = frozenset(m for f in settings.features if f.days > RECENT_DAYS for m in f.matches)
    near = frozenset(m for f in settings.features for m in f.matches) - distant
    return AskedEvents(frozenset(long), distant), AskedEvents(frozenset((named | settings.login_events) - long), near)


def _fold_events(events: AskedEvents, rows: pl.Expr) -> Fold:
    def fold(days: pl.LazyFrame) -> pl.LazyFrame:
        kept = days.filter(rows).select(
            "organization_id",
            "event",
            *events.places(),
            "label",
            "is_service",
            "date",
            "events",
        )
        return _refold_events(kept)

    return fold


def _refold_events(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per client and kind of event. Modules and features stay where a feature asks for them."""
    return rows.group_by("organization_id", "event", "module", "feature", "label", "is_service").agg(
        pl.col("date").max(), pl.col("events").sum()
    )


def _last_seen(reader: _Reader) -> pl.DataFrame:
    older = reader.folded("event_days", ("last_seen",), reader.recent, _fold_last_seen, _refold_last_seen)
    recent = reader.rows("event_days", reader.recent, end_of_time(reader.end), _fold_last_seen)
    rows = _typed([older, recent], {"organization_id": pl.String, "last_ts": INSTANT})
    return _refold_last_seen(rows.lazy()).collect()


def _fold_last_seen(days: pl.LazyFrame) -> pl.LazyFrame:
    return _refold_last_seen(days.filter(~pl.col("is_service")))


def _refold_last_seen(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by("organization_id").agg(pl.col("last_ts").max())


def _user_days(reader: _Reader, customer_role: str) -> pl.DataFrame:
    """Return recent rows of people, and of older ones the first day on which each had the customer role."""
    recent = reader.rows(
        "user_days",
        reader.recent,
        end_of_time(reader.end),
        lambda days: days.filter(~pl.col("is_service")).select(list(USER_DAYS)),
    )
    key = ("customers", customer_role)
    older = reader.folded("user_days", key, reader.recent, _fold_customers(customer_role), _refold_customers)
    return _typed([older, recent], USER_DAYS)


def _fold_customers(role: str) -> Fold:
    def fold(days: pl.LazyFrame) -> pl.LazyFrame:
        return _refold_customers(days.filter(~pl.col("is_service"), pl.col("role") == role))

    return fold


def _refold_customers(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by("organization_id", "user_key", "is_service", "role").agg(
        pl.col("date").min(), pl.lit(0, pl.Int64).alias("actions")
    )
