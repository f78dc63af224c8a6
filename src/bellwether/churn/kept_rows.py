"""Keeps the features of past days in the lake, so that a weekly training reads only the weeks that are new.

    churn_rows/version=<definitions>/<day>_<facts>_<activities>_<records>.parquet

What was known on a day does not change, so that its rows are made once, two days after it. They are made anew when
something came that counts for the day all the same, or went: an import brings years at once, its undo takes them away,
a person is erased. The three marks in the name tell: of the daily facts of the windows, of the activities of the
windows, and of all other records told by the day. What the retention removes does not count: the rows were made when it
was there. Rows made by other definitions lie in another folder, which goes. No row names a person.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from django.conf import settings

from bellwether.churn.factors import FEATURES
from bellwether.churn.features import FEATURE_ROWS, PEOPLE_DAYS
from bellwether.health.configs import main_scorecard
from bellwether.health.inputs import MeasureSettings
from bellwether.health.told_records import ToldRecords
from bellwether.usage.calendar import month_of, months_between
from bellwether.usage.facts import MADE_OF_FACTS, facts_path, stored_months
from bellwether.usage.kept import FACTS, kept_from
from bellwether.usage.lake import Lake, LakePath, write_part

EDITION = 2
"""To be raised whenever features are read or made otherwise than before."""
SETTLED_DAYS = 2
"""So long after a day everything that was received on it has been counted."""
WINDOW_DAYS = 120
"""What a mark looks back on: longer windows are those of last days and of NPS answers, which the records' mark has."""
LONGEST_DAYS = 1_095
YEAR = timedelta(days=365)
FACT_KINDS = ("user_days", "event_days")


def rows_version(measured: MeasureSettings) -> str:
    """Return what tells rows made by the present definitions and settings from others."""
    features = [(one.slug, one.unit.value, one.description, bool(one.weight)) for one in FEATURES]
    catalogue = (sorted(measured.working_days), sorted(measured.login_events), str(measured.zone), main_scorecard())
    specs = [
        (spec.key, spec.module, sorted(spec.events), spec.days, spec.target, spec.value, sorted(spec.within),
         sorted(map(repr, spec.matches)), spec.by_tier)
        for spec in measured.features
    ]  # fmt: skip
    return _digest((EDITION, PEOPLE_DAYS, features, catalogue, specs))


def _digest(value: Any) -> str:
    return blake2b(repr(value).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Marks:
    """What rows of a day rest on; "" where the retention has removed some of it since."""

    facts: str
    activities: str
    records: str

    def allow(self, kept: "Marks") -> bool:
        """Return whether rows that were made of `kept` still hold."""
        return all(not now or now == then for now, then in zip(self._parts(), kept._parts(), strict=True))

    def _parts(self) -> tuple[str, str, str]:
        return self.facts, self.activities, self.records


def marks_of(
    days: Sequence[date], lake: Lake, told: ToldRecords, clients: pl.DataFrame, *, today: date
) -> dict[date, Marks]:
    """Return the marks of the days; `clients` has `began`, the day since which each is a client or known as one."""
    of_facts = _fact_marks(days, lake)
    activities = _told_on(told.activities, "completed_at", told.zone)
    tables = (
        np.sort(clients["began"].cast(pl.Int32).to_numpy()),
        *(
            _told_on(frame, own, told.zone)
            for frame, own in (
                (told.contracts, "start_date"),
                (told.outcomes, "date"),
                (told.contacts, "known_since"),
                (told.tickets, "opened_at"),
                (told.surveys, "answered_at"),
            )
        ),
    )
    windows = (None, None, None, None, WINDOW_DAYS, WINDOW_DAYS)
    kept_days = settings.BELLWETHER_KEEP_ACTIVITIES_DAYS
    kept_since = today - timedelta(days=kept_days) if kept_days else date.min
    found = {}
    for day in days:
        whole = day - timedelta(days=WINDOW_DAYS) >= kept_since
        found[day] = Marks(
            of_facts[day],
            _digest(_count(activities, day, WINDOW_DAYS)) if whole else "",
            _digest([_count(table, day, window) for table, window in zip(tables, windows, strict=True)]),
        )
    return found


def _fact_marks(days: Sequence[date], lake: Lake) -> dict[date, str]:
    since = kept_from(lake, FACTS)
    stored = {kind: set(stored_months(lake, kind)) for kind in FACT_KINDS}
    stamps = {
        month: [lake.stamp(facts_path(lake, kind, month)) for kind in FACT_KINDS if month in stored[kind]]
        for month in months_between(days[0] - timedelta(days=WINDOW_DAYS), days[-1])
    }
    found = {}
    for day in days:
        first = day - timedelta(days=WINDOW_DAYS)
        whole = since is None or month_of(since) < month_of(first)
        found[day] = _digest([stamps[month] for month in months_between(first, day)]) if whole else ""
    return found


def _told_on(records: pl.DataFrame, own: str, zone: ZoneInfo) -> Any:
    """Return the ascending day numbers from which on the records were known."""

    def day(column: str) -> pl.Expr:
        dated = records.schema[column] == pl.Date
        return pl.col(column) if dated else pl.col(column).dt.convert_time_zone(str(zone)).dt.date()

    known = records.select(pl.max_horizontal(day(own), day("told_at")).fill_null(date(1970, 1, 1)))
    return np.sort(known.to_series().cast(pl.Int32).to_numpy())


def _count(days: Any, day: date, window: int | None) -> int:
    number = (day - date(1970, 1, 1)).days
    until = int(np.searchsorted(days, number, side="right"))
    return until if window is None else until - int(np.searchsorted(days, number - window, side="left"))


@dataclass(frozen=True)
class KeptRows:
    """The kept rows of one version of the definitions."""

    lake: Lake
    version: str

    @property
    def _folder(self) -> LakePath:
        return self.lake.root / MADE_OF_FACTS / f"version={self.version}"

    def read(self, marks: dict[date, Marks]) -> tuple[list[date], pl.DataFrame]:
        """Return those of the days whose kept rows still hold, and their FEATURE_ROWS."""
        paths = {named[0]: path for path in self._files() if (named := _named(path)) and _holds(marks, *named)}
        with self.lake.opened([paths[day] for day in sorted(paths)]) as files:
            if len(files) < len(paths):  # somebody else is storing others right now
                return [], pl.DataFrame(schema=FEATURE_ROWS)
            parts = [
                pl.read_parquet(file).select(pl.col(name).cast(kind) for name, kind in FEATURE_ROWS.items())
                for file in files
            ]
        return sorted(paths), pl.concat([pl.DataFrame(schema=FEATURE_ROWS), *parts])

    def examples(self, days: Collection[date], clients: Collection[str]) -> pl.DataFrame:
        """Return FEATURE_ROWS as they were kept, whether or not they still hold: all clients of `days` (at least one),
        and of the other days of the year before those of `clients` (32 hex digits).

        Good enough to be shown as examples, not to be learned from."""
        paths = {named[0]: path for path in self._files() if (named := _named(path)) and min(days) - YEAR < named[0]}
        with self.lake.opened([paths[day] for day in sorted(paths) if day <= max(days)]) as files:
            rows = [pl.read_parquet(file).select(pl.col(name).cast(kind) for name, kind in FEATURE_ROWS.items())
                    for file in files]  # fmt: skip
        wanted = pl.col("as_of").is_in(list(days)) | pl.col("client_id").is_in(list(clients))
        return pl.concat([pl.DataFrame(schema=FEATURE_ROWS), *(part.filter(wanted) for part in rows)])

    def days(self) -> list[date]:
        """Return the days of which rows are kept, ascending."""
        return sorted({named[0] for path in self._files() if (named := _named(path))})

    def store(self, rows: pl.DataFrame, marks: dict[date, Marks], *, today: date) -> int:
        """Keep the rows of those of the days of `marks` that are settled, also of days without any; return how many
        days. Rows of other versions, of other marks and of days beyond the retention go."""
        settled = [day for day in sorted(marks) if day <= today - timedelta(days=SETTLED_DAYS)]
        older = [path for path in self._files() if (named := _named(path)) is None or named[0] in settled]
        fresh = set()
        for day in settled:
            mark = marks[day]
            path = self._folder / f"{day.isoformat()}_{mark.facts}_{mark.activities}_{mark.records}.parquet"
            write_part(rows.filter(as_of=day).to_arrow(), path)
            fresh.add(str(path))
        self.lake.remove([path for path in older if str(path) not in fresh])
        self.prune(today=today)
        return len(settled)

    def prune(self, *, today: date) -> None:
        """Remove the rows of other versions, and those of days of which scores are not kept either."""
        root = self.lake.root / MADE_OF_FACTS
        for name in self.lake.folders(root):
            if name != self._folder.name:
                self.lake.remove([path for path, _ in self.lake.files(root / name)])
                self.lake.remove_folder(root / name)
        since = today - timedelta(days=settings.BELLWETHER_KEEP_SCORES_DAYS or LONGEST_DAYS)
        self.lake.remove([path for path in self._files() if (named := _named(path)) and named[0] < since])

    def _files(self) -> list[LakePath]:
        return [path for path, _ in self.lake.files(self._folder)]


def _named(path: LakePath) -> tuple[date, Marks] | None:
    """Return the day and marks that the name of a file says, None if it is none of these."""
    parts = path.name.removesuffix(".parquet").split("_")
    try:
        return date.fromisoformat(parts[0]), Marks(*parts[1:])
    except (ValueError, TypeError):
        return None


def _holds(marks: dict[date, Marks], day: date, kept: Marks) -> bool:
    return day in marks and marks[day].allow(kept)
